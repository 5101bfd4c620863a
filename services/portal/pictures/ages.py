"""Bars of how long cases have waited, with the limit of each. Pure.

A bar begins on the day since which a case waits, and ends today. A mark is its limit: beyond it the bar is late.
"""

from collections.abc import Iterable
from dataclasses import dataclass

WIDTH = 720
LABEL_X, FIRST_X, LAST_X = 0, 250, 560
TEXT_X = LAST_X + 12
_LINE, _TITLE, _TOP, _AXIS = 26, 30, 8, 30
_TICKS = (7, 14, 30, 60, 90, 180, 365, 730)
_BETWEEN_TICKS = 44
_LETTERS = 32


@dataclass(frozen=True, slots=True)
class Case:
    """A case. ``days``: since when it waits; ``left``: to its limit, negative: late; None: it has no limit."""

    name: str
    group: str
    days: int
    left: int | None
    said: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar. ``end``: today; ``limit``: of the mark, None: none; ``late_from``: where the late part begins."""

    name: str
    said: str
    y: int
    end: float
    limit: float | None
    late_from: float | None


@dataclass(frozen=True, slots=True)
class Bars:
    """The places of everything in the picture, in its own units."""

    height: int
    titles: list[tuple[str, int]]
    bars: list[Bar]
    ticks: list[tuple[int, float]]


def bars(cases: Iterable[Case]) -> Bars:
    """Place cases, which come group by group."""
    listed = list(cases)
    longest = max([14, *(max(one.days, one.days + (one.left or 0)) for one in listed)])

    def place(days: int) -> float:
        return round(FIRST_X + max(days, 0) / longest * (LAST_X - FIRST_X), 1)

    y, group = _TOP, None
    titles: list[tuple[str, int]] = []
    found: list[Bar] = []
    for one in listed:
        if one.group != group:
            group = one.group
            titles.append((group, y + 20))
            y += _TITLE
        limit = None if one.left is None else place(one.days + one.left)
        late = limit if one.left is not None and one.left < 0 else None
        found.append(Bar(_short(one.name), one.said, y, max(place(one.days), FIRST_X + 2), limit, late))
        y += _LINE
    return Bars(y + _AXIS, titles, found, _ticks([(days, place(days)) for days in _TICKS if days <= longest]))


def _ticks(possible: Iterable[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return the marks of the axis whose words do not touch."""
    found: list[tuple[int, float]] = []
    for days, x in possible:
        if x - (found[-1][1] if found else FIRST_X) >= _BETWEEN_TICKS:
            found.append((days, x))
    return found


def _short(name: str) -> str:
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1].rstrip()}…"
