"""Forward windows of time (`docs/eligibility.md` §2).

An event of day ``e`` is within ``W`` on day ``d`` when ``e <= d`` and ``add(e, W) >= d``.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from services.matching.engine.facts import Fact
from shared.criteria.durations import Span, add, day_after, day_before, first_within


@dataclass(frozen=True, slots=True)
class Window:
    """The days within ``within`` of a day (None: any earlier day), except those within ``beyond`` of it.

    ``or_within``: another length, where the longer of both counts.
    """

    within: Span | None
    beyond: Span | None = None
    or_within: Span | None = None

    def dates_on(self, day: date) -> "DateRange":
        """Return the days that the window covers on ``day``."""
        first = date.min if self.within is None else first_within(day, self.within)
        if self.or_within is not None:
            first = min(first, first_within(day, self.or_within))
        return DateRange(first, day if self.beyond is None else day_before(first_within(day, self.beyond)))

    def last_day_of(self, day: date) -> date:
        """Return the last day on which an event of ``day`` is within the window."""
        if self.within is None:
            return date.max
        last = add(day, self.within)
        return last if self.or_within is None else max(last, add(day, self.or_within))

    def intervals(self, events: Iterable[tuple[date, date]], today: date) -> "Intervals":
        """Return the days, from ``today`` on, on which at least one event is within the window.

        An event is given by the day since which it counts, and its last day.
        """
        reached: date | None = None
        later: list[tuple[date, date]] = []
        for since, last in events:
            if since > today:
                later.append((since, self.last_day_of(last)))
            elif reached is None or last > reached:
                reached = last
        return Intervals(later if reached is None else [(today, self.last_day_of(reached)), *later])

    def change_days(self, facts: Iterable[Fact]) -> Iterator[date]:
        """Yield the days on which a fact may enter or leave the window."""
        for span in (self.within, self.beyond, self.or_within):
            if span is not None:
                for fact in facts:
                    yield from (day_after(add(bound, span)) for bound in {*fact.first, *fact.last})


@dataclass(frozen=True, slots=True)
class DateRange:
    """The days from ``first`` to ``last``, both included."""

    first: date
    last: date

    def certainly_contains(self, fact: Fact) -> bool:
        """Return whether some day of the fact is in the range, whatever its partial dates mean."""
        return fact.first.latest <= self.last and fact.last.earliest >= self.first

    def may_contain(self, fact: Fact) -> bool:
        """Return whether some day of the fact may be in the range."""
        return fact.first.earliest <= self.last and fact.last.latest >= self.first


class Intervals:
    """A set of days as ordered, disjoint intervals, both ends included."""

    def __init__(self, intervals: Iterable[tuple[date, date]]) -> None:
        """Join intervals that overlap or touch; drop empty ones."""
        self._firsts: list[date] = []
        self._lasts: list[date] = []
        for first, last in sorted(intervals):
            if self._lasts and first <= day_after(self._lasts[-1]):
                self._lasts[-1] = max(self._lasts[-1], last)
            elif first <= last:
                self._firsts.append(first)
                self._lasts.append(last)

    def __contains__(self, day: date) -> bool:
        index = bisect_right(self._firsts, day)
        return index > 0 and day <= self._lasts[index - 1]

    def change_days(self) -> Iterator[date]:
        """Yield the first day of each interval, and the day after its last one."""
        yield from self._firsts
        yield from map(day_after, self._lasts)
