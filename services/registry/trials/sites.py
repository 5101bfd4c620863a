"""Sites: what is declared of them, and what the sources say. A site is never deleted."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from services.registry.merge.model import Provenance
from services.registry.model.site import SiteInput
from services.registry.model.trial import TrialSite
from services.registry.trials.drafts import check_cohorts
from services.registry.trials.model import Cause, StoredSite, StoredTrial
from services.registry.trials.routing import change_of_site
from services.registry.trials.statements.model import Author, Origins, dump_origins, load_origins
from services.registry.trials.writing import TrialWriter
from shared.values.problems import Fault, InvalidBodyError, NotFoundError, StaleVersionError
from shared.values.wire import Label
from shared.vocabulary.recruitment import RecruitmentStatus

DECLARED = "declared"


class SiteWriter:
    """Sites of trials in one transaction."""

    def __init__(self, writer: TrialWriter) -> None:
        self.writer = writer
        self.repository = writer.repository

    async def declare(
        self, stored: StoredTrial, centre: str, given: SiteInput, expected: int | None, author: Author
    ) -> StoredSite:
        """Write a site's status, open places and confirmation, made from version ``expected`` (None: from any).

        :raises StaleVersionError: 412.
        """
        self.writer.cause = Cause(DECLARED, author.name)
        check_cohorts(stored.trial, given)
        if await self.writer.centres.get(centre) is None:
            raise NotFoundError
        current = {site.centre: site for site in await self.repository.sites(stored.key)}.get(centre)
        if current is not None and expected is not None and expected != current.version:
            raise StaleVersionError
        if given.confirmed_at is not None and given.confirmed_at > self.writer.now:
            future = Label(fr="ne peut être dans l'avenir", en="cannot be in the future")
            raise InvalidBodyError(future, errors=[Fault(pointer="/confirmed_at", code="in_the_future", detail=future)])
        site = replace(
            current or StoredSite(centre, 0),
            declared_status=given.status,
            confirmed_at=given.confirmed_at or self.writer.now,
            slots=tuple(given.slots),
            declared_by=author.name,
            declared_at=self.writer.now,
            declared_for=None,
        )
        await self._save(await self._write_trial(stored, site), site, current)
        return replace(site, version=site.version + 1)

    async def follow(self, stored: StoredTrial, said: Mapping[str, RecruitmentStatus]) -> None:
        """Write what the sources say of the sites of a trial now. ``said``: by centre."""
        current = {site.centre: site for site in await self.repository.sites(stored.key)}
        for centre in sorted({*current, *said}):
            before = current.get(centre)
            site = before or StoredSite(centre, 0)
            if before is None or site.source_status != said.get(centre):
                await self._save(stored, replace(site, source_status=said.get(centre)), before)

    async def take_over(self, stored: StoredTrial) -> None:
        """Take over what was declared for the trials that are merged into this one, where nothing was for itself."""
        current = {site.centre: site for site in await self.repository.sites(stored.key)}
        for key in stored.merged:
            for site in await self.repository.sites(key):
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
                await self._save(stored, taken, before)
                current[site.centre] = replace(taken, version=taken.version + 1)

    async def give_back(self, stored: StoredTrial, keys: Collection[str]) -> None:
        """Remove from a trial what was declared for others that are no longer merged into it."""
        for site in await self.repository.sites(stored.key):
            if site.declared_for in keys:
                own = StoredSite(site.centre, site.version, source_status=site.source_status)
                await self._save(stored, own, site)

    async def _write_trial(self, stored: StoredTrial, site: StoredSite) -> StoredTrial:
        """Write the declared status into the trial, if it is another one, and where it comes from."""
        origins = dump_origins({**load_origins(stored.origins), **origins_of([site])})
        others = [one for one in stored.trial.sites if one.centre != site.centre]
        sites = sorted([*others, TrialSite(centre=site.centre, status=site.status)], key=lambda one: one.centre)
        if sites == stored.trial.sites:
            await self.writer.write_origins(stored, origins)
            return stored
        changes = {"sites": sites, "version": stored.trial.version + 1, "updated_at": self.writer.now}
        return await self.writer.write(stored, stored.trial.model_copy(update=changes), origins)

    async def _save(self, stored: StoredTrial, site: StoredSite, before: StoredSite | None) -> None:
        """Write the next version of a site."""
        site = replace(site, version=site.version + 1)
        if not await self.repository.save_site(stored.key, site, before.version if before else None):
            raise StaleVersionError
        was = before.status if before else None
        self.writer.record(change_of_site(stored.trial, site.centre, site.version, was, site.status, stored.routing))


def origins_of(sites: Iterable[StoredSite]) -> Origins:
    """Return where the declared status of sites comes from."""
    return {
        f"sites/{site.centre}": (
            Provenance(DECLARED, site.centre, site.confirmed_at.date().isoformat() if site.confirmed_at else None),
        )
        for site in sites
        if site.declared_status is not None
    }


def with_declared(said: Mapping[str, RecruitmentStatus], sites: Iterable[StoredSite]) -> list[TrialSite]:
    """Return the sites of a trial, by centre: those that the sources name, and the declared ones. The latter win."""
    declared = {site.centre: site.declared_status for site in sites if site.declared_status is not None}
    return [TrialSite(centre=centre, status=status) for centre, status in sorted({**said, **declared}.items())]
