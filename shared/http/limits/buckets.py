"""Token buckets, each stored as one number: the instant at which it is full again. Full buckets are not stored."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from math import ceil

MOST = 20_000
PRUNED_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Quota:
    """At most ``requests`` units at once; they are refilled evenly over each ``window`` (seconds)."""

    requests: int
    window: int = 60

    @property
    def interval(self) -> float:
        """Seconds until one more unit may be spent."""
        return self.window / self.requests


@dataclass(frozen=True, slots=True)
class Level:
    """The state of a bucket after a request.

    ``left``: units that may be spent now; ``taken``: whether this request was allowed. ``seconds``: until one more
    unit may be spent or, after a refusal, until the refused request would be allowed.
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

    def take(self, key: Hashable, quota: Quota, now: float, cost: int = 1) -> Level:
        """Count one request of ``key`` at ``now`` (seconds of a monotonic clock), or refuse it.

        :param cost: in units. A request that costs more than the whole quota needs a full bucket.
        """
        cost = min(cost, quota.requests)
        full_at = max(self._full_at.get(key, now), now)
        wait = full_at + cost * quota.interval - quota.window - now
        # Tolerate floating-point errors.
        if wait > 1e-9 * quota.window:
            self._full_at.move_to_end(key)
            return Level(_left(full_at, quota, now), max(1, ceil(wait)), taken=False)
        return self._spend(key, quota, now, full_at + cost * quota.interval)

    def charge(self, key: Hashable, quota: Quota, now: float, cost: int) -> Level:
        """Count further units of a request that was taken. If they are more than are left, the next requests wait.

        The debt is at most one whole quota.
        """
        full_at = max(self._full_at.get(key, now), now) + cost * quota.interval
        return self._spend(key, quota, now, min(full_at, now + 2 * quota.window))

    def _spend(self, key: Hashable, quota: Quota, now: float, full_at: float) -> Level:
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        self._prune(now)
        seconds = max(quota.interval, full_at + quota.interval - quota.window - now)
        return Level(_left(full_at, quota, now), max(1, ceil(seconds - 1e-9 * quota.window)), taken=True)

    def _prune(self, now: float) -> None:
        for _ in range(PRUNED_AT_ONCE):
            oldest = next(iter(self._full_at))
            if len(self._full_at) <= self._most and self._full_at[oldest] > now:
                return
            self._full_at.pop(oldest)
            if not self._full_at:
                return


def _left(full_at: float, quota: Quota, now: float) -> int:
    return max(0, int((quota.window - (full_at - now)) / quota.interval + 1e-6))
