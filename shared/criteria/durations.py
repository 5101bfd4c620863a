"""Calendar arithmetic with ISO 8601 durations (`docs/eligibility.md` §2).

Pure; saturates at the ends of the calendar.
"""

import re
from calendar import monthrange
from datetime import date, timedelta
from typing import NamedTuple

ONE_DAY = timedelta(days=1)
_FORM = re.compile(r"P(?=[0-9])(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)W)?(?:([0-9]+)D)?")


class Span(NamedTuple):
    """A duration in months (12 per year) and days (7 per week). Months and days cannot be converted into each other."""

    months: int
    days: int

    def times(self, factor: int) -> "Span":
        return Span(self.months * factor, self.days * factor)


def parse(text: str) -> Span:
    """Parse an ISO duration in years, months, weeks and days. Not cached: it may be the age of a patient.

    :raises ValueError: the text has another form.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError("a duration is written P, then years, months, weeks and days")
    years, months, weeks, days = (int(part or 0) for part in found.groups())
    return Span(12 * years + months, 7 * weeks + days)


def smallest_unit(text: str) -> Span:
    """Return one of a duration's smallest unit: a year for ``P3Y``, a month for ``P3Y4M``."""
    return parse(f"P1{text[-1]}")


def add(day: date, span: Span) -> date:
    """Add years and months first, clamped to the end of the month, then weeks and days."""
    return _shift(day, span.months, span.days)


def subtract(day: date, span: Span) -> date:
    """Subtract years and months first, clamped to the end of the month, then weeks and days."""
    return _shift(day, -span.months, -span.days)


def first_within(day: date, span: Span) -> date:
    """Return the earliest day ``e`` with ``add(e, span) >= day``: where a window containing ``day`` begins."""
    earliest = subtract(day, span)
    if span.months == 0 or (span.days == 0 and day.day <= 28):
        return earliest  # no end of month is involved
    while add(earliest, span) < day:
        earliest = day_after(earliest)
    while earliest > date.min and add(earliest - ONE_DAY, span) >= day:
        earliest -= ONE_DAY
    return earliest


def whole_parts(span: Span, part: Span) -> int | None:
    """Return how many times ``part`` fits into ``span``; None if not exactly."""
    for count in {span.months // part.months if part.months else 0, span.days // part.days if part.days else 0}:
        if count > 0 and part.times(count) == span:
            return count
    return None


def day_after(day: date) -> date:
    return day if day == date.max else day + ONE_DAY


def day_before(day: date) -> date:
    return day if day == date.min else day - ONE_DAY


def _shift(day: date, months: int, days: int) -> date:
    if months:
        year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
        if not date.min.year <= year <= date.max.year:
            return date.max if months > 0 else date.min
        month += 1
        day = date(year, month, day.day if day.day <= 28 else min(day.day, monthrange(year, month)[1]))
    try:
        return day + timedelta(days=days) if days else day
    except OverflowError:
        return date.max if days > 0 else date.min
