"""What a process takes in hand at once. Beyond, it says so at once: a refused request costs little, a queue costs everybody."""

from collections import Counter
from typing import Literal

from shared.values.problems import OverloadedError

# `arriving`: its body is on the way; `working`: its handler runs; `waiting`: a long poll or a stream, which mostly does nothing.
Stage = Literal["arriving", "working", "waiting"]


class ConcurrencyLimiter:
    """Requests by what they are at. One that changes stage gives up its former place."""

    def __init__(self, most_working: int, most_waiting: int) -> None:
        self._most: dict[Stage, int] = {"arriving": most_working, "working": most_working, "waiting": most_waiting}
        self._count: Counter[Stage] = Counter()

    def place(self) -> "Permit":
        return Permit(self)

    def enter(self, stage: Stage) -> None:
        """:raises OverloadedError: 503."""
        if self._count[stage] >= self._most[stage]:
            raise OverloadedError
        self._count[stage] += 1

    def leave(self, stage: Stage) -> None:
        self._count[stage] -= 1


class Permit:
    """One request's place."""

    def __init__(self, load: ConcurrencyLimiter) -> None:
        self._load = load
        self._stage: Stage | None = None

    def take(self, stage: Stage) -> None:
        """:raises OverloadedError: 503, no more of this stage can be taken in hand."""
        self.leave()
        self._load.enter(stage)
        self._stage = stage

    def leave(self) -> None:
        if self._stage is not None:
            self._load.leave(self._stage)
            self._stage = None
