"""Decides on changes of trials, their criteria and their sites.

Each accepted change is a version with its feed entries.
"""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.registry.centres.repository import CentreRepository
from services.registry.model.precondition import Precondition
from services.registry.model.site import SiteInput, Slots
from services.registry.model.trial import (
    CriteriaHead,
    Origin,
    ScopeAnswer,
    Trial,
    TrialInput,
    TrialSite,
    preferred_identifier,
)
from services.registry.schema import FEED
from services.registry.search.model import SearchQuery
from services.registry.terminology.terminology import Terminology
from services.registry.trials.drafts import check_address, draft_of, patched, public_numbers, same_scope
from services.registry.trials.model import StoredSite, StoredTrial
from services.registry.trials.problems import (
    CriteriaRefusedError,
    IdentifierTakenError,
    OutOfScopeError,
    UnknownCentreError,
    UnknownCohortError,
    UnknownFilterError,
)
from services.registry.trials.repository import TrialRepository
from services.registry.trials.routing import audience, change_of_site, change_of_trial, facets, rename_of_trial
from services.registry.trials.rules import TrialRules
from services.registry.trials.search import words_of
from shared.access.policy import Access, Rows
from shared.criteria.lint import RegistryRecord, lint
from shared.criteria.model import CriteriaDocument
from shared.feed.changes import NOT_VISIBLE, Change, Routing
from shared.values.problems import (
    AlreadyExistsError,
    Fault,
    ForbiddenError,
    InvalidBodyError,
    NotFoundError,
    StaleVersionError,
)
from shared.values.wire import Label


