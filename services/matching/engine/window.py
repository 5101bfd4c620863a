"""Forward windows: an event of day ``e`` is within ``W`` on day ``d`` when ``e <= d`` and ``add(e, W) >= d`` (`docs/eligibility.md` §2)."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from services.matching.engine.facts import Fact
from shared.criteria.durations import Span, add, day_after, day_before, first_within


@dataclass(frozen=True, slots=True)
class Window:
    """The days within ``within`` of a day (None: ever before) that are not within ``beyond`` of it."""

    within: Span | None
    beyond: Span | None = None

    def on(self, day: date) -> "DateRange":
        """The stretch of days that the window covers on a day."""
        return DateRange(
            date.min if self.within is None else first_within(day, self.within),
            day if self.beyond is None else day_before(first_within(day, self.beyond)),
        )

    def leaves(self, day: date) -> date:
        """The last day on which a day is within."""
        return date.max if self.within is None else add(day, self.within)

    def spells(self, known: Iterable[tuple[date, date]], today: date) -> "Intervals":
        """The days, from today on, on which one of some facts is within, each given by the day since which it counts and its last day."""
        reached: date | None = None
        later: list[tuple[date, date]] = []
        for since, last in known:
            if since > today:
                later.append((since, self.leaves(last)))
            elif reached is None or last > reached:
                reached = last
        return Intervals(later if reached is None else [(today, self.leaves(reached)), *later])

    def flips(self, facts: Iterable[Fact]) -> Iterator[date]:
        """The days on which a fact may enter or leave the window."""
        for span in (self.within, self.beyond):
            if span is not None:
                for fact in facts:
                    yield from (day_after(add(bound, span)) for bound in {*fact.first, *fact.last})


@dataclass(frozen=True, slots=True)
class DateRange:
    """The days from ``first`` to ``last``, both included."""

    first: date
    last: date

    def surely_holds(self, fact: Fact) -> bool:
        """Some day of the fact lies here, whatever its partial dates mean."""
        return fact.first.latest <= self.last and fact.last.earliest >= self.first

    def may_hold(self, fact: Fact) -> bool:
        """Some day of the fact may lie here."""
        return fact.first.earliest <= self.last and fact.last.latest >= self.first


class Intervals:
    """Some days, as the stretches that hold them, in order and apart: however many facts there are, few are left to look at."""

    def __init__(self, stretches: Iterable[tuple[date, date]]) -> None:
        self._firsts: list[date] = []
        self._lasts: list[date] = []
        for first, last in sorted(stretches):
            if self._lasts and first <= day_after(self._lasts[-1]):
                self._lasts[-1] = max(self._lasts[-1], last)
            elif first <= last:
                self._firsts.append(first)
                self._lasts.append(last)

    def __contains__(self, day: date) -> bool:
        index = bisect_right(self._firsts, day)
        return index > 0 and day <= self._lasts[index - 1]

    def flips(self) -> Iterator[date]:
        """The days on which a spell begins, or has ended."""
        yield from self._firsts
        yield from map(day_after, self._lasts)
