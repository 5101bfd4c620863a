"""SQL for the state, the history and the due confirmations of sites."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.model.site import SiteState
from services.registry.model.trial import Trial
from services.registry.trials.model import StoredSite
from services.registry.trials.sites.joining import SiteRow, with_sites
from services.registry.trials.sites.model import Kind, StaleSite, StoredVersion
from services.registry.trials.sites.tables import site_versions
from services.registry.trials.tables import sites, trials
from shared.access.policy import Rows
from shared.feed.changes import read_routing


def states_statement(*, is_sqlite: bool) -> TextClause:
    """Return the statement for (id of the trial, centre, status, confirmed_at); it takes ``keys``, a JSON list."""
    listed = (
        "SELECT value FROM json_each(:keys)"
        if is_sqlite
        else "SELECT value FROM json_array_elements_text(CAST(CAST(:keys AS text) AS json))"
    )
    return text(
        "SELECT trial_key, centre, status, confirmed_at FROM sites"  # noqa: S608  no value
        f" WHERE trial_key IN ({listed}) AND (declared_status IS NOT NULL OR source_status IS NOT NULL)"
        " ORDER BY trial_key, centre"
    )


STATES = {is_sqlite: states_statement(is_sqlite=is_sqlite) for is_sqlite in (True, False)}


class SiteRepository:
    """Sites of trials in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def states(self, keys: Collection[str]) -> dict[str, list[SiteRow]]:
        """Return the sites of trials as `joining.with_sites` takes them, by trial."""
        statement = STATES[self.connection.dialect.name == "sqlite"]
        return by_trial(await self.connection.execute(statement, {"keys": json.dumps(list(keys))}))

    async def shown(self, trial: Trial, now: datetime) -> str:
        """Return a trial as readers get it at ``now``, with the present state of its sites, as JSON."""
        states = await self.states([trial.id])
        return with_sites(trial.model_dump_json(), states.get(trial.id, ()), now)

    async def add_version(
        self, key: str, site: StoredSite, at: datetime, kind: Kind, author: str | None, *, published: bool
    ) -> None:
        """Write a version into the history. ``published``: whether the trial is public."""
        state = site.state(with_slots=True).model_dump_json()
        await self.connection.execute(
            insert(site_versions).values(
                trial_key=key, centre=site.centre, version=site.version, at=at, kind=kind, author=author, state=state,
                published=published,
            )
        )  # fmt: skip

    async def history(self, key: str, centre: str, rows: Rows, before: int | None, limit: int) -> list[StoredVersion]:
        """Return versions of a site, newest first: those that ``rows`` showed then."""
        versions = site_versions.c
        statement = select(site_versions).where(versions.trial_key == key, versions.centre == centre)
        if rows != "all":
            statement = statement.where(versions.published.is_(True))
        if before is not None:
            statement = statement.where(versions.version < before)
        found = await self.connection.execute(statement.order_by(versions.version.desc()).limit(limit))
        return [
            StoredVersion(row.version, row.at, row.kind, row.author, SiteState.model_validate_json(row.state))
            for row in found
        ]

    async def has_stale(self, now: datetime) -> bool:
        """Return whether the declaration of some site has become stale, and the event is not sent."""
        due = (
            select(sites.c.centre)
            .join(trials, trials.c.key == sites.c.trial_key)
            .where(sites.c.stale_due <= now, sites.c.declared_status.is_not(None), trials.c.merged_into.is_(None))
            .limit(1)
        )
        return (await self.connection.execute(due)).first() is not None

    async def take_stale(self, now: datetime, limit: int) -> list[StaleSite]:
        """Take sites whose declaration has become stale: no other transaction takes them again."""
        statement = (
            select(sites, trials.c.public_id, trials.c.side)
            .join(trials, trials.c.key == sites.c.trial_key)
            .where(sites.c.stale_due <= now, sites.c.declared_status.is_not(None), trials.c.merged_into.is_(None))
            .order_by(sites.c.stale_due)
            .limit(limit)
            .with_for_update(skip_locked=True, of=sites)
        )
        found = (await self.connection.execute(statement)).all()
        for row in found:
            of_site = (sites.c.trial_key == row.trial_key, sites.c.centre == row.centre)
            await self.connection.execute(update(sites).where(*of_site).values(stale_due=None))
        return [
            StaleSite(row.trial_key, row.public_id, read_routing(json.loads(row.side)), StoredSite.of_row(row))
            for row in found
        ]


def by_trial(rows: Iterable[Sequence[Any]]) -> dict[str, list[SiteRow]]:
    """Group rows of `states_statement` by trial."""
    found: dict[str, list[SiteRow]] = defaultdict(list)
    for key, centre, status, confirmed in rows:
        found[key].append((centre, status, confirmed))
    return found
