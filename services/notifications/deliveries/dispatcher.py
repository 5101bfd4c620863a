"""The loops that send due deliveries.

The ledger is the only queue. A claim is written before an attempt and its outcome after it, so a process may die at any
moment and every delivery is still made, at least once.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.notifications.deliveries.model import Claim, Outcome, settle
from services.notifications.deliveries.repository import Busy, DeliveryRepository
from services.notifications.deliveries.sending import Channel, Sending, SendingLimits
from shared.persistence import Database
from shared.tasks import BackgroundTasks, RepeatedTask
from shared.values.clock import Clock, utc_now

logger = logging.getLogger(__name__)

# Subscriptions looked at for one batch of claims.
READY_LIMIT = 500
# How long outcomes are collected for one write, while there is enough to send.
COLLECT_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class DispatchPolicy:
    """Limits of a dispatcher; times in seconds.

    ``schedule``: the wait before each attempt. A lease lasts ``attempt`` + ``margin``. ``workers``: attempts at once,
    of which ``per_subscription`` to one receiver; ``contended_attempt``: see `SendingLimits`.
    """

    schedule: Sequence[float]
    attempt: float
    margin: float
    sweep: float
    workers: int
    per_subscription: int
    contended_attempt: float


@dataclass(slots=True)
class Claimed:
    """Numbers of claims without a recorded outcome, by subscription and by owner."""

    subscriptions: Counter[str] = field(default_factory=Counter)
    owners: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.subscriptions.total()

    def copy(self) -> "Claimed":
        return Claimed(self.subscriptions.copy(), self.owners.copy())

    def add(self, claims: Iterable[Claim], count: int = 1) -> None:
        """Count these claims; with ``count`` -1, count them no longer."""
        for claim in claims:
            for counter, key in ((self.subscriptions, claim.subscription), (self.owners, claim.owner)):
                counter[key] += count
                if counter[key] <= 0:
                    del counter[key]


class Dispatcher:
    """Claims, sends and records, until stopped. Several may share a ledger on PostgreSQL; on SQLite there is one."""

    def __init__(self, database: Database, channel: Channel, policy: DispatchPolicy, clock: Clock = utc_now) -> None:
        self._database = database
        self._policy = policy
        self._clock = clock
        limits = SendingLimits(policy.workers, policy.per_subscription, policy.margin / 2, policy.contended_attempt)
        self._sending = Sending(channel, limits, self._collect)
        self._wake = asyncio.Event()
        self._outcomes: list[Outcome] = []
        self._claimed = Claimed()
        self._loops: list[RepeatedTask] = []
        self._claiming = asyncio.Lock()

    def wake(self) -> None:
        """Look for due deliveries now."""
        self._wake.set()

    async def start(self, tasks: BackgroundTasks) -> None:
        """Release the claims of an earlier process, then run.

        On SQLite no other process can be running; on PostgreSQL the leases must end first.
        """
        while self._database.is_sqlite and await self._reclaim(everything=True):
            pass
        self.wake()
        self._loops = [tasks.repeat(self._step, "dispatch"), tasks.repeat(self._sweep, "sweep")]

    async def stop(self, patience: float) -> None:
        """Stop claiming, let attempts in progress finish for ``patience`` seconds, and release the other claims."""
        async with self._claiming:
            for loop in self._loops:
                await loop.stop()
        await self._sending.stop(patience)
        # Outcomes that cannot be written are lost: their claims are released at the next start, or when the lease ends.
        with suppress(Exception):
            await self._record_and_claim(more=False)

    def _collect(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        self.wake()

    async def _step(self) -> None:
        """Record outcomes and claim due deliveries in their place, in one transaction."""
        await self._wake.wait()
        if self._sending.has_waiting:
            await asyncio.sleep(COLLECT_SECONDS)
        self._wake.clear()
        if self._outcomes or await self._anything_due():
            async with self._claiming:
                self._sending.accept(await self._record_and_claim())

    async def _anything_due(self) -> bool:
        """Check without a write transaction, because most of the time nothing is due."""
        if not self._sending.total_room(self._claimed.total):
            return False
        async with self._database.read() as connection:
            return await DeliveryRepository(connection).any_ready(self._clock(), self._busy(self._claimed))

    async def _record_and_claim(self, *, more: bool = True) -> list[Claim]:
        outcomes, self._outcomes = self._outcomes, []
        now = self._clock()
        settled = [
            (one, settle(one, now, self._policy.schedule, random.random()))  # noqa: S311  # jitter
            for one in outcomes
        ]
        claimed = self._claimed.copy()
        claimed.add((one.claim for one in outcomes), -1)
        try:
            async with self._database.transaction() as connection:
                repository = DeliveryRepository(connection)
                if settled:
                    await repository.record(settled, now)
                claims = await self._claim(repository, claimed, now) if more else []
        except BaseException:
            self._outcomes = outcomes + self._outcomes
            self.wake()
            raise
        self._claimed = claimed
        return claims

    async def _claim(self, repository: DeliveryRepository, claimed: Claimed, now: datetime) -> list[Claim]:
        """Claim due deliveries and count them in ``claimed``."""
        room = self._sending.total_room(claimed.total)
        ready = await repository.ready(now, self._busy(claimed), READY_LIMIT) if room else []
        if len(ready) == READY_LIMIT:
            self.wake()
        lease = timedelta(seconds=self._policy.attempt + self._policy.margin)
        claims: list[Claim] = []
        for one in ready:
            limit = min(
                self._sending.room(one.subscription, claimed.subscriptions[one.subscription]),
                self._sending.owner_room(claimed.owners[one.owner], claimed.total),
            )
            if limit > 0:
                new = await repository.claim(one, now, lease, limit)
                claims += new
                claimed.add(new)
        return claims

    def _busy(self, claimed: Claimed) -> Busy:
        """Return the subscriptions and owners that may claim no more for now."""
        return Busy(
            [one for one, count in claimed.subscriptions.items() if not self._sending.room(one, count)],
            [one for one, count in claimed.owners.items() if not self._sending.owner_room(count, claimed.total)],
        )

    async def _sweep(self) -> None:
        """Release claims whose lease has ended, and wake the dispatcher for deliveries that have become due."""
        await asyncio.sleep(self._policy.sweep)
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
