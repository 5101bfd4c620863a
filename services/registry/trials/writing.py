"""Writes versions of trials, with their criteria, search words and feed entries."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from services.registry.centres.repository import CentreRepository
from services.registry.model.criteria_head import CriteriaHead
from services.registry.model.trial import Origin, ScopeAnswer, Trial, TrialInput
from services.registry.schema import FEED
from services.registry.terminology.terminology import Terminology
from services.registry.trials.criteria import compared, head_of, in_force, is_outdated, source_hash
from services.registry.trials.decisions.repository import DecisionRepository
from services.registry.trials.drafts import changed_fields, draft_of, public_aliases, same_scope, trial_of
from services.registry.trials.model import StoredTrial
from services.registry.trials.problems import IdentifierTakenError, OutOfScopeError, UnknownCentreError
from services.registry.trials.repository import TrialRepository
from services.registry.trials.routing import audience, change_of_trial, facets
from services.registry.trials.rules import TrialRules
from shared.criteria.model import CriteriaDocument
from shared.feed.changes import NOT_VISIBLE, Change, Routing
from shared.values.problems import Fault, StaleVersionError


class TrialWriter:
    """Versions of trials in one transaction. The feed entries recorded here are written when it is committed."""

    def __init__(self, repository: TrialRepository, centres: CentreRepository, rules: TrialRules) -> None:
        self.repository = repository
        self.centres = centres
        self.rules = rules
        self.decisions = DecisionRepository(repository.connection)
        self.now = datetime.now(UTC)
        self._departements: Mapping[str, str] | None = None

    @property
    def terminology(self) -> Terminology:
        return self.rules.terminology

    async def create(
        self,
        draft: TrialInput,
        origin: Origin,
        scope: ScopeAnswer,
        origins: str,
        criteria: dict[str, Any] | None = None,
    ) -> StoredTrial:
        """Create a trial with its first criteria: ``criteria``, or those derived from its registry fields."""
        await self._check_centres(draft)
        key = await self.repository.next_id(demo=draft.sample == "demo")
        given = criteria or self.rules.registry_criteria(draft, self.terminology)
        document = CriteriaDocument.model_validate_json(json.dumps(given))
        document = in_force(document, 1, source_hash(draft.eligibility))
        trial = trial_of(self.now, key, draft, 1, head_of(document), scope, origin)
        stored = StoredTrial(trial, await self._routing(trial), origins)
        await self.repository.save(stored, ("created",), None)
        await self.repository.add_criteria(
            key, 1, document.grade, self.now, document.model_dump_json(exclude_none=True)
        )
        if scope.answer == "scope_unclear":
            await self.decisions.set_review(key, "scope", self.now, is_open=True)
        self.record(change_of_trial(None, trial, (NOT_VISIBLE, stored.routing), ("created",)))
        return stored

    async def replace(self, stored: StoredTrial, draft: TrialInput, scope: ScopeAnswer, origins: str) -> StoredTrial:
        """Write a new version, unless neither draft nor scope changed."""
        was = stored.trial
        if draft == draft_of(was) and same_scope(scope, was.scope):
            await self.write_origins(stored, origins)
            return stored
        await self._check_centres(draft)
        head = was.criteria
        changed = (draft.eligibility, draft.conditions) != (was.eligibility, was.conditions)
        if head is not None and head.grade == "registry" and changed:
            derived = self.rules.registry_criteria(draft, self.terminology)
            derived["source_hash"] = source_hash(draft.eligibility)
            head = await self.add_criteria(stored.key, head, CriteriaDocument.model_validate_json(json.dumps(derived)))
        head = compared(head, was.eligibility, draft.eligibility)
        trial = trial_of(self.now, stored.key, draft, was.version + 1, head, scope, was.origin)
        return await self.write(stored, trial, origins)

    async def write(
        self, stored: StoredTrial, trial: Trial, origins: str | None = None, *, event: str | None = None
    ) -> StoredTrial:
        """Write a version.

        :raises StaleVersionError: 412, another writer came first.
        """
        origins = stored.origins if origins is None else origins
        declared = [one.centre for one in await self.repository.sites(stored.key) if one.declared_status is not None]
        written = StoredTrial(trial, await self._routing(trial, stored.aliases, declared), origins)
        changed = changed_fields(stored.trial, trial)
        if not await self.repository.save(written, changed, stored.trial.version):
            raise StaleVersionError
        self.record(change_of_trial(stored.trial, trial, (stored.routing, written.routing), changed, event=event))
        outdated = is_outdated(trial)
        if outdated != is_outdated(stored.trial):
            await self.decisions.set_review(stored.key, "outdated_criteria", self.now, is_open=outdated)
        if outdated and not is_outdated(stored.trial):
            # An entry of its own: the change itself may be a new status or a withdrawal.
            sides = (stored.routing, written.routing)
            self.record(change_of_trial(stored.trial, trial, sides, ("criteria",), event="criteria.outdated"))
        return written

    async def write_origins(self, stored: StoredTrial, origins: str) -> None:
        """Write where the parts of a version come from, if that changed.

        :raises StaleVersionError: 412, another writer came first.
        """
        if origins != stored.origins and not await self.repository.save_origins(stored, origins):
            raise StaleVersionError

    async def add_criteria(self, key: str, head: CriteriaHead | None, document: CriteriaDocument) -> CriteriaHead:
        """Write the next version of a trial's criteria. Return what the trial says of it."""
        document = in_force(document, head.version + 1 if head else 1, document.source_hash)
        new = head_of(document)
        text = document.model_dump_json(exclude_none=True)
        await self.repository.add_criteria(key, new.version, new.grade, self.now, text)
        return new

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
        await self.repository.release(numbers - owners.keys())

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
