"""Calendar arithmetic of ISO 8601 durations on days, as `docs/eligibility.md` §2 defines it. Pure; saturates at the ends of the calendar."""

import re
from calendar import monthrange
from datetime import date, timedelta
from typing import NamedTuple

ONE_DAY = timedelta(days=1)
_FORM = re.compile(r"P(?=[0-9])(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)W)?(?:([0-9]+)D)?")


class Span(NamedTuple):
    """A duration as months (years are twelve) and days (weeks are seven), which no calendar can turn into one another."""

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
    """One of the smallest unit that a duration writes: a year of ``P3Y``, a month of ``P3Y4M``."""
    return parse(f"P1{text[-1]}")


def add(day: date, span: Span) -> date:
    """Years and months first, clamped to the end of the month, then weeks and days."""
    return _shift(day, span.months, span.days)


def subtract(day: date, span: Span) -> date:
    """The same backwards: years and months first, clamped, then weeks and days."""
    return _shift(day, -span.months, -span.days)


def first_within(day: date, span: Span) -> date:
    """The earliest day ``e`` with ``add(e, span) >= day``: where a forward window that holds ``day`` begins."""
    earliest = subtract(day, span)
    if span.months == 0 or (span.days == 0 and day.day <= 28):
        return earliest  # no month's end in the way
    while add(earliest, span) < day:
        earliest = day_after(earliest)
    while earliest > date.min and add(earliest - ONE_DAY, span) >= day:
        earliest -= ONE_DAY
    return earliest


def whole_parts(span: Span, part: Span) -> int | None:
    """How many times ``part`` goes into ``span``, where it does so exactly."""
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
