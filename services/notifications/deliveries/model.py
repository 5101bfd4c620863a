"""The state machine of a delivery. No input or output; time and randomness are arguments."""

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
    """A delivery that one dispatcher has claimed.

    ``fence`` is the fencing token of the claim; ``body`` has the same bytes at every attempt. ``former_secret``: signs
    too, before ``former_until``; None: only the present one does.
    """

    delivery: str
    subscription: str
    owner: str
    number: int
    fence: int
    failures: int
    url: str
    sealed_secret: bytes
    body: bytes
    former_secret: bytes | None = None
    former_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of one attempt: a status, or an error code. ``retry_after``: the header as received."""

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
    """A claim with its attempt; None if the claim is released without an attempt."""

    claim: Claim
    attempt: Attempt | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """The state of a delivery after an attempt. ``gone``: the receiver answered 410."""

    state: DeliveryState
    failures: int
    due_at: datetime
    gone: bool = False


def settle(outcome: Outcome, now: datetime, schedule: Sequence[float], chance: float) -> Settlement:
    """Return the next state of a delivery.

    ``schedule``: seconds before each attempt, including the first. ``chance`` in [0, 1) varies them by ±20 %.
    """
    failures, attempt = outcome.claim.failures, outcome.attempt
    if attempt is None:
        return Settlement("pending", failures, now)
    if attempt.succeeded:
        return Settlement("delivered", failures, now)
    if attempt.status == GONE:
        # Kept pending until the owner sets the subscription to active again.
        return Settlement("pending", failures, now, gone=True)
    failures += 1
    if failures >= len(schedule):
        return Settlement("dead", failures, now)
    wait = timedelta(seconds=schedule[failures] * (1 - JITTER + 2 * JITTER * chance))
    asked = read_retry_after(attempt.retry_after, now)
    return Settlement("pending", failures, now + max(wait, asked))


def read_retry_after(header: str | None, now: datetime) -> timedelta:
    """Read seconds or a date (RFC 9110 §10.2.3), at most 24 hours; zero if absent, past or unreadable."""
    text = (header or "").strip()[:64]
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return timedelta()
    moment = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta()), LONGEST_WAIT)
