"""Warns of capabilities that expire: one event for each alarm, by one of the replicas."""

import asyncio
from datetime import UTC, datetime
from typing import Final

from services.registry.capabilities.events import alarm_of
from services.registry.capabilities.model import alarm_reached, next_alarm
from services.registry.capabilities.repository import CapabilityRepository
from services.registry.schema import FEED
from shared.persistence import Database
from shared.values.clock import day_in_france

EVERY_SECONDS: Final = 60.0
# SQLite has one writer: a transaction is short.
TOGETHER: Final = 100


async def report_expiring(database: Database) -> None:
    """Send some of the alarms that are due; wait a minute if that was all."""
    if await report_some(database, datetime.now(UTC)) < TOGETHER:
        await asyncio.sleep(EVERY_SECONDS)


async def report_some(database: Database, now: datetime) -> int:
    """Send the alarms that are due at ``now``, at most `TOGETHER`. Return their number."""
    today = day_in_france(now)
    async with database.read(as_service=True) as connection:
        if not await CapabilityRepository(connection).has_due(today):
            return 0
    async with database.transaction() as connection:
        repository = CapabilityRepository(connection)
        found = await repository.take_due(today, TOGETHER)
        for one in found:
            assert one.valid_until is not None
            days = alarm_reached(one.valid_until, today)
            await repository.set_alarm(one, next_alarm(one.valid_until, today, after=days))
            FEED.record(connection, alarm_of(one, days))
    return len(found)
