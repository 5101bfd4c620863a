"""Writes sites: what is declared of them, and what the sources say. A site is never deleted."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from services.registry.merge.model import Provenance
from services.registry.model.site import SiteInput
from services.registry.trials.drafts import check_cohorts
from services.registry.trials.model import Cause, StoredSite, StoredTrial
from services.registry.trials.routing import at_centres, change_of_site
from services.registry.trials.sites.model import Kind
from services.registry.trials.sites.repository import SiteRepository
from services.registry.trials.statements.model import Author, Origins
from services.registry.trials.writing import TrialWriter
from shared.feed.changes import Routing
from shared.values.problems import Fault, InvalidBodyError, NotFoundError, StaleVersionError
from shared.values.wire import Label
from shared.vocabulary.durations import STALE_AFTER
from shared.vocabulary.recruitment import RecruitmentStatus

DECLARED = "declared"


class SiteWriter:
    """Sites of trials in one transaction."""

    def __init__(self, writer: TrialWriter) -> None:
        self.writer = writer
        self.repository = writer.repository
        self.versions = SiteRepository(writer.repository.connection)

    async def declare(
        self, stored: StoredTrial, centre: str, given: SiteInput, expected: int | None, author: Author
    ) -> StoredSite:
        """Write a site's status, open places and confirmation, made from version ``expected`` (None: from any).

        The trial stays as it is.

        :raises StaleVersionError: 412.
        """
        self.writer.cause = Cause(DECLARED, author.name)
        check_cohorts(stored.trial, given)
        if centre not in await self.writer.departements_of_centres():
            raise NotFoundError
        sites = {site.centre: site for site in await self.repository.sites(stored.key)}
        current = sites.get(centre)
        if current is not None and expected is not None and expected != current.version:
            raise StaleVersionError
        if given.confirmed_at is not None and given.confirmed_at > self.writer.now:
            future = Label(fr="ne peut être dans l'avenir", en="cannot be in the future")
            raise InvalidBodyError(future, errors=[Fault(pointer="/confirmed_at", code="in_the_future", detail=future)])
        confirmed = given.confirmed_at or self.writer.now
        site = replace(
            current or StoredSite(centre, 0),
            declared_status=given.status,
            confirmed_at=confirmed,
            slots=tuple(given.slots),
            declared_by=author.name,
            declared_at=self.writer.now,
            declared_for=None,
        )
        routing = await self._routing(stored, {*sites, centre})
        return await self._save(stored, site, current, routing, declared=True)

    async def follow(self, stored: StoredTrial, said: Mapping[str, RecruitmentStatus]) -> None:
        """Write what the sources say of the sites of a trial now. ``said``: by centre."""
        current = {site.centre: site for site in await self.repository.sites(stored.key, lock=True)}
        routing = await self._routing(stored, {*current, *said})
        for centre in sorted({*current, *said}):
            before = current.get(centre)
            site = before or StoredSite(centre, 0)
            if before is None or site.source_status != said.get(centre):
                await self._save(stored, replace(site, source_status=said.get(centre)), before, routing)

    async def unconfirm(self, stored: StoredTrial, centres: Collection[str] | None, author: str) -> None:
        """Take back the confirmation of declared sites (None: of all), until it is given again.

        ``author``: who does it.
        """
        sites = await self.repository.sites(stored.key, lock=True)
        routing = await self._routing(stored, [site.centre for site in sites])
        for site in sites:
            if site.confirmed_at is not None and (centres is None or site.centre in centres):
                unconfirmed = replace(site, confirmed_at=None)
                await self._save(stored, unconfirmed, site, routing, declared=True, author=author)

    async def _routing(self, stored: StoredTrial, centres: Iterable[str]) -> Routing:
        return at_centres(stored.routing, centres, await self.writer.departements_of_centres())

    async def take_over(self, stored: StoredTrial) -> None:
        """Take over what was declared for the trials that are merged into this one, where nothing was for itself."""
        current = {site.centre: site for site in await self.repository.sites(stored.key)}
        declared = [(key, site) for key in stored.merged for site in await self.repository.sites(key)]
        routing = await self._routing(stored, {*current, *(site.centre for _, site in declared)})
        for key, site in declared:
            before = current.get(site.centre)
            if site.declared_status is None or (before is not None and before.declared_status is not None):
                continue
            taken = replace(
                before or StoredSite(site.centre, 0),
                confirmed_at=site.confirmed_at,
                slots=site.slots,
                declared_status=site.declared_status,
                declared_by=site.declared_by,
                declared_at=site.declared_at,
                declared_for=site.declared_for or key,
            )
            current[site.centre] = await self._save(stored, taken, before, routing, declared=True)

    async def give_back(self, stored: StoredTrial, keys: Collection[str]) -> None:
        """Remove from a trial what was declared for others that are no longer merged into it."""
        sites = await self.repository.sites(stored.key)
        routing = await self._routing(stored, [site.centre for site in sites])
        for site in sites:
            if site.declared_for in keys:
                own = StoredSite(site.centre, site.version, source_status=site.source_status)
                await self._save(stored, own, site, routing)

    async def _save(
        self,
        stored: StoredTrial,
        site: StoredSite,
        before: StoredSite | None,
        routing: Routing,
        *,
        declared: bool = False,
        author: str | None = None,
    ) -> StoredSite:
        """Write the next version of a site. ``declared``: by a declaration; else a source changed it.

        ``author``: of a change that is not by who declared it.
        """
        site = replace(site, version=site.version + 1)
        timer = {"stale_due": _stale_at(site.confirmed_at, self.writer.now)} if declared else {}
        if not await self.repository.save_site(stored.key, site, before.version if before else None, timer):
            raise StaleVersionError
        kind: Kind = "declaration" if declared else "source"
        author = author or (site.declared_by if declared else None)
        await self.versions.add_version(
            stored.key, site, self.writer.now, kind, author, published=stored.trial.published
        )
        was = before.status if before else None
        self.writer.record(change_of_site(stored.key, stored.trial.identifier, site, was, routing))
        return site


def _stale_at(confirmed: datetime | None, now: datetime) -> datetime | None:
    """Return when a confirmation becomes stale; None: it is already, so no event says that it becomes so."""
    due = confirmed + STALE_AFTER if confirmed is not None else now
    return due if due > now else None


def origins_of(sites: Iterable[StoredSite]) -> Origins:
    """Return where the declared status of sites comes from."""
    return {
        f"sites/{site.centre}": (
            Provenance(DECLARED, site.centre, site.confirmed_at.date().isoformat() if site.confirmed_at else None),
        )
        for site in sites
        if site.declared_status is not None
    }
