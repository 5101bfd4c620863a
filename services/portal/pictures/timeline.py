"""A vertical timeline: years on the left, marks on a line, words on the right. Pure.

Vertical, because it is then readable at 360 px and grows with the number of marks, not with their words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDTH = 340
TEXT_X = 92
_TOP = 18
_GAP = 44
_HEIGHT_OF_A_YEAR = 26
_MAX_SPAN = 420
_MAX_YEARS = 9


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happens: ``2024``, ``2024-05`` or ``2024-05-03``, its name and its date in words."""

    date: str
    name: str
    when: str
    is_planned: bool


@dataclass(frozen=True, slots=True)
class PlacedMark:
    """A mark. ``y``: its place on the line; ``text_y``: of its words, lower where marks lie close together."""

    name: str
    when: str
    is_planned: bool
    y: float
    text_y: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """The places of everything in the picture, in its own units."""

    width: int
    height: float
    marks: list[PlacedMark]
    years: list[tuple[int, float]]
    first: float
    last: float
    # None: today is outside the picture.
    today: float | None


def timeline(marks: Sequence[Mark], today: date) -> Timeline:
    """Place the marks, at least one, in the order of their dates."""
    days = [day_of(one.date) for one in marks]
    begin, end = min(days), max(days)
    span = max((end - begin).days, 1)
    height = min(max(span / 365 * _HEIGHT_OF_A_YEAR, _GAP * (len(marks) - 1)), _MAX_SPAN)

    def place(day: date) -> float:
        return round(_TOP + (day - begin).days / span * height, 1)

    placed: list[PlacedMark] = []
    for mark, day in zip(marks, days, strict=True):
        lowest = placed[-1].text_y + _GAP if placed else 0
        placed.append(PlacedMark(mark.name, mark.when, mark.is_planned, place(day), max(place(day), lowest)))
    step = max(1, -(-(end.year - begin.year) // _MAX_YEARS))
    years = [(year, place(date(year, 1, 1))) for year in range(begin.year + 1, end.year + 1, step)]
    return Timeline(
        width=WIDTH,
        height=placed[-1].text_y + 32,
        marks=placed,
        years=years,
        first=_TOP,
        last=place(end),
        today=place(today) if begin < today < end else None,
    )


def day_of(partial: str) -> date:
    """Return the first day of a year or month, or the day itself."""
    year, month, day = (int(one) for one in (*partial.split("-"), "1", "1")[:3])
    return date(year, month, day)
