"""The claims of one dispatcher: how many attempts run at once, to which receivers, and how far ahead it may claim."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Protocol

from services.notifications.deliveries.model import Attempt, Claim, Outcome
from shared.tracing import cause_of, working

logger = logging.getLogger(__name__)

# Deliveries of a receiver that answers quickly are claimed ahead, so that one write of the ledger covers many of them.
AHEAD = 16
QUICK_MS = 500
# An owner may use this many times as many workers as are free.
SHARE = 8


class Channel(Protocol):
    """A way of sending."""

    async def deliver(self, claim: Claim) -> Attempt:
        """Make one attempt."""


@dataclass(frozen=True, slots=True)
class SendingLimits:
    """``workers``: attempts at once, of which ``per_subscription`` to one receiver. Times in seconds.

    ``max_wait``: a claim that has waited longer is released without an attempt, before its lease can end.
    ``contended_attempt``: an attempt that lasts longer is cut off if another owner waits for its worker.
    """

    workers: int
    per_subscription: int
    max_wait: float
    contended_attempt: float


@dataclass(slots=True)
class _Running:
    owner: str
    started: float
    limit: asyncio.Timeout


class Sending:
    """Waiting claims and attempts in progress; ``done`` receives every outcome.

    Owners (organisations) share the workers fairly: a free worker goes to the waiting owner with the fewest attempts in
    progress. An owner may use at most `SHARE` times as many workers as are then free, so that another owner finds a
    free one: with 50 workers, a single owner uses 45.
    """

    def __init__(self, channel: Channel, limits: SendingLimits, done: Callable[[Outcome], None]) -> None:
        self._channel = channel
        self._limits = limits
        self._done = done
        self._waiting: dict[str, deque[tuple[float, Claim]]] = {}
        self._in_progress: Counter[str] = Counter()
        self._by_owner: Counter[str] = Counter()
        self._running: dict[str, _Running] = {}
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

    def owner_room(self, claimed: int, total: int) -> int:
        """Return how many more deliveries of one owner may be claimed, while it has ``claimed`` of ``total`` claims."""
        free = self.total_room(total)
        # The n-th further claim is allowed if claimed + n - 1 < SHARE * (free - n + 1).
        return max(0, min(free, -(-(SHARE * free - claimed) // (SHARE + 1))))

    def total_room(self, claimed: int) -> int:
        """Return how many more deliveries may be claimed, in addition to ``claimed``."""
        return max(0, AHEAD * self._limits.workers - claimed)

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
        return 1 if subscription in self._failing else self._limits.per_subscription

    def _start(self) -> None:
        while (claim := self._next()) is not None:
            self._in_progress[claim.subscription] += 1
            self._by_owner[claim.owner] += 1
            task = asyncio.create_task(self._attempt(claim))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._cut_off()

    def _next(self) -> Claim | None:
        """Take the claim whose owner, then receiver, has the fewest attempts in progress; None if none may start."""
        while (free := self._limits.workers - self._in_progress.total()) > 0:
            startable = [
                (self._by_owner[waiting[0][1].owner], self._in_progress[subscription], number, subscription)
                for number, (subscription, waiting) in enumerate(self._waiting.items())
                if self._in_progress[subscription] < self._share(subscription)
                and self._by_owner[waiting[0][1].owner] < SHARE * free
            ]
            if not startable:
                return None
            subscription = min(startable)[-1]
            since, claim = self._waiting[subscription].popleft()
            if not self._waiting[subscription]:
                del self._waiting[subscription]
            if since >= monotonic() - self._limits.max_wait:
                return claim
            self._done(Outcome(claim, None))
        return None

    def _cut_off(self) -> None:
        """Limit the attempts of owners that have more of them than an owner that waits for a worker."""
        waiting = {
            claims[0][1].owner
            for subscription, claims in self._waiting.items()
            if self._in_progress[subscription] < self._share(subscription)
        }
        fewest = min((self._by_owner[owner] for owner in waiting), default=None)
        if fewest is None:
            return
        for running in self._running.values():
            if self._by_owner[running.owner] > fewest + 1 and running.limit.when() is None:
                running.limit.reschedule(running.started + self._limits.contended_attempt)

    def _release(self, subscription: str) -> None:
        for _, claim in self._waiting.pop(subscription, ()):
            self._done(Outcome(claim, None))

    async def _attempt(self, claim: Claim) -> None:
        with working("deliver", [cause_of(claim.delivery)]) as span:
            attempt = await self._try(claim)
            self._in_progress[claim.subscription] -= 1
            self._by_owner[claim.owner] -= 1
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
        started, at = asyncio.get_running_loop().time(), datetime.now(UTC)
        try:
            async with asyncio.timeout(None) as limit:
                self._running[claim.delivery] = _Running(claim.owner, started, limit)
                return await self._channel.deliver(claim)
        except asyncio.CancelledError:
            return None
        except TimeoutError:
            return Attempt(at, None, "timed_out", round((asyncio.get_running_loop().time() - started) * 1000))
        except Exception:
            logger.exception("delivery_broken", extra={"delivery": claim.delivery, "subscription": claim.subscription})
            return Attempt(at, None, "internal", 0)
        finally:
            self._running.pop(claim.delivery, None)

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
