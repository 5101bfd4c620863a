"""One delivery on its way: what is sent, what came of it, and when it is tried again. Pure: the clock and chance are arguments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

DeliveryState = Literal["pending", "sending", "delivered", "dead"]

JITTER = 0.2
LONGEST_WAIT = timedelta(hours=24)
GONE = 410


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that one dispatcher holds: ``fence`` says which claim, ``body`` is the same bytes at every attempt."""

    delivery: str
    subscription: str
    number: int
    fence: int
    failures: int
    url: str
    sealed_secret: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one attempt: a status, or the code of an error. ``retry_after`` is the header as the receiver sent it."""

    at: datetime
    status: int | None
    error: str | None
    ms: int
    retry_after: str | None = None

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """A claim and its attempt; without one the claim was given back untried."""

    claim: Claim
    attempt: Attempt | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """Where a delivery stands after an attempt. ``gone``: the receiver wants no more."""

    state: DeliveryState
    failures: int
    due_at: datetime
    gone: bool = False


def settle(outcome: Outcome, now: datetime, schedule: Sequence[float], chance: float) -> Settlement:
    """Decide on an outcome. ``schedule`` holds the seconds before each attempt, the first included; ``chance`` in [0, 1) spreads them by ±20 %."""
    failures, attempt = outcome.claim.failures, outcome.attempt
    if attempt is None:
        return Settlement("pending", failures, now)
    if attempt.succeeded:
        return Settlement("delivered", failures, now)
    if attempt.status == GONE:
        # Not lost: held until the owner sets the subscription to active again.
        return Settlement("pending", failures, now, gone=True)
    failures += 1
    if failures >= len(schedule):
        return Settlement("dead", failures, now)
    wait = timedelta(seconds=schedule[failures] * (1 - JITTER + 2 * JITTER * chance))
    asked = read_retry_after(attempt.retry_after, now)
    return Settlement("pending", failures, now + max(wait, asked))


def read_retry_after(header: str | None, now: datetime) -> timedelta:
    """Seconds or a date (RFC 9110 §10.2.3), at most 24 hours; zero for what is absent, past or unreadable."""
    text = (header or "").strip()[:64]
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return timedelta()
    moment = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta()), LONGEST_WAIT)
