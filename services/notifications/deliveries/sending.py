"""What one dispatcher holds and sends: how much at once, to whom, and how far ahead it may claim."""

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

# A receiver that answers well within a second gets its deliveries claimed ahead, so that one write of the ledger serves many of them.
AHEAD = 16
QUICK_MS = 500


class Channel(Protocol):
    """A way out: one attempt at one claim."""

    async def deliver(self, claim: Claim) -> Attempt: ...


class Sending:
    """Claims waiting and attempts under way. At most ``places`` attempts at once, ``per_subscription`` of them to one receiver.

    A claim that has waited ``keep`` seconds is given back untried, before its lease can end. ``done`` takes every outcome.
    """

    def __init__(
        self, channel: Channel, places: int, per_subscription: int, keep: float, done: Callable[[Outcome], None]
    ) -> None:
        self._channel = channel
        self._places = places
        self._per_subscription = per_subscription
        self._keep = keep
        self._done = done
        self._waiting: dict[str, deque[tuple[float, Claim]]] = {}
        self._under_way: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failing: set[str] = set()
        self._quick: set[str] = set()

    @property
    def has_waiting(self) -> bool:
        """Whether claims wait for a place."""
        return bool(self._waiting)

    def room(self, subscription: str, held: int) -> int:
        """How many more of one receiver's deliveries may be claimed while ``held`` are."""
        ahead = AHEAD if subscription in self._quick else 1
        return max(0, ahead * self._share(subscription) - held)

    def room_for_all(self, held: int) -> int:
        return max(0, AHEAD * self._places - held)

    def accept(self, claims: Sequence[Claim]) -> None:
        """Send these, now or as soon as there is a place."""
        for claim in claims:
            self._waiting.setdefault(claim.subscription, deque()).append((monotonic(), claim))
        self._start()

    async def stop(self, patience: float) -> None:
        """Give back what waits, and after ``patience`` seconds what is still under way."""
        for subscription in list(self._waiting):
            self._give_back(subscription)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)
        under_way = list(self._tasks)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def _share(self, subscription: str) -> int:
        """A receiver that fails is tried one delivery at a time, so that a dead one takes no more than one place from the others."""
        return 1 if subscription in self._failing else self._per_subscription

    def _start(self) -> None:
        for subscription, waiting in list(self._waiting.items()):
            while (
                waiting
                and self._under_way[subscription] < self._share(subscription)
                and self._under_way.total() < self._places
            ):
                since, claim = waiting.popleft()
                if since < monotonic() - self._keep:
                    self._done(Outcome(claim, None))
                    continue
                self._under_way[subscription] += 1
                task = asyncio.create_task(self._attempt(claim))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            if not waiting:
                del self._waiting[subscription]

    def _give_back(self, subscription: str) -> None:
        for _, claim in self._waiting.pop(subscription, ()):
            self._done(Outcome(claim, None))

    async def _attempt(self, claim: Claim) -> None:
        with working("deliver", [cause_of(claim.delivery)]) as told:
            attempt = await self._try(claim)
            self._under_way[claim.subscription] -= 1
            if attempt is not None:
                told["cleio.attempt"] = claim.fence
                if attempt.status is not None:
                    told["http.response.status_code"] = attempt.status
                if not attempt.succeeded:
                    told["error.type"] = attempt.error or str(attempt.status)
                self._judge(claim, attempt)
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

    def _judge(self, claim: Claim, attempt: Attempt) -> None:
        receiver = claim.subscription
        (self._failing.discard if attempt.succeeded else self._failing.add)(receiver)
        (self._quick.add if attempt.succeeded and attempt.ms < QUICK_MS else self._quick.discard)(receiver)
        if not attempt.succeeded:
            self._give_back(receiver)
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
