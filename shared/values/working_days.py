"""French working days, and the periods in which European law counts. Pure.

A period in days begins on the day after its event; one that ends on a Saturday, Sunday or public holiday ends with the
next working day (Regulation (EEC, Euratom) No 1182/71, Article 3). Public holidays: article L3133-1 of the Labour
Code; those of Alsace and Moselle are not counted. CTIS stops its clocks from 23 December to 7 January.
"""

from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from typing import Final

_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
# Month and day.
_FIXED: Final = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
# Easter Monday, Ascension, Whit Monday: days after Easter Sunday.
_AFTER_EASTER: Final = (1, 39, 50)
_WINTER_FROM: Final = (12, 23)
_WINTER_UNTIL: Final = (1, 7)


def easter(year: int) -> date:
    """Return Easter Sunday of a year of the Gregorian calendar."""
    century, of_century = divmod(year, 100)
    golden = year % 19
    leaps = century - century // 4 - (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + leaps + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (of_century // 4) - epact - of_century % 4) % 7
    correction = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * correction + 114, 31)
    return date(year, month, day + 1)


@cache
def public_holidays(year: int) -> frozenset[date]:
    """Return the public holidays of metropolitan France in a year."""
    sunday = easter(year)
    moving = (sunday + timedelta(days=days) for days in _AFTER_EASTER)
    return frozenset([*(date(year, month, day) for month, day in _FIXED), *moving])


def is_working_day(day: date) -> bool:
    """Return whether a day is neither Saturday, Sunday nor a public holiday."""
    return day.weekday() < _SATURDAY and day not in public_holidays(day.year)


def working_days(start: date, end: date) -> int:
    """Return the number of working days after ``start``, up to and with ``end``; 0 if ``end`` is not later."""
    if end <= start:
        return 0
    years = sum(_counted(year)[-1] for year in range(start.year, end.year))
    return years + _counted(end.year)[_of_year(end)] - _counted(start.year)[_of_year(start)]


def end_of_period(start: date, days: int, *, winter_stop: bool = False) -> date:
    """Return the last day of a period of calendar days that an event on ``start`` begins.

    ``winter_stop``: the clock of CTIS, which does not run from 23 December to 7 January.
    """
    day = start
    while days > 0:
        day += _DAY
        days -= not (winter_stop and _in_winter_stop(day))
    while not is_working_day(day) or (winter_stop and _in_winter_stop(day)):
        day += _DAY
    return day


def _in_winter_stop(day: date) -> bool:
    return (day.month, day.day) >= _WINTER_FROM or (day.month, day.day) <= _WINTER_UNTIL


def _of_year(day: date) -> int:
    return day.timetuple().tm_yday


@cache
def _counted(year: int) -> list[int]:
    """Return for each day of a year, from 1 on, the working days of the year up to it. 0: none."""
    first = date(year, 1, 1)
    days = (date(year, 12, 31) - first).days + 1
    return list(accumulate((is_working_day(first + timedelta(days=number)) for number in range(days)), initial=0))
