"""Writes versions of trials, with their criteria, search words and feed entries."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from services.registry.centres.repository import CentreRepository
from services.registry.model.criteria_head import CriteriaHead
from services.registry.model.state import TrialState
from services.registry.model.trial import Origin, ScopeAnswer, Trial, TrialInput
from services.registry.schema import FEED
from services.registry.terminology.terminology import Terminology
from services.registry.trials.criteria import compared, head_of, in_force, is_outdated, source_hash
from services.registry.trials.decisions.model import TrialReviewKind
from services.registry.trials.decisions.repository import DecisionRepository
from services.registry.trials.drafts import changed_fields, draft_of, public_aliases, same_scope, trial_of
from services.registry.trials.model import Cause, StoredTrial
from services.registry.trials.problems import IdentifierTakenError, OutOfScopeError, UnknownCentreError
from services.registry.trials.repository import TrialRepository
from services.registry.trials.routing import audience, change_of_review, change_of_trial, facets
from services.registry.trials.rules import TrialRules
from shared.criteria.model import CriteriaDocument
from shared.feed.changes import NOT_VISIBLE, Change, Routing
from shared.values.problems import Fault, StaleVersionError


class TrialWriter:
    """Versions of trials in one transaction. The feed entries recorded here are written when it is committed.

    ``cause``: who or what makes the next version.
    """

    def __init__(self, repository: TrialRepository, centres: CentreRepository, rules: TrialRules) -> None:
        self.repository = repository
        self.centres = centres
        self.rules = rules
        self.decisions = DecisionRepository(repository.connection)
        self.now = datetime.now(UTC)
        self.cause = Cause("rules")
        self._departements: Mapping[str, str] | None = None

    @property
    def terminology(self) -> Terminology:
        return self.rules.terminology

    async def create(
        self,
        draft: TrialInput,
        origin: Origin,
        scope: ScopeAnswer,
        state: TrialState,
        origins: str,
        criteria: dict[str, Any] | None = None,
    ) -> StoredTrial:
        """Create a trial with its first criteria: ``criteria``, or those derived from its registry fields."""
        await self._check_centres(draft)
        key = await self.repository.next_id(demo=draft.sample == "demo")
        given = criteria or self.rules.registry_criteria(draft, self.terminology)
        document = CriteriaDocument.model_validate_json(json.dumps(given))
        document = in_force(document, 1, source_hash(draft.eligibility))
        trial = trial_of(self.now, key, draft, 1, head_of(document), scope, state, origin)
        stored = StoredTrial(trial, await self._routing(trial), origins, self.rules.version)
        await self.repository.save(stored, ("created",), None, self.cause)
        await self.repository.add_criteria(
            key, 1, document.grade, self.now, document.model_dump_json(exclude_none=True)
        )
        self.record(change_of_trial(None, trial, (NOT_VISIBLE, stored.routing), ("created",)))
        if state == "in_review":
            await self.set_reviews(stored, {"scope": True})
        return stored

    async def replace(
        self, stored: StoredTrial, draft: TrialInput, scope: ScopeAnswer, state: TrialState, origins: str
    ) -> StoredTrial:
        """Write a new version, unless neither draft nor scope nor state changed."""
        was = stored.trial
        same = draft == draft_of(was) and same_scope(scope, was.scope) and state == was.state
        if same and not stored.is_renamed:
            await self.write_origins(stored, origins, self.rules.version)
            return stored
        await self._check_centres(draft)
        head = was.criteria
        changed = (draft.eligibility, draft.conditions) != (was.eligibility, was.conditions)
        if head is not None and head.grade == "registry" and changed:
            derived = self.rules.registry_criteria(draft, self.terminology)
            derived["source_hash"] = source_hash(draft.eligibility)
            head = await self.add_criteria(stored.key, head, CriteriaDocument.model_validate_json(json.dumps(derived)))
        head = compared(head, was.eligibility, draft.eligibility)
        trial = trial_of(self.now, stored.key, draft, was.version + 1, head, scope, state, was.origin)
        return await self.write(stored, trial, origins, rules=self.rules.version)

    async def write(
        self,
        stored: StoredTrial,
        trial: Trial,
        origins: str | None = None,
        *,
        event: str | None = None,
        rules: str | None = None,
    ) -> StoredTrial:
        """Write a version. ``rules``: by which it was merged; None: it was not.

        :raises StaleVersionError: 412, another writer came first.
        """
        origins = stored.origins if origins is None else origins
        rules = stored.rules if rules is None else rules
        declared = [one.centre for one in await self.repository.sites(stored.key) if one.declared_status is not None]
        written = StoredTrial(trial, await self._routing(trial, stored.aliases, declared), origins, rules)
        changed = changed_fields(stored.trial, trial)
        if not await self.repository.save(written, changed, stored.trial.version, self.cause):
            raise StaleVersionError
        self.record(change_of_trial(stored.trial, trial, (stored.routing, written.routing), changed, event=event))
        outdated = is_outdated(trial)
        if outdated != is_outdated(stored.trial):
            await self.set_reviews(written, {"outdated_criteria": outdated})
        if outdated and not is_outdated(stored.trial):
            # An entry of its own: the change itself may be a new status or a withdrawal.
            sides = (stored.routing, written.routing)
            self.record(change_of_trial(stored.trial, trial, sides, ("criteria",), event="criteria.outdated"))
        return written

    async def hide(self, stored: StoredTrial, into: str) -> StoredTrial:
        """Write the version from which on another trial answers in the place of this one.

        :raises StaleVersionError: 412, another writer came first.
        """
        changes = {"published": False, "version": stored.trial.version + 1, "updated_at": self.now}
        trial = stored.trial.model_copy(update=changes)
        hidden = StoredTrial(trial, stored.routing, stored.origins, stored.rules, into)
        if not await self.repository.save(hidden, ("merged_into",), stored.trial.version, self.cause):
            raise StaleVersionError
        return hidden

    async def write_origins(self, stored: StoredTrial, origins: str, rules: str | None = None) -> None:
        """Write where the parts of a version come from, and by which rules it was merged (None: it was not).

        :raises StaleVersionError: 412, another writer came first.
        """
        rules = stored.rules if rules is None else rules
        if (origins, rules) == (stored.origins, stored.rules):
            return
        if not await self.repository.save_origins(stored, origins, rules):
            raise StaleVersionError

    async def add_criteria(self, key: str, head: CriteriaHead | None, document: CriteriaDocument) -> CriteriaHead:
        """Write the next version of a trial's criteria. Return what the trial says of it."""
        document = in_force(document, head.version + 1 if head else 1, document.source_hash)
        new = head_of(document)
        text = document.model_dump_json(exclude_none=True)
        await self.repository.add_criteria(key, new.version, new.grade, self.now, text)
        return new

    async def set_reviews(self, stored: StoredTrial, wanted: Mapping[TrialReviewKind, bool]) -> None:
        """Open or close reviews of a trial."""
        changed = await self.decisions.set_reviews(stored.key, wanted, self.now)
        for kind, is_open in changed.items():
            self.record(change_of_review("opened" if is_open else "closed", f"{kind}:{stored.key}", stored.trial))

    def record(self, change: Change) -> None:
        """Record a feed entry."""
        FEED.record(self.repository.connection, change)

    def accept(self, draft: TrialInput) -> ScopeAnswer:
        """Judge the scope of a draft that a person writes.

        :raises OutOfScopeError: 422, naming the fields that decide.
        """
        scope = self.rules.scope(draft, self.terminology)
        if scope.answer == "out_of_scope":
            faults = [Fault(pointer=one.pointer, code=one.code, detail=one.detail) for one in scope.reasons]
            raise OutOfScopeError(errors=faults)
        return scope

    async def take_numbers(self, draft: TrialInput, key: str | None) -> None:
        """Check that no other trial than ``key`` has numbers that a person gives; former numbers are taken over.

        :raises IdentifierTakenError: 409.
        """
        numbers = public_aliases(draft)
        owners = await self.repository.owners(numbers, former=False)
        if set(owners.values()) - {key}:
            raise IdentifierTakenError
        had = await self.repository.owners(numbers - owners.keys())
        await self.repository.release([number for number, owner in had.items() if owner != key])

    async def _routing(self, trial: Trial, aliases: Iterable[str] = (), declared: Iterable[str] = ()) -> Routing:
        departements = await self.departements_of_centres()
        return Routing(audience(trial), facets(trial, self.terminology, departements, aliases, declared))

    async def departements_of_centres(self) -> Mapping[str, str]:
        if self._departements is None:
            self._departements = await self.centres.departements()
        return self._departements

    async def _check_centres(self, draft: TrialInput) -> None:
        known = await self.departements_of_centres()
        for index, site in enumerate(draft.sites):
            if site.centre not in known:
                place = Fault(pointer=f"/sites/{index}/centre", code="unknown_centre", detail=UnknownCentreError.title)
                raise UnknownCentreError(errors=[place])
