"""A value for every day, stored as the days on which it changes."""

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
    """A piecewise-constant function of the day: ``values[i]`` applies from ``days[i]`` until ``days[i + 1]``.

    Two neighbouring values always differ.
    """

    days: tuple[date, ...]
    values: tuple[T, ...]

    @staticmethod
    def of(points: Iterable[tuple[date, U]]) -> "Timeline[U]":
        """Build a timeline from (day, value) points in ascending order; join neighbours with the same value."""
        days: list[date] = []
        values: list[U] = []
        for day, value in points:
            if not values or values[-1] != value:
                days.append(day)
                values.append(value)
        return Timeline(tuple(days), tuple(values))

    @staticmethod
    def sample(start: date, end: date, change_days: Iterable[date], value_on: Callable[[date], U]) -> "Timeline[U]":
        """Evaluate ``value_on`` on ``start`` and on the change days up to ``end``.

        ``change_days`` must contain every day on which the value may change, in any order; more days do no harm.
        """
        later = sorted({day for day in change_days if start < day <= end})
        if not later:
            return Timeline((start,), (value_on(start),))
        return Timeline.of([(start, value_on(start)), *((day, value_on(day)) for day in later)])

    @staticmethod
    def combine(parts: "Sequence[Timeline[T]]", combine: Callable[[Sequence[T]], U]) -> "Timeline[U]":
        """Apply ``combine`` to the values of all parts on every day; all parts start on the same day."""
        if all(len(part.days) == 1 for part in parts):
            return Timeline(parts[0].days[:1], (combine([part.values[0] for part in parts]),))
        changes: dict[date, list[tuple[int, T]]] = {}
        for index, part in enumerate(parts):
            for day, value in part:
                changes.setdefault(day, []).append((index, value))
        values = [part.values[0] for part in parts]

        def combined(day: date) -> U:
            for index, value in changes[day]:
                values[index] = value
            return combine(values)

        return Timeline.of((day, combined(day)) for day in sorted(changes))

    @staticmethod
    def combine_counts(parts: "Sequence[Timeline[T]]", combine: Callable[[Counter[T]], U]) -> "Timeline[U]":
        """Apply ``combine`` to the number of parts with each value, on every day.

        A change costs the same however many parts there are, unlike in `combine`.
        """
        changes: dict[date, list[tuple[T, T]]] = {}
        for part in (one for one in parts if len(one.days) > 1):
            for day, before, after in zip(part.days[1:], part.values, part.values[1:], strict=False):
                changes.setdefault(day, []).append((before, after))
        counts = Counter(part.values[0] for part in parts)

        if not changes:
            return Timeline(parts[0].days, (combine(counts),))

        def combined(day: date) -> U:
            for before, after in changes[day]:
                counts[before] -= 1
                counts[after] += 1
            return combine(counts)

        return Timeline.of([(parts[0].days[0], combine(counts)), *((day, combined(day)) for day in sorted(changes))])

    def map(self, change: Callable[[T], U]) -> "Timeline[U]":
        if len(self.days) == 1:
            return Timeline(self.days, (change(self.values[0]),))
        return Timeline.of((day, change(value)) for day, value in self)

    def at(self, day: date) -> T:
        """Return the value on a day, which must not be before the start."""
        return self.values[0] if len(self.days) == 1 else self.values[bisect_right(self.days, day) - 1]

    def first(self, accepts: Callable[[T], bool], since: date | None = None) -> date | None:
        """Return the first day, not before ``since``, whose value is accepted; None without any."""
        for index, value in enumerate(self.values):
            begins = self.days[index] if since is None else max(self.days[index], since)
            ends = self.days[index + 1] if index + 1 < len(self.days) else None
            if (ends is None or begins < ends) and accepts(value):
                return begins
        return None

    def __iter__(self) -> Iterator[tuple[date, T]]:
        return zip(self.days, self.values, strict=True)
