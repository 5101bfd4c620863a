"""Marks referrals that must be checked again, and deletes old ones. Any replica does it, some at a time."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

from services.registry.centres.repository import CentreRepository
from services.registry.referrals.model import AFTER_CONSENT, BEFORE_CONSENT, Mark
from services.registry.referrals.repository import ReferralRepository
from services.registry.referrals.service import ReferralService
from services.registry.settings import RegistrySettings
from services.registry.trials.repository import TrialRepository
from shared.persistence import Database, Writing

EVERY_SECONDS: Final = 5.0
# SQLite has one writer: a transaction is short.
TOGETHER: Final = 100
# Who is dosed or followed needs no other check of eligibility.
TO_CHECK: Final = (BEFORE_CONSENT | AFTER_CONSENT) - {"dosed", "follow_up", "treatment_withdrawn"}
# A hold changes nothing for a patient who is already collected or conditioned.
TO_HOLD: Final = TO_CHECK - {"collection", "manufacturing", "released", "conditioning"}


async def keep_referrals(database: Database, settings: RegistrySettings) -> None:
    """Do what is due, then wait some seconds."""
    now = datetime.now(UTC)
    await mark_some(database, now, settings.referral_answer_days)
    await delete_old(database, now - timedelta(days=366 * settings.keep_referrals_years), settings.referral_answer_days)
    await asyncio.sleep(EVERY_SECONDS)


async def mark_check_again(
    connection: Writing, trial_key: str, why: str, now: datetime, hold: str | None = None
) -> None:
    """Have the open referrals of a trial marked within seconds: its criteria changed, or a hold is in force or lifted.

    ``why``: a code of the list `check_again`; ``hold``: only referrals in the scope of this hold. The caller need not
    see the referrals.
    """
    await ReferralRepository(connection).add_mark(Mark(why, trial=trial_key, cause=hold), now)


async def mark_some(database: Database, now: datetime, answer_days: int = 14) -> int:
    """Do all marks that wait. Return the number of referrals that were marked."""
    count = 0
    while True:
        async with database.read(as_service=True) as connection:
            if not await ReferralRepository(connection).has_marks():
                return count
        async with database.transaction() as connection:
            service = _service(connection, now, answer_days)
            mark = await service.repository.take_mark()
            if mark is None:  # another replica has it
                return count
            count += await _mark(service, mark)


async def _mark(service: ReferralService, mark: Mark) -> int:
    trial = None if mark.trial is None else await service.trials.present(mark.trial)
    keys = [] if trial is None else [trial.key, *trial.merged]
    found = await service.repository.marked_by(mark, keys, TO_CHECK if mark.hold is None else TO_HOLD)
    if trial is not None and mark.hold is not None:
        found = await service.held(found, trial, mark.hold)
    if mark.patient is not None:
        for one in found:
            await service.release(one)
    return sum([await service.mark_one(one, mark.why) for one in found])


async def delete_old(database: Database, end: datetime, answer_days: int = 14) -> int:
    """Delete referrals that were closed before an instant, at most `TOGETHER`. Return their number."""
    async with database.read(as_service=True) as connection:
        if not await ReferralRepository(connection).closed_before(end, 1):
            return 0
    async with database.transaction() as connection:
        service = _service(connection, datetime.now(UTC), answer_days)
        found = await service.repository.closed_before(end, TOGETHER)
        for referral in found:
            await service.erase(referral)
    return len(found)


def _service(connection: Writing, now: datetime, answer_days: int) -> ReferralService:
    return ReferralService(
        ReferralRepository(connection), TrialRepository(connection), CentreRepository(connection), now, answer_days
    )
