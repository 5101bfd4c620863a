"""Frees places whose time is over, and reports who waits and is too late: one event each, by one of the replicas."""

import asyncio
from datetime import UTC, datetime
from typing import Final

from services.registry.enrolment.repository import EnrolmentRepository
from services.registry.enrolment.service import EnrolmentService
from shared.persistence import Database

EVERY_SECONDS: Final = 60.0
TOGETHER: Final = 100


async def expire_places(database: Database) -> None:
    """Settle some of what is due; wait a minute if that was all."""
    if await expire_some(database, datetime.now(UTC)) < TOGETHER:
        await asyncio.sleep(EVERY_SECONDS)


async def expire_some(database: Database, now: datetime) -> int:
    """Settle what is due at ``now``, at most `TOGETHER`, each in a transaction of its own. Return their number."""
    for number in range(TOGETHER):
        async with database.read(as_service=True) as connection:
            referral = await EnrolmentRepository(connection).due(now)
        if referral is None:
            return number
        async with database.transaction() as connection:
            await EnrolmentService(connection, now).settle(referral)
    return TOGETHER
