"""Decides on changes of trials, their criteria and their sites.

Each accepted change is a version with its feed entries.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from services.registry.centres.repository import CentreRepository
from services.registry.model.criteria_head import CriteriaHead
from services.registry.model.precondition import Precondition
from services.registry.model.site import SiteInput, Slots
from services.registry.model.trial import (
    Origin,
    ScopeAnswer,
    Trial,
    TrialInput,
    TrialSite,
)
from services.registry.schema import FEED
from services.registry.terminology.terminology import Terminology
from services.registry.trials.criteria import (
    becomes_outdated,
    compared,
    faults_of_signature,
    head_of,
    in_force,
    source_hash,
)
from services.registry.trials.drafts import (
    changed_fields,
    check_address,
    check_cohorts,
    draft_of,
    is_number_of,
    patched,
    public_aliases,
    same_scope,
    trial_of,
)
from services.registry.trials.model import StoredSite, StoredTrial
from services.registry.trials.problems import (
    CriteriaRefusedError,
    IdentifierTakenError,
    OutOfScopeError,
    UnknownCentreError,
)
from services.registry.trials.repository import TrialRepository
from services.registry.trials.routing import audience, change_of_site, change_of_trial, facets
from services.registry.trials.rules import TrialRules
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
        """Return a trial by its id or any of its numbers, also former ones, in any spelling.

        :raises NotFoundError: 404, there is none that the caller may see.
        """
        stored = await self.repository.find(identifier, rows)
        if stored is None:
            raise NotFoundError
        return stored

    async def put(self, identifier: str, draft: TrialInput, rows: Rows, expected: Precondition) -> StoredTrial:
        """Create a trial or replace a version of one. A new trial has version 1.

        The former number of a trial may become the number of a new one.

        :raises AlreadyExistsError: 412, it was to be created and exists.
        :raises NotFoundError: 404, it was to be replaced and does not exist.
        """
        current = await self.repository.find(identifier, rows)
        check_address(identifier, draft, None if expected.creates or current is None else current.trial)
        if expected.creates:
            if current is not None and is_number_of(identifier, draft_of(current.trial)):
                raise AlreadyExistsError
            return await self.create(draft, Origin(source="curated"), curated=True)
        if current is None:
            raise NotFoundError
        return await self.update(current, draft, expected.version, curated=True)

    async def patch(self, identifier: str, patch: dict[str, Any], rows: Rows, expected: int | None) -> StoredTrial:
        """Apply a merge patch to a version of a trial (None: to any)."""
        current = await self.find(identifier, rows)
        draft = patched(current.trial, patch)
        check_address(identifier, draft, current.trial)
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
        await self._take_numbers(draft, None, by_person=curated)
        await self._check_centres(draft)
        key = await self.repository.next_id(demo=draft.sample == "demo")
        given = criteria or self.rules.registry_criteria(draft, self.terminology)
        document = CriteriaDocument.model_validate_json(json.dumps(given))
        document = in_force(document, 1, source_hash(draft.eligibility))
        trial = trial_of(self.now, key, draft, 1, head_of(document), scope, origin)
        stored = StoredTrial(trial, await self._routing(trial, ()), curated)
        await self.repository.save(stored, ("created",), None)
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
        owners = await self.repository.owners(public_aliases(draft))
        if set(owners.values()) - {stored.key}:
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

        :raises CriteriaRefusedError: 422, errors of the lint or of the signature, with one pointer for each.
        :raises StaleVersionError: 412, other criteria came first, or they were written from another text of the source.
        """
        stored = await self.find(identifier, rows)
        document = document.model_copy(update={"trial": stored.trial.identifier})
        head = stored.trial.criteria
        if head is not None and expected is not None and expected != head.version:
            raise StaleVersionError
        written_from = source_hash(stored.trial.eligibility)
        if document.source_hash not in {None, written_from}:
            raise StaleVersionError
        document = document.model_copy(update={"source_hash": written_from})
        record = RegistryRecord(**stored.trial.eligibility.model_dump(exclude={"text"}))
        errors = [one for one in lint(document, self.terminology.graph, record) if one.severity == "error"]
        faults = faults_of_signature(document, fictitious=stored.trial.illustrative)
        faults += [Fault(pointer=one.pointer, code=one.code, detail=one.detail) for one in errors[:50]]
        if faults:
            raise CriteriaRefusedError(errors=faults)
        new = await self._add_criteria(stored.key, head, document)
        trial = stored.trial.model_copy(
            update={"criteria": new, "version": stored.trial.version + 1, "updated_at": self.now}
        )
        signed = "criteria.signed" if new.grade == "signed" else "trial.updated"
        await self._write(stored, trial, curated=stored.curated, event=signed)
        return in_force(document, new.version, document.source_hash)

    async def put_site(
        self, identifier: str, centre: str, given: SiteInput, access: Access, expected: Precondition
    ) -> tuple[str, StoredSite]:
        """Declare a centre's status and open places. Return the trial's preferred public number and the site.

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
        return stored.trial.identifier, await self.declare_site(stored, centre, given, expected.version)

    async def declare_site(
        self, stored: StoredTrial, centre: str, given: SiteInput, expected: int | None
    ) -> StoredSite:
        """Write a site's status, open places and confirmation, made from version ``expected`` (None: from any).

        :raises StaleVersionError: 412.
        """
        check_cohorts(stored.trial, given)
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
        await self._take_numbers(draft, stored.key, by_person=curated)
        await self._check_centres(draft)
        head = was.criteria
        changed = (draft.eligibility, draft.conditions) != (was.eligibility, was.conditions)
        if head is not None and head.grade == "registry" and changed:
            derived = self.rules.registry_criteria(draft, self.terminology)
            derived["source_hash"] = source_hash(draft.eligibility)
            head = await self._add_criteria(stored.key, head, CriteriaDocument.model_validate_json(json.dumps(derived)))
        head = compared(head, was.eligibility, draft.eligibility)
        trial = trial_of(self.now, stored.key, draft, was.version + 1, head, scope, was.origin)
        written = await self._write(stored, trial, curated=curated)
        await self._follow_sites(written, was)
        return written

    async def _take_numbers(self, draft: TrialInput, key: str | None, *, by_person: bool) -> None:
        """Check that no other trial than ``key`` has the draft's numbers. A person may take former numbers over.

        :raises IdentifierTakenError: 409.
        """
        numbers = public_aliases(draft)
        owners = await self.repository.owners(numbers, former=not by_person)
        if set(owners.values()) - {key}:
            raise IdentifierTakenError
        if by_person:
            await self.repository.release(numbers - owners.keys())

    async def _routing(self, trial: Trial, aliases: Iterable[str]) -> Routing:
        departements = await self._departements_of_centres()
        return Routing(audience(trial), facets(trial, self.terminology, departements, aliases))

    async def _departements_of_centres(self) -> Mapping[str, str]:
        if self._departements is None:
            self._departements = await self.centres.departements()
        return self._departements

    async def _write(
        self, stored: StoredTrial, trial: Trial, *, curated: bool, event: str | None = None
    ) -> StoredTrial:
        written = StoredTrial(trial, await self._routing(trial, stored.aliases), curated)
        changed = changed_fields(stored.trial, trial)
        if not await self.repository.save(written, changed, stored.trial.version):
            raise StaleVersionError
        self._record(change_of_trial(stored.trial, trial, (stored.routing, written.routing), changed, event=event))
        if becomes_outdated(stored.trial, trial):
            # An entry of its own: the change itself may be a new status or a withdrawal.
            sides = (stored.routing, written.routing)
            self._record(change_of_trial(stored.trial, trial, sides, ("criteria",), event="criteria.outdated"))
        return written

    def _record(self, change: Change) -> None:
        FEED.record(self.repository.connection, change)

    async def _add_criteria(self, key: str, head: CriteriaHead | None, document: CriteriaDocument) -> CriteriaHead:
        document = in_force(document, head.version + 1 if head else 1, document.source_hash)
        new = head_of(document)
        text = document.model_dump_json(exclude_none=True)
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
