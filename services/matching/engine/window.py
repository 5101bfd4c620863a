"""Forward windows: an event of day ``e`` is within ``W`` on day ``d`` when ``e <= d`` and ``add(e, W) >= d`` (`docs/eligibility.md` §2)."""

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

    def on(self, day: date) -> "Stretch":
        """The stretch of days that the window covers on a day."""
        return Stretch(
            date.min if self.within is None else first_within(day, self.within),
            day if self.beyond is None else day_before(first_within(day, self.beyond)),
        )

    def flips(self, facts: Iterable[Fact]) -> Iterator[date]:
        """The days on which a fact may enter or leave the window."""
        for span in (self.within, self.beyond):
            if span is not None:
                for fact in facts:
                    yield from (day_after(add(bound, span)) for bound in {*fact.first, *fact.last})


@dataclass(frozen=True, slots=True)
class Stretch:
    """The days from ``first`` to ``last``, both included."""

    first: date
    last: date

    def surely_holds(self, fact: Fact) -> bool:
        """Some day of the fact lies here, whatever its partial dates mean."""
        return fact.first.latest <= self.last and fact.last.earliest >= self.first

    def may_hold(self, fact: Fact) -> bool:
        """Some day of the fact may lie here."""
        return fact.first.earliest <= self.last and fact.last.latest >= self.first
