"""The loops that send what is due.

The ledger is the only queue: a claim is written before the attempt and an outcome after it, so a process may die at any moment and every delivery is
still made, perhaps twice.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from services.notifications.deliveries.model import Attempt, Claim, Outcome, settle
from services.notifications.deliveries.repository import DeliveryRepository
from shared.database import Database
from shared.feed.consumer import run_for_ever

logger = logging.getLogger(__name__)

READY_SEEN = 500


class Channel(Protocol):
    """A way out: one attempt at one claim."""

    async def deliver(self, claim: Claim) -> Attempt: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """Limits and times of a dispatcher, in seconds. ``schedule`` holds the wait before each attempt."""

    schedule: Sequence[float]
    lease: float
    sweep: float
    everywhere: int
    per_subscription: int


class Dispatcher:
    """Claims, sends and records, until stopped. Any number of them may share a PostgreSQL ledger; on SQLite there is one."""

    def __init__(self, database: Database, channel: Channel, pace: Pace, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._channel = channel
        self._pace = pace
        self._clock = clock
        self._due = asyncio.Event()
        self._done = asyncio.Event()
        self._outcomes: list[Outcome] = []
        self._under_way: Counter[str] = Counter()
        self._failing: set[str] = set()
        self._attempts: set[asyncio.Task[None]] = set()
        self._loops: list[asyncio.Task[None]] = []
        self._claiming = asyncio.Lock()

    def wake(self) -> None:
        """Something may be due now."""
        self._due.set()

    async def start(self) -> None:
        """Take back what a former process held, then run. On SQLite no other process can be alive; on PostgreSQL its leases must end first."""
        while self._database.is_sqlite and await self._reclaim(everything=True):
            pass
        self.wake()
        steps = {"dispatch": self._dispatch, "record": self._record, "sweep": self._sweep}
        self._loops = [asyncio.create_task(run_for_ever(step, name)) for name, step in steps.items()]

    async def stop(self, patience: float) -> None:
        """Start nothing new, grant attempts under way ``patience`` seconds, and give back what is left."""
        async with self._claiming:
            for loop in self._loops:
                loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if self._attempts:
            await asyncio.wait(self._attempts, timeout=patience)
        under_way = list(self._attempts)
        for attempt in under_way:
            attempt.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        # What cannot be written now is taken back at the next start, or when its lease ends.
        with suppress(Exception):
            await self._write_outcomes()

    async def _dispatch(self) -> None:
        await self._due.wait()
        self._due.clear()
        while (room := self._pace.everywhere - self._under_way.total()) > 0:
            async with self._claiming:
                claims = await self._claim(room)
                for claim in claims:
                    self._under_way[claim.subscription] += 1
                    attempt = asyncio.create_task(self._attempt(claim))
                    self._attempts.add(attempt)
                    attempt.add_done_callback(self._attempts.discard)
            if not claims:
                return

    async def _claim(self, room: int) -> list[Claim]:
        now = self._clock()
        busy = [one for one, count in self._under_way.items() if count >= self._share(one)]
        async with self._database.read() as connection:
            ready = await DeliveryRepository(connection).ready(now, busy, READY_SEEN)
        if not ready:
            return []
        # In a random order, so that nobody is always the last.
        random.shuffle(ready)
        lease = timedelta(seconds=self._pace.lease)
        claims: list[Claim] = []
        async with self._database.transaction() as connection:
            for one in ready:
                limit = min(room - len(claims), self._share(one.subscription) - self._under_way[one.subscription])
                if limit > 0:
                    claims += await DeliveryRepository(connection).claim(one, now, lease, limit)
        return claims

    def _share(self, subscription: str) -> int:
        """A receiver that fails is tried one delivery at a time, so that a dead one takes no more than one place from the others."""
        return 1 if subscription in self._failing else self._pace.per_subscription

    async def _attempt(self, claim: Claim) -> None:
        try:
            attempt: Attempt | None = await self._channel.deliver(claim)
        except asyncio.CancelledError:
            attempt = None
        except Exception:
            logger.exception("delivery_broken", extra={"delivery": claim.delivery, "subscription": claim.subscription})
            attempt = Attempt(self._clock(), None, "internal", 0)
        if attempt is not None:
            (self._failing.discard if attempt.succeeded else self._failing.add)(claim.subscription)
            logger.info(
                "attempt",
                extra={
                    "delivery": claim.delivery,
                    "subscription": claim.subscription,
                    "attempt": claim.fence,
                    "status": attempt.status,
                    "code": attempt.error,
                    "ms": attempt.ms,
                },
            )
        self._outcomes.append(Outcome(claim, attempt))
        self._done.set()

    async def _record(self) -> None:
        await self._done.wait()
        self._done.clear()
        await self._write_outcomes()
        self.wake()

    async def _write_outcomes(self) -> None:
        outcomes, self._outcomes = self._outcomes, []
        if not outcomes:
            return
        now = self._clock()
        settled = [(one, settle(one, now, self._pace.schedule, random.random())) for one in outcomes]  # noqa: S311  jitter
        try:
            async with self._database.transaction() as connection:
                await DeliveryRepository(connection).record(settled, now)
        except BaseException:
            self._outcomes = outcomes + self._outcomes
            self._done.set()
            raise
        self._under_way -= Counter(one.claim.subscription for one in outcomes)

    async def _sweep(self) -> None:
        await asyncio.sleep(self._pace.sweep)
        async with self._database.read() as connection:
            overdue = await DeliveryRepository(connection).overdue(self._clock())
        if overdue:
            await self._reclaim(everything=False)
        self.wake()

    async def _reclaim(self, *, everything: bool) -> int:
        async with self._database.transaction() as connection:
            count = await DeliveryRepository(connection).reclaim(self._clock(), everything=everything)
        if count:
            logger.warning("deliveries_reclaimed", extra={"count": count})
        return count
