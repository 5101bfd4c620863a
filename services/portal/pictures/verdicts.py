"""The geometry of a timeline of verdicts: bars in days, ticks of the calendar, and the day to refer before. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

WIDTH = 480
_DAYS_OF_YEAR = 365.25
# Of a timeline in which nothing changes.
_QUIET = timedelta(days=730)
_MOST_TICKS = 6
# Half the width of the text of a tick.
_EDGE = 30


@dataclass(frozen=True, slots=True)
class Bar:
    """One verdict from one day until another: its place and width in units of the picture."""

    x: float
    width: float
    verdict: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the axis. ``day``: the first of a year or of a month, as the pages write it (``2027``, ``2027-03``)."""

    x: float
    day: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The picture: ``refer_x``: where to refer before; None: no such day, or it is beyond the picture."""

    bars: Sequence[Bar]
    ticks: Sequence[Tick]
    refer_x: float | None


def timeline(intervals: Sequence[Mapping[str, Any]], refer_before: str | None) -> Timeline:
    """Return the geometry of a timeline. ``intervals``: `from`, `until` and `verdict`, in the order of time."""
    first = date.fromisoformat(intervals[0]["from"])
    changes = [date.fromisoformat(one["until"]) for one in intervals if one["until"]]
    span = max((changes[-1] - first) * 1.15, timedelta(days=120)) if changes else _QUIET
    last = first + span

    def place(day: date) -> float:
        return round(min(1.0, max(0.0, (day - first) / span)) * WIDTH, 1)

    bars = []
    for one in intervals:
        x = place(date.fromisoformat(one["from"]))
        until = place(date.fromisoformat(one["until"])) if one["until"] else WIDTH
        bars.append(Bar(x, round(until - x, 1), one["verdict"]))
    refer = date.fromisoformat(refer_before) if refer_before else None
    return Timeline(
        bars,
        [Tick(x, text) for day, text in _ticks(first, last) if _EDGE <= (x := place(day)) <= WIDTH - _EDGE],
        place(refer) if refer is not None and refer <= last else None,
    )


def _ticks(first: date, last: date) -> list[tuple[date, str]]:
    years = (last - first).days / _DAYS_OF_YEAR
    if years < 2:
        months = max(1, round(years * 12 / _MOST_TICKS))
        starts = [date(first.year + month // 12, month % 12 + 1, 1) for month in range(first.month, first.month + 26)]
        return [(day, day.isoformat()[:7]) for day in starts if day < last and (day.month - 1) % months == 0]
    step = max(1, round(years / _MOST_TICKS))
    return [(date(year, 1, 1), str(year)) for year in range(first.year + 1, last.year + 1) if year % step == 0]
