"""Limits concurrent requests per process. Excess requests get 503 at once: refusing costs little, queues delay all."""

from collections import Counter
from typing import Literal

from shared.values.problems import OverloadedError

# `arriving`: the body is being read; `working`: the handler runs; `waiting`: a long poll or a stream, mostly idle.
Stage = Literal["arriving", "working", "waiting"]


class ConcurrencyLimiter:
    """Counts requests by stage."""

    def __init__(self, max_working: int, max_waiting: int) -> None:
        self._max: dict[Stage, int] = {"arriving": max_working, "working": max_working, "waiting": max_waiting}
        self._count: Counter[Stage] = Counter()

    def permit(self) -> "Permit":
        return Permit(self)

    def enter(self, stage: Stage) -> None:
        """:raises OverloadedError: 503."""
        if self._count[stage] >= self._max[stage]:
            raise OverloadedError
        self._count[stage] += 1

    def is_full(self, stage: Stage) -> bool:
        """Return whether a request that enters this stage now is refused."""
        return self._count[stage] >= self._max[stage]

    def leave(self, stage: Stage) -> None:
        self._count[stage] -= 1


class Permit:
    """The permit of one request: for one stage at a time."""

    def __init__(self, limiter: ConcurrencyLimiter) -> None:
        self._limiter = limiter
        self._stage: Stage | None = None

    def take(self, stage: Stage) -> None:
        """Leave the present stage and enter another.

        :raises OverloadedError: 503, the stage is full.
        """
        self.leave()
        self._limiter.enter(stage)
        self._stage = stage

    def leave(self) -> None:
        if self._stage is not None:
            self._limiter.leave(self._stage)
            self._stage = None
