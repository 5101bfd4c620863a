"""Makes a dossier a record of the source ``sponsor``, which is merged into a trial of this registry."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from services.registry.centres.repository import CentreRepository
from services.registry.model.trial import Origin
from services.registry.records.repository import QUARANTINED, SourceRepository
from services.registry.sources.importing import preparer_of
from services.registry.sources.preparing import Line
from services.registry.sources.registers.sponsor import SponsorReader, record_of_submission
from services.registry.sources.service import SourceService
from services.registry.submissions.content import SubmissionContent, trial_document
from services.registry.submissions.model import Submission
from services.registry.submissions.problems import NotPublishableError, OtherOwnerError
from services.registry.submissions.repository import SubmissionRepository
from services.registry.trials.assignments.model import Entry
from services.registry.trials.assignments.repository import AssignmentRepository
from services.registry.trials.decisions.model import Decision
from services.registry.trials.model import StoredTrial
from services.registry.trials.repository import TrialRepository
from services.registry.trials.rules import TrialRules
from services.registry.trials.service import TrialService
from shared.persistence import with_grants
from shared.values.language import Language
from shared.values.problems import Fault, Problem
from shared.values.wire import Label
from shared.vocabulary.identifiers import alias_of

# The rights of those who import records and publish trials: the rules of dossiers have decided that both happens.
GRANTS: Final = ("trial.write.all", "source.write.all", "statement.read.all")
NUMBER: Final = "CLEIO-SUB-"
KEPT: Final = frozenset({"created", "updated", "unchanged"})


@dataclass(frozen=True, slots=True)
class Publication:
    """A version of a dossier that became public. ``criteria_changed``: an amendment changed who can take part."""

    reference: str
    version: int
    trial_id: str
    criteria_changed: bool


# What other features do when a version becomes public, in the transaction of the publication. The application names
# them: those that follow dossiers are not imported here.
PublicationHook: TypeAlias = Callable[[Any, Publication], Awaitable[None]]


class Publisher:
    """Publications in one transaction."""

    def __init__(
        self,
        repository: SubmissionRepository,
        rules: TrialRules,
        language: Language,
        hooks: Sequence[PublicationHook] = (),
    ) -> None:
        connection = repository.connection
        self.repository = repository
        self.rules = rules
        self.language = language
        self.hooks = hooks
        self.centres = CentreRepository(connection)
        self.trials = TrialService(TrialRepository(connection), self.centres, rules)
        self.records = SourceRepository(connection, SponsorReader().source)

    async def publish(
        self, one: Submission, content: SubmissionContent, people: tuple[str, str], reason: str, now: datetime
    ) -> str:
        """Import a version of a dossier and publish its trial for its owner. Return the id of the trial.

        ``people``: the two who asked for it: their acceptance counts as their decisions on scope and state.

        :raises NotPublishableError: 409, the registry refuses the record.
        :raises OtherOwnerError: 409, another organisation is responsible for the trial.
        """
        async with with_grants(self.repository.connection, *GRANTS):
            stored = await self._imported(one, content, people[1], reason)
            owner = await self.trials.repository.owner(stored.key)
            if owner not in {None, one.owner}:
                raise OtherOwnerError
            for person in people:
                if stored.trial.state != "published":
                    stored = await self.trials.merger.act(stored, "publish", reason, person)
            if stored.trial.state != "published":
                raise NotPublishableError
            if owner is None:
                await self.give(stored.key, one.owner, reason, people[1], now)
            return stored.key

    async def give(self, key: str, owner: str, reason: str, author: str, now: datetime) -> None:
        """Make an organisation responsible for a trial."""
        await self.trials.repository.set_owner(key, owner)
        decision = Decision("owner", owner, "transfer", reason, author, now)
        await self.trials.merger.decisions.add(key, decision)

    async def announce(self, one: Submission, *, criteria_changed: bool) -> None:
        """Run what other features do when a version becomes public."""
        assert one.published_number is not None
        assert one.trial_key is not None
        found = Publication(one.reference, one.published_number, one.trial_key, criteria_changed)
        for hook in self.hooks:
            await hook(self.repository.connection, found)

    async def _imported(self, one: Submission, content: SubmissionContent, author: str, reason: str) -> StoredTrial:
        """Import the record of a dossier. Return its trial, whatever its state."""
        preparer = preparer_of(SponsorReader(), self.rules, await self.centres.page(None, 200))
        document = await self._numbered(one, trial_document(content))
        record = json.dumps(record_of_submission(one.reference, document)).encode()
        (line,) = preparer.parse([(1, record)])
        _raise(line.problem)
        draft = (await asyncio.to_thread(preparer.read, [line]))[1]
        if isinstance(draft, Problem):
            raise draft
        service = SourceService(self.trials, self.records, preparer, self.language)
        result = await service.import_line(Line(1, record, line.seen, line.parsed), draft, await service.stored([line]))
        if result.result == QUARANTINED:
            return await self._taken(one, author, reason)
        if result.result not in KEPT or result.trial_id is None:
            found = [*result.errors, *result.reasons]
            raise NotPublishableError(
                [
                    Fault(pointer=f"/trial{one.pointer}", code=one.code, detail=Label(fr=one.detail, en=one.detail))
                    for one in found
                ]
            )
        return await self.trials.repository.get(result.trial_id)

    async def _numbered(self, one: Submission, document: dict[str, Any]) -> dict[str, Any]:
        """Return the trial of a dossier with a number of this network where no register has given one.

        Two sponsors may use the same code. An amendment keeps the number.
        """
        numbers = document.get("identifiers", [])
        if any(number["type"] not in {"sponsor", "cleio"} for number in numbers):
            return document
        trials = self.trials.repository
        given = (await trials.get(one.trial_key)).trial.identifiers if one.trial_key else ()
        value = next((number.value for number in given if number.value.startswith(NUMBER)), None)
        while value is None or (one.trial_key is None and await trials.owners([alias_of(value)])):
            value = f"{NUMBER}{secrets.randbelow(10**8):08}"
        return {**document, "identifiers": [*numbers, {"type": "cleio", "value": value}]}

    async def _taken(self, one: Submission, author: str, reason: str) -> StoredTrial:
        """Take a record in which nothing shows an advanced therapy: people have accepted it."""
        record = await self.records.record(one.reference)
        assert record is not None
        origin = Origin(source=record.source, source_id=record.source_id)
        stored = await self.trials.merger.create(record, origin)
        await self.records.take(one.reference, stored.key)
        entry = Entry("assigned", stored.key, None, record.source, record.source_id, author, reason, creates=True)
        await AssignmentRepository(self.repository.connection).add(entry, self.trials.now)
        return stored


def _raise(problem: Problem | None) -> None:
    if problem is not None:
        raise problem
