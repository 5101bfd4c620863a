"""The claims of one dispatcher: how many attempts run at once, to which receivers, and how far ahead it may claim."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Protocol

from services.notifications.deliveries.model import Attempt, Claim, Outcome
from shared.tracing import cause_of, working

logger = logging.getLogger(__name__)

# Deliveries of a receiver that answers quickly are claimed ahead, so that one write of the ledger covers many of them.
AHEAD = 16
QUICK_MS = 500


class Channel(Protocol):
    """A way of sending."""

    async def deliver(self, claim: Claim) -> Attempt:
        """Make one attempt."""


class Sending:
    """Waiting claims and attempts in progress: at most ``workers``, of which ``per_subscription`` to one receiver.

    A claim that has waited ``max_wait`` seconds is released without an attempt, before its lease can end. ``done``
    receives every outcome.
    """

    def __init__(
        self, channel: Channel, workers: int, per_subscription: int, max_wait: float, done: Callable[[Outcome], None]
    ) -> None:
        self._channel = channel
        self._workers = workers
        self._per_subscription = per_subscription
        self._max_wait = max_wait
        self._done = done
        self._waiting: dict[str, deque[tuple[float, Claim]]] = {}
        self._in_progress: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failing: set[str] = set()
        self._quick: set[str] = set()

    @property
    def has_waiting(self) -> bool:
        """Whether claims wait for a worker."""
        return bool(self._waiting)

    def room(self, subscription: str, claimed: int) -> int:
        """Return how many more deliveries of one receiver may be claimed, in addition to ``claimed``."""
        ahead = AHEAD if subscription in self._quick else 1
        return max(0, ahead * self._share(subscription) - claimed)

    def total_room(self, claimed: int) -> int:
        """Return how many more deliveries may be claimed, in addition to ``claimed``."""
        return max(0, AHEAD * self._workers - claimed)

    def accept(self, claims: Sequence[Claim]) -> None:
        """Send these now, or as soon as a worker is free."""
        for claim in claims:
            self._waiting.setdefault(claim.subscription, deque()).append((monotonic(), claim))
        self._start()

    async def stop(self, patience: float) -> None:
        """Release waiting claims, and after ``patience`` seconds those in progress."""
        for subscription in list(self._waiting):
            self._release(subscription)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)
        unfinished = list(self._tasks)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    def _share(self, subscription: str) -> int:
        """Return the workers of one receiver: a single one while it fails, so that others are not delayed by it."""
        return 1 if subscription in self._failing else self._per_subscription

    def _start(self) -> None:
        for subscription, waiting in list(self._waiting.items()):
            while (
                waiting
                and self._in_progress[subscription] < self._share(subscription)
                and self._in_progress.total() < self._workers
            ):
                since, claim = waiting.popleft()
                if since < monotonic() - self._max_wait:
                    self._done(Outcome(claim, None))
                    continue
                self._in_progress[subscription] += 1
                task = asyncio.create_task(self._attempt(claim))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            if not waiting:
                del self._waiting[subscription]

    def _release(self, subscription: str) -> None:
        for _, claim in self._waiting.pop(subscription, ()):
            self._done(Outcome(claim, None))

    async def _attempt(self, claim: Claim) -> None:
        with working("deliver", [cause_of(claim.delivery)]) as span:
            attempt = await self._try(claim)
            self._in_progress[claim.subscription] -= 1
            if attempt is not None:
                span["cleio.attempt"] = claim.fence
                if attempt.status is not None:
                    span["http.response.status_code"] = attempt.status
                if not attempt.succeeded:
                    span["error.type"] = attempt.error or str(attempt.status)
                self._learn(claim, attempt)
        self._done(Outcome(claim, attempt))
        self._start()

    async def _try(self, claim: Claim) -> Attempt | None:
        try:
            return await self._channel.deliver(claim)
        except asyncio.CancelledError:
            return None
        except Exception:
            logger.exception("delivery_broken", extra={"delivery": claim.delivery, "subscription": claim.subscription})
            return Attempt(datetime.now(UTC), None, "internal", 0)

    def _learn(self, claim: Claim, attempt: Attempt) -> None:
        """Remember whether the receiver works and is quick; release its waiting claims if it fails."""
        receiver = claim.subscription
        (self._failing.discard if attempt.succeeded else self._failing.add)(receiver)
        (self._quick.add if attempt.succeeded and attempt.ms < QUICK_MS else self._quick.discard)(receiver)
        if not attempt.succeeded:
            self._release(receiver)
        logger.info(
            "attempt",
            extra={
                "delivery": claim.delivery,
                "subscription": receiver,
                "attempt": claim.fence,
                "status": attempt.status,
                "code": attempt.error,
                "ms": attempt.ms,
            },
        )
