"""A value for every day, told as the days on which it changes."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Timeline(Generic[T]):
    """A piecewise-constant function of the day: ``values[i]`` holds from ``days[i]`` until ``days[i + 1]``. Neighbours differ."""

    days: tuple[date, ...]
    values: tuple[T, ...]

    @staticmethod
    def of(points: Iterable[tuple[date, U]]) -> "Timeline[U]":
        """Joins neighbours with the same value; the days of the points ascend."""
        days: list[date] = []
        values: list[U] = []
        for day, value in points:
            if not values or values[-1] != value:
                days.append(day)
                values.append(value)
        return Timeline(tuple(days), tuple(values))

    @staticmethod
    def sample(start: date, end: date, flips: Iterable[date], value_on: Callable[[date], U]) -> "Timeline[U]":
        """Evaluates on ``start`` and on the days up to ``end`` on which the value may flip; days too many do no harm."""
        later = sorted({day for day in flips if start < day <= end})
        return Timeline.of([(start, value_on(start)), *((day, value_on(day)) for day in later)])

    @staticmethod
    def combine(parts: "Sequence[Timeline[T]]", join: Callable[[Sequence[T]], U]) -> "Timeline[U]":
        """Applies ``join`` to the values of all parts on every day; all parts start on the same day."""
        if all(len(part.days) == 1 for part in parts):
            return Timeline(parts[0].days[:1], (join([part.values[0] for part in parts]),))
        changes: dict[date, list[tuple[int, T]]] = {}
        for index, part in enumerate(parts):
            for day, value in part:
                changes.setdefault(day, []).append((index, value))
        values = [part.values[0] for part in parts]

        def joined(day: date) -> U:
            for index, value in changes[day]:
                values[index] = value
            return join(values)

        return Timeline.of((day, joined(day)) for day in sorted(changes))

    @staticmethod
    def tally(parts: "Sequence[Timeline[T]]", tell: Callable[[Counter[T]], U]) -> "Timeline[U]":
        """As `combine`, where it only matters how many parts have which value: each change costs the same, however many parts there are."""
        changes: dict[date, list[tuple[T, T]]] = {}
        for part in parts:
            for day, before, after in zip(part.days[1:], part.values, part.values[1:], strict=False):
                changes.setdefault(day, []).append((before, after))
        held = Counter(part.values[0] for part in parts)

        def told(day: date) -> U:
            for before, after in changes[day]:
                held[before] -= 1
                held[after] += 1
            return tell(held)

        return Timeline.of([(parts[0].days[0], tell(held)), *((day, told(day)) for day in sorted(changes))])

    def map(self, change: Callable[[T], U]) -> "Timeline[U]":
        return Timeline.of((day, change(value)) for day, value in self)

    def at(self, day: date) -> T:
        """The value on a day, which is not before the start."""
        return self.values[0] if len(self.days) == 1 else self.values[bisect_right(self.days, day) - 1]

    def first(self, holds: Callable[[T], bool], since: date | None = None) -> date | None:
        """The first day, not before ``since``, on which the value passes a test."""
        for index, value in enumerate(self.values):
            begins = self.days[index] if since is None else max(self.days[index], since)
            ends = self.days[index + 1] if index + 1 < len(self.days) else None
            if (ends is None or begins < ends) and holds(value):
                return begins
        return None

    def __iter__(self) -> Iterator[tuple[date, T]]:
        return zip(self.days, self.values, strict=True)
