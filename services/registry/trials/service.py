"""Decides on changes of trials, their criteria and their sites.

Each accepted change is a version with its feed entries.
"""

from collections.abc import Sequence
from typing import Any

from services.registry.centres.repository import CentreRepository
from services.registry.geography.atlas import Atlas
from services.registry.model.precondition import Precondition
from services.registry.model.site import SiteInput, SiteVersion
from services.registry.model.trial import MAX_ITEMS, TrialInput
from services.registry.trials.criteria import faults_of_signature, in_force, source_hash
from services.registry.trials.drafts import check_address, draft_of, is_number_of, named_paths, patched
from services.registry.trials.merging import CURATED, TrialMerger
from services.registry.trials.model import Cause, StoredSite, StoredTrial
from services.registry.trials.nearness import distances
from services.registry.trials.problems import CriteriaRefusedError, PersonNeededError
from services.registry.trials.repository import TrialRepository
from services.registry.trials.rules import TrialRules
from services.registry.trials.schemas import SiteOfTrial
from services.registry.trials.sites.repository import SiteRepository
from services.registry.trials.statements.model import Author
from services.registry.trials.writing import TrialWriter
from shared.access.policy import Access, Rows, decide
from shared.access.principal import Principal
from shared.criteria.lint import RegistryRecord, lint
from shared.criteria.model import CriteriaDocument
from shared.values.problems import AlreadyExistsError, Fault, ForbiddenError, NotFoundError, StaleVersionError