class TrialService:
    """Trials in one transaction. The feed entries recorded here are written when it is committed."""

    def __init__(self, repository: TrialRepository, centres: CentreRepository, rules: TrialRules) -> None:
        self.repository = repository
        self.centres = centres
        self.rules = rules
        self.now = datetime.now(UTC)
        self._departements: Mapping[str, str] | None = None

    @property
    def terminology(self) -> Terminology:
        return self.rules.terminology

    async def find(self, identifier: str, rows: Rows) -> StoredTrial:
        """Return a trial by any of its public identifiers.

        :raises NotFoundError: 404, there is none that the caller may see.
        """
        stored = await self.repository.find(identifier, rows)
        if stored is None:
            raise NotFoundError
        return stored

    async def check_filters(self, search: SearchQuery, rows: Rows) -> None:
        """Check that centre and condition of a search exist, so that a typing error is not an empty list.

        A condition exists if the terminology or a trial has it.

        :raises UnknownFilterError: 400.
        """
        unknown = []
        if search.centre is not None and search.centre not in await self._departements_of_centres():
            unknown.append("centre")
        known = any(self.terminology.concept(code) is not None for code in search.condition)
        if search.condition and not known and not await self.repository.has_condition(search.condition, rows):
            unknown.append("condition")
        if unknown:
            raise UnknownFilterError(
                errors=[
                    Fault(pointer=f"/query/{name}", code=f"unknown_{name}", detail=UnknownFilterError.title)
                    for name in unknown
                ]
            )

    async def put(self, identifier: str, draft: TrialInput, rows: Rows, expected: Precondition) -> StoredTrial:
        """Create a trial or replace a version of one. A new trial has version 1.

        :raises AlreadyExistsError: 412, it was to be created and exists.
        :raises NotFoundError: 404, it was to be replaced and does not exist.
        """
        check_address(identifier, draft)
        current = await self.repository.find(identifier, rows)
        if expected.creates:
            if current is not None:
                raise AlreadyExistsError
            return await self.create(draft, Origin(source="curated"), curated=True)
        if current is None:
            raise NotFoundError
        return await self.update(current, draft, expected.version, curated=True)

    async def patch(self, identifier: str, patch: dict[str, Any], rows: Rows, expected: int | None) -> StoredTrial:
        """Apply a merge patch to a version of a trial (None: to any)."""
        current = await self.find(identifier, rows)
        draft = patched(current.trial, patch)
        check_address(identifier, draft)
        return await self.update(current, draft, expected, curated=True)

    async def create(
        self,
        draft: TrialInput,
        origin: Origin,
        *,
        curated: bool,
        criteria: dict[str, Any] | None = None,
        scope: ScopeAnswer | None = None,
    ) -> StoredTrial:
        """Create a trial with its first criteria: ``criteria``, or those derived from its registry fields.

        ``scope``: the answer of the scope gate, if the caller knows it already.

        :raises OutOfScopeError: 422, naming the fields that decide.
        :raises IdentifierTakenError: 409.
        """
        scope = scope or self._accepted(draft)
        if await self.repository.owners(public_numbers(draft)):
            raise IdentifierTakenError
        await self._check_centres(draft)
        key = str(uuid.uuid4())
        given = criteria or self.rules.registry_criteria(draft, self.terminology)
        document = CriteriaDocument.model_validate_json(json.dumps({**given, "version": 1}))
        trial = self._trial(draft, 1, CriteriaHead(version=1, grade=document.grade), scope, origin)
        stored = StoredTrial(key, trial, await self._routing(trial), curated)
        await self.repository.save(stored, words_of(trial, self.terminology), ("created",), None)
        await self.repository.add_criteria(
            key, 1, document.grade, self.now, document.model_dump_json(exclude_none=True)
        )
        self._record(change_of_trial(None, trial, (NOT_VISIBLE, stored.routing), ("created",)))
        for site in trial.sites:
            await self._save_site(stored, StoredSite(site.centre, 1, site.status, None, ()), None)
        return stored

    async def update(
        self,
        stored: StoredTrial,
        draft: TrialInput,
        expected: int | None,
        *,
        curated: bool,
        scope: ScopeAnswer | None = None,
    ) -> StoredTrial:
        """Write a new version made from version ``expected`` (None: any), unless neither draft nor scope changed.

        The scope is judged even for an equal draft, because the rules of the scope gate may have changed since.

        :raises StaleVersionError: 412.
        :raises OutOfScopeError: 422, naming the fields that decide.
        """
        if expected is not None and expected != stored.trial.version:
            raise StaleVersionError
        return await self._replace(stored, draft, scope or self._accepted(draft), curated=curated)

    async def withdraw(self, stored: StoredTrial, draft: TrialInput, scope: ScopeAnswer) -> StoredTrial:
        """Unpublish a trial whose source record left the scope. Its key, history and link to the record stay."""
        if await self.repository.owners(public_numbers(draft)) - {stored.key}:
            # A number of the record now belongs to another trial: that must not keep this one published.
            draft = draft_of(stored.trial)
        return await self._replace(stored, draft, scope, curated=stored.curated)

    def scope_of(self, draft: TrialInput) -> ScopeAnswer:
        """Judge the scope of a draft."""
        return self.rules.scope(draft, self.terminology)

    async def sign_criteria(
        self, identifier: str, document: CriteriaDocument, rows: Rows, expected: int | None
    ) -> CriteriaDocument:
        """Write a new version of a trial's criteria, made from version ``expected`` (None: from any).

        :raises CriteriaRefusedError: 422, the lint found errors; one pointer for each.
        :raises StaleVersionError: 412.
        """
        stored = await self.find(identifier, rows)
        document = document.model_copy(update={"trial": stored.trial.id})
        head = stored.trial.criteria
        if head is not None and expected is not None and expected != head.version:
            raise StaleVersionError
        record = RegistryRecord(**stored.trial.eligibility.model_dump(exclude={"text"}))
        errors = [one for one in lint(document, self.terminology.graph, record) if one.severity == "error"]
        if errors:
            raise CriteriaRefusedError(
                errors=[Fault(pointer=one.pointer, code=one.code, detail=one.detail) for one in errors[:50]]
            )
        new = await self._add_criteria(stored.key, head, document)
        trial = stored.trial.model_copy(
            update={"criteria": new, "version": stored.trial.version + 1, "updated_at": self.now}
        )
        signed = "criteria.signed" if new.grade == "signed" else "trial.updated"
        await self._write(stored, trial, curated=stored.curated, event=signed)
        return document.model_copy(update={"version": new.version})

    async def put_site(
        self, identifier: str, centre: str, given: SiteInput, access: Access, expected: Precondition
    ) -> tuple[str, StoredSite]:
        """Declare a centre's status and open places. Return the trial's public id and the site.

        :raises ForbiddenError: 403, a centre declares for another one.
        :raises AlreadyExistsError: 412, it was to be created and exists.
        :raises NotFoundError: 404, no such trial, centre, or site to replace.
        """
        stored = await self.find(identifier, access.rows)
        if access.rows == "own" and centre != access.principal.centre:
            raise ForbiddenError
        known = any(site.centre == centre for site in await self.repository.sites(stored.key))
        if expected.creates and known:
            raise AlreadyExistsError
        if not expected.creates and not known:
            raise NotFoundError
        return stored.trial.id, await self.declare_site(stored, centre, given, expected.version)

    async def declare_site(
        self, stored: StoredTrial, centre: str, given: SiteInput, expected: int | None
    ) -> StoredSite:
        """Write a site's status, open places and confirmation, made from version ``expected`` (None: from any).

        :raises StaleVersionError: 412.
        """
        _check_cohorts(stored.trial, given)
        if await self.centres.get(centre) is None:
            raise NotFoundError
        current = {site.centre: site for site in await self.repository.sites(stored.key)}.get(centre)
        if current is not None and expected is not None and expected != current.version:
            raise StaleVersionError
        if given.confirmed_at is not None and given.confirmed_at > self.now:
            future = Label(fr="ne peut être dans l'avenir", en="cannot be in the future")
            raise InvalidBodyError(future, errors=[Fault(pointer="/confirmed_at", code="in_the_future", detail=future)])
        site = StoredSite(
            centre,
            current.version + 1 if current else 1,
            given.status,
            given.confirmed_at or self.now,
            tuple(given.slots),
        )
        if current is None or current.status != given.status:
            others = [one for one in stored.trial.sites if one.centre != centre]
            sites = sorted([*others, TrialSite(centre=centre, status=given.status)], key=lambda one: one.centre)
            trial = stored.trial.model_copy(
                update={"sites": sites, "version": stored.trial.version + 1, "updated_at": self.now}
            )
            stored = await self._write(stored, trial, curated=stored.curated)
        await self._save_site(stored, site, current)
        return site

    def _accepted(self, draft: TrialInput) -> ScopeAnswer:
        """:raises OutOfScopeError: 422, naming the fields that decide."""
        answer = self.scope_of(draft)
        if answer.answer == "out_of_scope":
            raise OutOfScopeError(
                errors=[
                    Fault(pointer=reason.pointer, code=reason.code, detail=reason.detail) for reason in answer.reasons
                ]
            )
        return answer

    async def _replace(
        self, stored: StoredTrial, draft: TrialInput, scope: ScopeAnswer, *, curated: bool
    ) -> StoredTrial:
        was = stored.trial
        if draft == draft_of(was) and same_scope(scope, was.scope):
            return stored
        if await self.repository.owners(public_numbers(draft)) - {stored.key}:
            raise IdentifierTakenError
        await self._check_centres(draft)
        head = was.criteria
        changed = (draft.eligibility, draft.conditions) != (was.eligibility, was.conditions)
        if head is not None and head.grade == "registry" and changed:
            derived = json.dumps(self.rules.registry_criteria(draft, self.terminology))
            head = await self._add_criteria(stored.key, head, CriteriaDocument.model_validate_json(derived))
        trial = self._trial(draft, was.version + 1, head, scope, was.origin)
        written = await self._write(stored, trial, curated=curated)
        await self._follow_sites(written, was)
        return written

    def _trial(
        self, draft: TrialInput, version: int, head: CriteriaHead | None, scope: ScopeAnswer, origin: Origin
    ) -> Trial:
        fields = {name: getattr(draft, name) for name in TrialInput.model_fields}
        return Trial(
            **fields,
            id=preferred_identifier(draft.identifiers),
            version=version,
            updated_at=self.now,
            criteria=head,
            scope=scope,
            published=scope.answer == "in_scope",
            origin=origin,
        )

    async def _routing(self, trial: Trial) -> Routing:
        return Routing(audience(trial), facets(trial, self.terminology, await self._departements_of_centres()))

    async def _departements_of_centres(self) -> Mapping[str, str]:
        if self._departements is None:
            self._departements = await self.centres.departements()
        return self._departements

    async def _write(
        self, stored: StoredTrial, trial: Trial, *, curated: bool, event: str | None = None
    ) -> StoredTrial:
        written = StoredTrial(stored.key, trial, await self._routing(trial), curated)
        changed = tuple(
            name
            for name in Trial.model_fields
            if name not in {"version", "updated_at"} and getattr(trial, name) != getattr(stored.trial, name)
        )
        if not await self.repository.save(written, words_of(trial, self.terminology), changed, stored.trial.version):
            raise StaleVersionError
        self._record(change_of_trial(stored.trial, trial, (stored.routing, written.routing), changed, event=event))
        if trial.id != stored.trial.id:
            # Readers that stored the trial under its former id must drop that copy.
            self._record(rename_of_trial(stored.trial, trial, stored.routing))
        return written

    def _record(self, change: Change) -> None:
        FEED.record(self.repository.connection, change)

    async def _add_criteria(self, key: str, head: CriteriaHead | None, document: CriteriaDocument) -> CriteriaHead:
        new = CriteriaHead(version=head.version + 1 if head else 1, grade=document.grade)
        text = document.model_copy(update={"version": new.version}).model_dump_json(exclude_none=True)
        await self.repository.add_criteria(key, new.version, new.grade, self.now, text)
        return new

    async def _follow_sites(self, stored: StoredTrial, was: Trial) -> None:
        """Bring the sites in line with a new version of the trial."""
        current = {site.centre: site for site in await self.repository.sites(stored.key)}
        wanted = {site.centre: site.status for site in stored.trial.sites}
        for centre, status in wanted.items():
            site = current.get(centre)
            if site is None or site.status != status:
                slots: tuple[Slots, ...] = site.slots if site else ()
                updated = StoredSite(
                    centre, site.version + 1 if site else 1, status, site.confirmed_at if site else None, slots
                )
                await self._save_site(stored, updated, site)
        for gone in was.sites:
            if gone.centre not in wanted and gone.centre in current:
                await self.repository.remove_site(stored.key, gone.centre)
                version = current[gone.centre].version + 1
                self._record(change_of_site(stored.trial, gone.centre, version, gone.status, None, stored.routing))

    async def _save_site(self, stored: StoredTrial, site: StoredSite, current: StoredSite | None) -> None:
        if not await self.repository.save_site(stored.key, site, current.version if current else None):
            raise StaleVersionError
        was = current.status if current else None
        self._record(change_of_site(stored.trial, site.centre, site.version, was, site.status, stored.routing))

    async def _check_centres(self, draft: TrialInput) -> None:
        known = await self._departements_of_centres()
        for index, site in enumerate(draft.sites):
            if site.centre not in known:
                place = Fault(pointer=f"/sites/{index}/centre", code="unknown_centre", detail=UnknownCentreError.title)
                raise UnknownCentreError(errors=[place])


def _check_cohorts(trial: Trial, given: SiteInput) -> None:
    cohorts = {cohort.id for cohort in trial.cohorts} or {"all"}
    for index, slots in enumerate(given.slots):
        if slots.cohort not in cohorts:
            place = Fault(pointer=f"/slots/{index}/cohort", code="unknown_cohort", detail=UnknownCohortError.title)
            raise UnknownCohortError(errors=[place])
