"""How long something takes when some cases are still open and others ended in another way. Pure.

Cumulative incidence with competing events (Aalen-Johansen): the estimated share of all cases in which the event has
happened by a day. Open cases count until the day of the report, and no case is dropped. With one kind of event it is
one minus the Kaplan-Meier estimate.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

HALF = 0.5


class Case(NamedTuple):
    """One case. ``days``: until its event, or until now; ``event``: None: it is open."""

    days: int
    event: str | None


class Point(NamedTuple):
    """From ``day`` on, the event has happened in this ``share`` of the cases (0 to 1)."""

    day: int
    share: float


@dataclass(frozen=True, slots=True)
class Clock:
    """How long it takes until one event. ``curve``: where the share rises.

    ``ended``: cases with the event; ``otherwise``: with another one; ``open``: with none yet.
    """

    ended: int
    otherwise: int
    open: int
    curve: Sequence[Point]

    @property
    def cases(self) -> int:
        """The number of all cases."""
        return self.ended + self.otherwise + self.open

    def share_within(self, days: int) -> float | None:
        """Return the share of cases with the event within so many days; None: there are no cases."""
        if not self.cases:
            return None
        return max((point.share for point in self.curve if point.day <= days), default=0.0)

    def quantile(self, share: float) -> int | None:
        """Return the day by which the event has happened in this share of all cases; None: in fewer, until now."""
        return next((point.day for point in self.curve if point.share >= share - 1e-9), None)

    @property
    def median(self) -> int | None:
        """The day by which the event has happened in half of all cases; None: in fewer, until now."""
        return self.quantile(HALF)


def clocks(cases: Iterable[Case] | Mapping[Case, int], events: Sequence[str]) -> dict[str, Clock]:
    """Return the clock of each of these events. Other events of the cases compete with them.

    ``cases``: one by one, or how many there are of each.
    """
    counted = Counter(cases)
    by_day: dict[int, dict[str | None, int]] = {}
    totals: Counter[str | None] = Counter()
    for (days, event), number in counted.items():
        of_day = by_day.setdefault(days, {})
        of_day[event] = of_day.get(event, 0) + number
        totals[event] += number
    curves: dict[str, list[Point]] = {event: [] for event in events}
    shares = dict.fromkeys(events, 0.0)
    at_risk, without_event = sum(totals.values()), 1.0
    for day in sorted(by_day):
        of_day = by_day[day]
        happened = sum(number for event, number in of_day.items() if event is not None)
        for event in events:
            if number := of_day.get(event, 0):
                shares[event] += without_event * number / at_risk
                curves[event].append(Point(day, shares[event]))
        without_event *= 1 - happened / at_risk
        at_risk -= sum(of_day.values())
    all_cases = sum(totals.values())
    return {
        event: Clock(totals[event], all_cases - totals[event] - totals[None], totals[None], tuple(curves[event]))
        for event in events
    }