class TrialService:
    """Trials in one transaction. The feed entries recorded here are written when it is committed."""

    def __init__(self, repository: TrialRepository, centres: CentreRepository, rules: TrialRules) -> None:
        self.repository = repository
        self.centres = centres
        self.writer = TrialWriter(repository, centres, rules)
        self.merger = TrialMerger(self.writer)
        self.sites = SiteRepository(repository.connection)
        self.now = self.writer.now

    async def find(self, identifier: str, rows: Rows) -> StoredTrial:
        """Return a trial by its id or any of its numbers, also former ones, in any spelling.

        :raises NotFoundError: 404, there is none that the caller may see.
        """
        stored = await self.repository.find(identifier, rows)
        if stored is None:
            raise NotFoundError
        return stored

    async def put(
        self,
        identifier: str,
        draft: TrialInput,
        rows: Rows,
        expected: Precondition,
        author: Author,
        *,
        as_draft: bool = False,
    ) -> StoredTrial:
        """Create a trial or replace a version of one. A new trial has version 1.

        ``as_draft``: do not publish a new trial yet.

        The former number of a trial may become the number of a new one.

        :raises AlreadyExistsError: 412, it was to be created and exists.
        :raises NotFoundError: 404, it was to be replaced and does not exist.
        """
        current = await self.repository.find(identifier, rows)
        check_address(identifier, draft, None if expected.creates or current is None else current.trial)
        if expected.creates:
            if current is not None and is_number_of(identifier, draft_of(current.trial)):
                raise AlreadyExistsError
            return await self.merger.create_stated(draft, author, as_draft=as_draft)
        if current is None:
            raise NotFoundError
        check_version(expected.version, current.trial.version)
        return await self.merger.state(current, await self._without_declared(current, draft), (), author)

    async def patch(
        self, identifier: str, patch: dict[str, Any], rows: Rows, expected: int | None, author: Author
    ) -> StoredTrial:
        """Apply a merge patch to a version of a trial (None: to any)."""
        current = await self.find(identifier, rows)
        draft = patched(current.trial, patch)
        check_address(identifier, draft, current.trial)
        check_version(expected, current.trial.version)
        return await self.merger.state(current, draft, named_paths(patch), author)

    async def withdraw_statement(
        self, identifier: str, number: int, rows: Rows, expected: int | None, author: Author, of: str | None = None
    ) -> StoredTrial:
        """Withdraw a statement on a version of a trial (None: on any). ``of``: as in `TrialMerger.withdraw`.

        :raises NotFoundError: 404, there is no such statement in force.
        """
        current = await self.find(identifier, rows)
        check_version(expected, current.trial.version)
        withdrawn = await self.merger.withdraw(current, number, author, of)
        if withdrawn is None:
            raise NotFoundError
        return withdrawn

    async def sign_criteria(
        self, identifier: str, document: CriteriaDocument, access: Access, expected: int | None
    ) -> CriteriaDocument:
        """Write a new version of a trial's criteria, made from version ``expected`` (None: from any).

        :raises CriteriaRefusedError: 422, errors of the lint or of the signature, with one pointer for each.
        :raises StaleVersionError: 412, other criteria came first, or they were written from another text of the source.
        """
        stored = await self.find(identifier, access.rows)
        self.writer.cause = Cause(CURATED, author_of(access.principal).name)
        document = document.model_copy(update={"trial": stored.trial.identifier})
        head = stored.trial.criteria
        if head is not None:
            check_version(expected, head.version)
        written_from = source_hash(stored.trial.eligibility)
        if document.source_hash not in {None, written_from}:
            raise StaleVersionError
        document = document.model_copy(update={"source_hash": written_from})
        self.check_criteria(stored, document, faults_of_signature(document, fictitious=stored.trial.illustrative))
        new = await self.writer.add_criteria(stored.key, head, document)
        trial = stored.trial.model_copy(
            update={"criteria": new, "version": stored.trial.version + 1, "updated_at": self.now}
        )
        signed = "criteria.signed" if new.grade == "signed" else "trial.updated"
        await self.writer.write(stored, trial, event=signed)
        return in_force(document, new.version, document.source_hash)

    def check_criteria(self, stored: StoredTrial, document: CriteriaDocument, faults: Sequence[Fault] = ()) -> None:
        """Check criteria against the terminology and the trial's record. ``faults``: what is already known to be wrong.

        :raises CriteriaRefusedError: 422, with one pointer for each error.
        """
        record = RegistryRecord(**stored.trial.eligibility.model_dump(include=set(RegistryRecord.model_fields)))
        errors = [one for one in lint(document, self.writer.terminology.graph, record) if one.severity == "error"]
        found = [*faults, *(Fault(pointer=one.pointer, code=one.code, detail=one.detail) for one in errors[:50])]
        if found:
            raise CriteriaRefusedError(errors=found)

    async def shown(self, stored: StoredTrial) -> str:
        """Return a trial as readers get it, with the present state of its sites, as JSON."""
        return await self.sites.shown(stored.trial, self.now)

    async def list_sites(
        self, identifier: str, access: Access, near: str | None, atlas: Atlas | None
    ) -> list[SiteOfTrial]:
        """Return the sites of a trial; with ``near``, with their distances and the nearest first.

        :raises UnknownFilterError: 400, ``near`` names no place.
        """
        stored = await self.find(identifier, access.rows)
        found = await self.repository.sites(stored.key)
        with_slots = access.fields == "all"
        sites = {
            one.centre: one.document(stored.trial.identifier, self.now, with_slots=with_slots).model_dump()
            for one in found
        }
        if near is None:
            return [SiteOfTrial(**site) for site in sites.values()]
        centres = {one.id: one for one in await self.centres.page(None, MAX_ITEMS)}
        ordered = distances(near, centres, atlas)
        return [SiteOfTrial(**sites[one], distance_km=round(km, 1)) for one, km in ordered if one in sites]

    async def _without_declared(self, stored: StoredTrial, draft: TrialInput) -> TrialInput:
        """Return a draft with what the sources say of the sites that it gives as readers get them."""
        shown = {site.centre: site.status for site in await self.repository.sites(stored.key) if site.is_known}
        said = {site.centre: site for site in stored.trial.sites}
        sites = []
        for site in draft.sites:
            if shown.get(site.centre) != site.status:
                sites.append(site)
            elif site.centre in said:
                sites.append(said[site.centre])
        return draft.model_copy(update={"sites": sorted(sites, key=lambda site: site.centre)})

    async def site_history(
        self, identifier: str, centre: str, access: Access, before: int | None, limit: int
    ) -> list[SiteVersion]:
        """Return at most ``limit`` versions of a site before version ``before``, newest first.

        :raises NotFoundError: 404, no such trial or site.
        """
        stored = await self.find(identifier, access.rows)
        if all(site.centre != centre for site in await self.repository.sites(stored.key)):
            raise NotFoundError
        # One more: what was known before the last one of the page.
        found = await self.sites.history(stored.key, centre, access.rows, before, limit + 1)
        sees_authors = decide(access.principal, "read", "statement") is not None
        sees_slots = access.fields == "all"
        return [
            one.document(earlier, with_author=sees_authors, with_slots=sees_slots)
            for one, earlier in zip(found, [*found[1:], None], strict=True)
        ][:limit]

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
        author = author_of(access.principal)
        site = await self.merger.sites.declare(stored, centre, given, expected.version, author)
        return stored.trial.identifier, site


def author_of(principal: Principal, reason: str | None = None) -> Author:
    """Return the author of what a caller states: its organisation, and the person or program, by their identifiers."""
    who = principal.human or principal.client or principal.kind
    return Author(f"{principal.organisation or principal.kind}/{who}", reason)


def check_person(principal: Principal) -> None:
    """Check that a caller may be one of the two people whom a decision takes.

    Where people sign in at an identity provider, a client is none: an administrator can make several for itself.

    :raises PersonNeededError: 403.
    """
    if not principal.is_person:
        raise PersonNeededError


def check_version(expected: int | None, present: int) -> None:
    """:raises StaleVersionError: 412."""
    if expected is not None and expected != present:
        raise StaleVersionError
