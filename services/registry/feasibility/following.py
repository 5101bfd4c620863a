"""Reminds centres of questionnaires, and withdraws requests with their dossiers: once each, by one of the replicas."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from services.registry.feasibility.model import FINAL, WITHDRAWN, FeasibilityRequest
from services.registry.feasibility.reminders import next_reminder, reminder_on
from services.registry.feasibility.repository import FeasibilityRepository
from services.registry.feasibility.routing import change_of_reminder, changes_of_step
from services.registry.feasibility.session import dossier_of
from services.registry.feasibility.stepping import TABLE
from services.registry.schema import FEED
from services.registry.steps.model import Step
from services.registry.submissions.repository import SubmissionRepository
from shared.persistence import Database
from shared.values.clock import day_in_france

EVERY_SECONDS: Final = 60.0
# SQLite has one writer: a transaction is short.
TOGETHER: Final = 100
# In which the coordination may correct that it declined a dossier: a centre is asked about a dossier once.
CORRECTION: Final = timedelta(days=7)
_OPEN: Final = TABLE.states - FINAL - {"activated"}


async def follow_up(database: Database) -> None:
    """Do some of what is due; wait a minute if that was all."""
    now = datetime.now(UTC)
    if await remind_some(database, now) + await withdraw_some(database, now) < TOGETHER:
        await asyncio.sleep(EVERY_SECONDS)


async def remind_some(database: Database, now: datetime) -> int:
    """Send the reminders that are due at ``now``, for at most `TOGETHER` requests. Return their number."""
    today = day_in_france(now)
    async with database.read(as_service=True) as connection:
        if not await FeasibilityRepository(connection).has_due(today):
            return 0
    async with database.transaction(as_service=True) as connection:
        repository = FeasibilityRepository(connection)
        found = await repository.take_due(today, TOGETHER)
        for one in found:
            if one.deadline is None or (kind := reminder_on(one.deadline, today)) is None:
                continue
            await repository.set_reminder(one.reference, next_reminder(one.deadline, today))
            FEED.record(connection, change_of_reminder(one, kind))
    return len(found)


async def withdraw_some(database: Database, now: datetime) -> int:
    """Withdraw open requests about withdrawn and declined dossiers, at most `TOGETHER`. Return their number."""
    async with database.read(as_service=True) as connection:
        if not await FeasibilityRepository(connection).of_ended_dossiers(_OPEN, now - CORRECTION, 1):
            return 0
    async with database.transaction(as_service=True) as connection:
        repository = FeasibilityRepository(connection)
        found = await repository.of_ended_dossiers(_OPEN, now - CORRECTION, TOGETHER, lock=True)
        for one in found:
            await _withdraw(repository, one, now)
    return len(found)


async def _withdraw(repository: FeasibilityRepository, request: FeasibilityRequest, now: datetime) -> None:
    dossiers = SubmissionRepository(repository.connection)
    dossier = await dossier_of(dossiers, request.submission)
    ending = [one for one in await dossiers.steps.of(request.submission) if one.action in {"withdraw", "decide"}]
    by = "coordination" if dossier.state == "decided" else "sponsor"
    steps = await repository.steps.of(request.reference)
    days = [one.on for one in (*steps, *ending[-1:]) if one.on is not None]
    after = replace(request, version=request.version + 1, state=WITHDRAWN, deadline=None, reminder_due=None)
    await repository.replace(after)
    author = ending[-1].author if ending else dossier.organisation
    organisation = dossier.organisation if by == "sponsor" else by
    # Not before the last step of the centre, which may be dated later than the end of the dossier.
    on = max(days, default=day_in_france(now))
    step = Step("withdraw", WITHDRAWN, now, organisation, author, on, None, {"by": by})
    await repository.steps.add(after.reference, after.version, step)
    FEED.record(repository.connection, *changes_of_step(after, "withdraw", dossier))
