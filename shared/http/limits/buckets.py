"""Token buckets, each stored as one number: the instant at which it is full again. Full buckets are not stored."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from math import ceil

MOST = 20_000
PRUNED_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Quota:
    """At most ``requests`` at once; they are refilled evenly over each ``window`` (seconds)."""

    requests: int
    window: int = 60

    @property
    def interval(self) -> float:
        """Seconds until one more request is allowed."""
        return self.window / self.requests


@dataclass(frozen=True, slots=True)
class Level:
    """The state of a bucket after a request.

    ``left``: requests still allowed now; ``seconds``: until one more is; ``taken``: whether this one was allowed.
    """

    left: int
    seconds: int
    taken: bool


class Buckets:
    """At most ``most`` buckets; beyond, the least recently used one is dropped, and its owner starts anew."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: Hashable, quota: Quota, now: float) -> Level:
        """Count one request of ``key`` at ``now`` (seconds of a monotonic clock)."""
        full_at = max(self._full_at.get(key, now), now)
        wait = full_at + quota.interval - quota.window - now
        # Tolerate floating-point errors.
        if wait > 1e-9 * quota.window:
            self._full_at.move_to_end(key)
            return Level(0, max(1, ceil(wait)), taken=False)
        full_at += quota.interval
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        self._prune(now)
        left = int((quota.window - (full_at - now)) / quota.interval + 1e-6)
        return Level(left, max(1, ceil(quota.interval)), taken=True)

    def _prune(self, now: float) -> None:
        for _ in range(PRUNED_AT_ONCE):
            oldest = next(iter(self._full_at))
            if len(self._full_at) <= self._most and self._full_at[oldest] > now:
                return
            self._full_at.pop(oldest)
            if not self._full_at:
                return
