"""Reports sites that were not confirmed in time: one event for each site and staleness, by one of the replicas."""

import asyncio
from datetime import UTC, datetime
from typing import Final

from services.registry.schema import FEED
from services.registry.trials.routing import change_to_stale
from services.registry.trials.sites.repository import SiteRepository
from shared.persistence import Database

EVERY_SECONDS: Final = 60.0
# SQLite has one writer: a transaction is short.
TOGETHER: Final = 100


async def report_stale(database: Database) -> None:
    """Report some of what has become stale; wait a minute if that was all."""
    if await report_some(database, datetime.now(UTC)) < TOGETHER:
        await asyncio.sleep(EVERY_SECONDS)


async def report_some(database: Database, now: datetime) -> int:
    """Send the events of sites that are stale at ``now``, at most `TOGETHER`. Return their number."""
    async with database.read(as_service=True) as connection:
        if not await SiteRepository(connection).has_stale(now):
            return 0
    async with database.transaction() as connection:
        found = await SiteRepository(connection).take_stale(now, TOGETHER)
        for one in found:
            FEED.record(connection, change_to_stale(one.trial, one.identifier, one.site, one.routing))
    return len(found)
