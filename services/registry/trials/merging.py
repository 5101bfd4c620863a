"""Merges what sources and people say of a trial, and writes what changed."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from services.registry.merge.fields import at_path, differing_paths
from services.registry.merge.merging import merge
from services.registry.merge.model import Merged, Statement
from services.registry.merge.reading import Record
from services.registry.merge.scope import basis_of, rule
from services.registry.model.trial import Origin, ScopeAnswer, TrialInput
from services.registry.records.repository import TrialRecords
from services.registry.trials.decisions.model import Answer, Decision
from services.registry.trials.drafts import draft_of, public_aliases, validated, without_numbers
from services.registry.trials.model import StoredTrial
from services.registry.trials.places.following import PlaceFollower
from services.registry.trials.problems import IdentifierTakenError
from services.registry.trials.routing import change_of_conflicts
from services.registry.trials.sites.writing import SiteWriter
from services.registry.trials.statements.model import Author, dump_origins
from services.registry.trials.statements.repository import StatementRepository
from services.registry.trials.writing import TrialWriter
from shared.vocabulary.recruitment import RecruitmentStatus

NEW = TrialInput.model_construct(identifiers=[]).model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class Judged:
    """A draft, and the answer of the scope gate to it."""

    draft: TrialInput
    scope: ScopeAnswer


@dataclass(frozen=True, slots=True)
class _Draft:
    """A trial to be written, what the sources say of its sites, and where its parts come from."""

    trial: TrialInput
    sites: dict[str, RecruitmentStatus]
    origins: str


class TrialMerger:
    """Merged trials in one transaction."""

    def __init__(self, writer: TrialWriter) -> None:
        connection = writer.repository.connection
        self.writer = writer
        self.sites = SiteWriter(writer)
        self.places = PlaceFollower(writer)
        self.records = TrialRecords(connection)
        self.statements = StatementRepository(connection)
        self.decisions = writer.decisions

    async def create(
        self, record: Record, origin: Origin, judged: Judged | None = None, criteria: dict[str, Any] | None = None
    ) -> StoredTrial:
        """Create a trial from a record. ``criteria``: absent: derived from its fields.

        :raises InvalidBodyError: 422, this is no valid trial.
        :raises IdentifierTakenError: 409.
        """
        placed = await self.places.placed([record])
        merged = merge(placed.records)
        draft = await self._draft(None, merged, judged if placed.records == [record] else None)
        if len(draft.trial.identifiers) < len(merged.document["identifiers"]):
            raise IdentifierTakenError
        scope = self._gate(draft.trial, judged)
        stored = await self.writer.create(draft.trial, origin, scope, draft.origins, criteria)
        if draft.sites:
            await self.sites.follow(stored, draft.sites)
        await self.places.follow(stored, placed.facilities, {})
        return stored

    async def create_stated(self, draft: TrialInput, author: Author) -> StoredTrial:
        """Create a trial that a person writes: everything in it is a statement.

        :raises OutOfScopeError: 422, naming the fields that decide.
        :raises IdentifierTakenError: 409.
        """
        scope = self.writer.accept(draft)
        await self.writer.take_numbers(draft, None)
        stored = await self.writer.create(draft, Origin(source="curated"), scope, "{}")
        after = draft.model_dump(mode="json")
        stated = await self._add(stored, differing_paths(NEW, after), after, {}, author)
        return await self.merge_again(stored, [], stated)

    async def state(
        self, stored: StoredTrial, draft: TrialInput, named: Collection[str], author: Author
    ) -> StoredTrial:
        """State each field in which a person's draft differs from a trial.

        ``named``: fields that the person named: where one of them is in conflict, the statement settles it, even if its
        value is that of the trial.

        :raises OutOfScopeError: 422, naming the fields that decide.
        :raises IdentifierTakenError: 409.
        """
        await self.writer.repository.lock(stored.key)
        after = draft.model_dump(mode="json")
        paths = differing_paths(draft_of(stored.trial).model_dump(mode="json"), after)
        for one in await self.statements.conflicts(stored.key) if named else ():
            path = one.conflict.path
            if path not in paths and any(name == path or name.startswith(f"{path}.") for name in named):
                paths = [*(other for other in paths if not other.startswith(f"{path}.")), path]
        records = await self.records.of_trial(stored.key)
        stated = await self.statements.in_force(stored.key)
        if "identifiers" in paths:
            await self.writer.take_numbers(draft, stored.key)
        new = await self._add(stored, paths, after, merge((await self.places.placed(records)).records).document, author)
        return await self.merge_again(stored, records, [*stated, *new], by_person=True)

    async def withdraw(self, stored: StoredTrial, number: int, author: Author) -> StoredTrial | None:
        """Withdraw a statement and merge the trial again. Return None if there is no such statement in force."""
        await self.writer.repository.lock(stored.key)
        if not await self.statements.withdraw(stored.key, number, self.writer.now, author):
            return None
        return await self.merge_stored(stored)

    async def restore(self, stored: StoredTrial, statement: Statement, author: Author) -> StoredTrial:
        """State again what a withdrawn statement said, as it was said: against the same values of the sources."""
        await self.writer.repository.lock(stored.key)
        path = statement.path
        await self.statements.add(
            stored.key, {path: statement.value}, {path: statement.against}, self.writer.now, author
        )
        return await self.merge_stored(stored)

    async def decide_scope(self, stored: StoredTrial, answer: Answer, reason: str, author: str) -> StoredTrial:
        """Decide for the present conditions and product whether a trial belongs in the registry."""
        await self.writer.repository.lock(stored.key)
        placed = await self.places.placed(await self.records.of_trial(stored.key))
        merged = merge(placed.records, await self.statements.in_force(stored.key))
        draft = (await self._draft(stored.key, merged)).trial
        gate = self._gate(draft, None).answer
        now = self.writer.now
        await self.decisions.add(
            stored.key, Decision("scope", "", answer, reason, author, now, gate=gate, basis=basis_of(draft))
        )
        return await self.merge_stored(stored)

    async def undo_scope(self, stored: StoredTrial, number: int, author: str) -> StoredTrial:
        """Withdraw a decision on the scope of a trial."""
        await self.writer.repository.lock(stored.key)
        await self.decisions.withdraw(stored.key, number, self.writer.now, author)
        return await self.merge_stored(stored)

    async def merge_record(self, stored: StoredTrial, record: Record, judged: Judged) -> StoredTrial:
        """Merge a trial with a new form of one of its records."""
        await self.writer.repository.lock(stored.key)
        others = [
            one
            for one in await self.records.of_trial(stored.key)
            if (one.source, one.source_id) != (record.source, record.source_id)
        ]
        return await self.merge_again(
            stored, [*others, record], await self.statements.in_force(stored.key), judged=judged
        )

    async def merge_again(
        self,
        stored: StoredTrial,
        records: Iterable[Record],
        statements: Iterable[Statement],
        *,
        judged: Judged | None = None,
        by_person: bool = False,
    ) -> StoredTrial:
        """Merge a trial, and write it if it or its scope changed.

        ``by_person``: refuse what leaves the scope. A trial that a source took out of it, or on which a person decided,
        can still be edited.
        """
        placed = await self.places.placed(records)
        merged = merge(placed.records, statements)
        draft = await self._draft(stored.key, merged)
        was = stored.trial.scope
        refuses = by_person and was.by == "gate" and was.answer != "out_of_scope"
        gate = self.writer.accept(draft.trial) if refuses else self._gate(draft.trial, judged)
        ruling = rule(gate, basis_of(draft.trial), await self.decisions.on_scope(stored.key))
        written = await self.writer.replace(stored, draft.trial, ruling.scope, draft.origins)
        await self.decisions.set_review(stored.key, "scope", self.writer.now, is_open=ruling.in_review)
        await self.sites.follow(written, draft.sites)
        await self.places.follow(written, placed.facilities)
        new = await self.statements.replace_conflicts(stored.key, merged.conflicts, self.writer.now)
        if new:
            self.writer.record(change_of_conflicts(written.trial, written.routing, {one.path for one in new}))
        return written

    async def merge_stored(self, stored: StoredTrial) -> StoredTrial:
        """Merge a trial again from what is stored of it."""
        records = await self.records.of_trial(stored.key)
        return await self.merge_again(stored, records, await self.statements.in_force(stored.key))

    async def _draft(self, key: str | None, merged: Merged, judged: Judged | None = None) -> _Draft:
        """Return the trial that was merged, without numbers of others.

        ``judged``: the draft of the same record, if it was made before.
        """
        trial = validated(merged.document) if judged is None else judged.draft
        owners = await self.writer.repository.owners(public_aliases(trial))
        trial = without_numbers(trial, {alias for alias, owner in owners.items() if owner != key})
        if not trial.identifiers:
            raise IdentifierTakenError
        trial = trial.model_copy(update={"sites": sorted(trial.sites, key=lambda site: site.centre)})
        said = {site.centre: site.status for site in trial.sites}
        return _Draft(trial, said, dump_origins(merged.provenance))

    def _gate(self, draft: TrialInput, judged: Judged | None) -> ScopeAnswer:
        if judged is not None and judged.draft == draft:
            return judged.scope
        return self.writer.rules.scope(draft, self.writer.terminology)

    async def _add(
        self, stored: StoredTrial, paths: Sequence[str], after: dict[str, Any], sourced: Any, author: Author
    ) -> list[Statement]:
        stated = {path: at_path(after, path) for path in paths}
        against = {path: at_path(sourced, path) for path in paths}
        return await self.statements.add(stored.key, stated, against, self.writer.now, author)
