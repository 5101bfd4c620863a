"""SQL for the export: pages of centres and trials as lines of JSON. Stored texts are passed on without being parsed."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.centres.tables import centres
from services.registry.export.model import ExportScope
from services.registry.schema import FEED
from services.registry.trials.model import StoredSite
from services.registry.trials.sites.joining import rows_of, with_sites
from services.registry.trials.tables import criteria_versions, sites, trials
from shared.feed.log import Position

_NEWEST = criteria_versions.alias("newest")
_CENTRES = (
    select(centres.c.id, centres.c.document)
    .where(centres.c.id > bindparam("after"))
    .order_by(centres.c.id)
    .limit(bindparam("limit"))
)
_TRIALS = (
    select(trials.c.key, trials.c.public_id, trials.c.version, trials.c.document, trials.c.provenance)
    .where(trials.c.key > bindparam("after"))
    .order_by(trials.c.key)
    .limit(bindparam("limit"))
)
_CRITERIA = select(criteria_versions.c.trial_key, criteria_versions.c.document).where(
    criteria_versions.c.trial_key.in_(bindparam("keys", expanding=True)),
    criteria_versions.c.version
    == select(func.max(_NEWEST.c.version))
    .where(_NEWEST.c.trial_key == criteria_versions.c.trial_key)
    .scalar_subquery(),
)
_SITES = (
    select(sites)
    .where(sites.c.trial_key.in_(bindparam("keys", expanding=True)))
    .order_by(sites.c.trial_key, sites.c.centre)
)

# The lines of a page, and the id after which the next one begins.
Page = tuple[list[str], str]


class ExportRepository:
    """Pages of the export, in one transaction. A page without lines is the last one."""

    def __init__(self, connection: AsyncConnection, scope: ExportScope) -> None:
        self.connection = connection
        self.scope = scope

    async def position(self) -> Position:
        """Return the position of the feed."""
        return await FEED.position(self.connection)

    async def centres(self, after: str, limit: int) -> Page:
        """Return the next centres."""
        rows = (await self.connection.execute(_CENTRES, {"after": after, "limit": limit})).all()
        return [f'{{"kind":"centre","centre":{row.document}}}\n' for row in rows], rows[-1].id if rows else after

    async def trials(self, after: str, limit: int, now: datetime) -> Page:
        """Return the next trials with their newest criteria, and with their sites as they are ``now``."""
        statement = _TRIALS
        # What is merged into another trial is not published.
        everything = self.scope.rows == "all"
        statement = statement.where(trials.c.merged_into.is_(None) if everything else trials.c.published.is_(True))
        if not self.scope.demo:
            statement = statement.where(trials.c.demo.is_(False))
        rows = (await self.connection.execute(statement, {"after": after, "limit": limit})).all()
        if not rows:
            return [], after
        keys = {"keys": [row.key for row in rows]}
        criteria = {row.trial_key: row.document for row in await self.connection.execute(_CRITERIA, keys)}
        of_trial: dict[str, list[StoredSite]] = defaultdict(list)
        for site in await self.connection.execute(_SITES, keys):
            of_trial[site.trial_key].append(StoredSite.of_row(site))
        lines = []
        for row in rows:
            texts = ",".join(self._site(row.public_id, site, now) for site in of_trial[row.key])
            document = with_sites(row.document, rows_of(of_trial[row.key]), now)
            lines.append(
                f'{{"kind":"trial","id":"{row.key}","version":{row.version},"trial":{document},'
                f'"criteria":{criteria.get(row.key, "null")},"sites":[{texts}],"provenance":{row.provenance}}}\n'
            )
        return lines, rows[-1].key

    def _site(self, trial: str, site: StoredSite, now: datetime) -> str:
        return site.document(trial, now, with_slots=self.scope.slots).model_dump_json()
