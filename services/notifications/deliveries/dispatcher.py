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

from services.notifications.deliveries.model import Claim, Outcome, settle
from services.notifications.deliveries.repository import DeliveryRepository
from services.notifications.deliveries.sending import Channel, Sending
from shared.persistence import Database
from shared.tasks import BackgroundTasks, RepeatedTask

logger = logging.getLogger(__name__)

READY_SEEN = 500
TOGETHER_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Pace:
    """Limits and times of a dispatcher, in seconds. ``schedule``: the wait before each attempt; a claim's lease: ``attempt`` and ``margin``."""

    schedule: Sequence[float]
    attempt: float
    margin: float
    sweep: float
    places: int
    per_subscription: int


class Dispatcher:
    """Claims, sends and records, until stopped. Any number of them may share a PostgreSQL ledger; on SQLite there is one."""

    def __init__(
        self,
        database: Database,
        channel: Channel,
        pace: Pace,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._pace = pace
        self._clock = clock
        self._sending = Sending(channel, pace.places, pace.per_subscription, pace.margin / 2, self._take)
        self._due = asyncio.Event()
        self._outcomes: list[Outcome] = []
        self._held: Counter[str] = Counter()
        self._loops: list[RepeatedTask] = []
        self._claiming = asyncio.Lock()

    def wake(self) -> None:
        """Something may be due now."""
        self._due.set()

    async def start(self, tasks: BackgroundTasks) -> None:
        """Take back what a former process held, then run. On SQLite no other process can be alive; on PostgreSQL its leases must end first."""
        while self._database.is_sqlite and await self._reclaim(everything=True):
            pass
        self.wake()
        self._loops = [tasks.repeat(self._turn, "dispatch"), tasks.repeat(self._sweep, "sweep")]

    async def stop(self, patience: float) -> None:
        """Claim nothing more, grant attempts under way ``patience`` seconds, and give back what is left."""
        async with self._claiming:
            for loop in self._loops:
                await loop.stop()
        await self._sending.stop(patience)
        # What cannot be written now is taken back at the next start, or when its lease ends.
        with suppress(Exception):
            await self._record_and_claim(more=False)

    def _take(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        self.wake()

    async def _turn(self) -> None:
        """Write what came of attempts and claim what is due in their place, in one transaction."""
        await self._due.wait()
        if self._sending.has_waiting:
            # There is enough to send meanwhile: one write takes more outcomes.
            await asyncio.sleep(TOGETHER_SECONDS)
        self._due.clear()
        if self._outcomes or await self._anything_due():
            async with self._claiming:
                self._sending.accept(await self._record_and_claim())

    async def _anything_due(self) -> bool:
        """A look that writes nothing, as most are in vain."""
        if not self._sending.room_for_all(self._held.total()):
            return False
        async with self._database.read() as connection:
            return bool(await DeliveryRepository(connection).ready(self._clock(), self._full(self._held), 1))

    async def _record_and_claim(self, *, more: bool = True) -> list[Claim]:
        outcomes, self._outcomes = self._outcomes, []
        now = self._clock()
        settled = [(one, settle(one, now, self._pace.schedule, random.random())) for one in outcomes]
        held = self._held - Counter(one.claim.subscription for one in outcomes)
        try:
            async with self._database.transaction() as connection:
                repository = DeliveryRepository(connection)
                if settled:
                    await repository.record(settled, now)
                claims = await self._claim(repository, held, now) if more else []
        except BaseException:
            self._outcomes = outcomes + self._outcomes
            self.wake()
            raise
        self._held = held + Counter(claim.subscription for claim in claims)
        return claims

    async def _claim(self, repository: DeliveryRepository, held: Counter[str], now: datetime) -> list[Claim]:
        room = self._sending.room_for_all(held.total())
        ready = await repository.ready(now, self._full(held), READY_SEEN) if room else []
        if len(ready) == READY_SEEN:
            self.wake()
        # In a random order, so that nobody is always the last.
        random.shuffle(ready)
        lease = timedelta(seconds=self._pace.attempt + self._pace.margin)
        claims: list[Claim] = []
        for one in ready:
            limit = min(room - len(claims), self._sending.room(one.subscription, held[one.subscription]))
            if limit > 0:
                claims += await repository.claim(one, now, lease, limit)
        return claims

    def _full(self, held: Counter[str]) -> list[str]:
        return [one for one, count in held.items() if not self._sending.room(one, count)]

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
