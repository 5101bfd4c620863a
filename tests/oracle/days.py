"""Dates, durations and windows of the oracle: an independent implementation, nothing shared with the project."""

import re
from datetime import date, timedelta
from functools import lru_cache

DURATION = re.compile(r"^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?$")
ONE_DAY = timedelta(days=1)
BEGINNING = date(1, 1, 1)
END = date(9999, 12, 31)


@lru_cache(None)
def day_of(text):
    """Parse a full date."""
    year, month, day = text.split("-")
    return date(int(year), int(month), int(day))


@lru_cache(None)
def parts(duration):
    """Parse an ISO 8601 duration into years, months, weeks and days."""
    found = DURATION.match(duration)
    if not found or duration == "P":
        raise ValueError(duration)
    years, months, weeks, days = (int(part or 0) for part in found.groups())
    return years, months, weeks, days


def length_of_month(year, month):
    if month == 2:
        return 29 if (year % 4 == 0 and year % 100 != 0) or year % 400 == 0 else 28
    return 30 if month in (4, 6, 9, 11) else 31


def shift(day, years, months, days):
    count = day.year * 12 + (day.month - 1) + years * 12 + months
    year, month = count // 12, count % 12 + 1
    return date(year, month, min(day.day, length_of_month(year, month))) + timedelta(days=days)


@lru_cache(None)
def add(day, duration):
    """Add a duration: years and months first, clamped to the end of the month, then weeks and days."""
    years, months, weeks, days = parts(duration)
    return shift(day, years, months, weeks * 7 + days)


@lru_cache(None)
def subtract(day, duration):
    years, months, weeks, days = parts(duration)
    return shift(day, -years, -months, -(weeks * 7 + days))


@lru_cache(None)
def times(duration, number):
    years, months, weeks, days = parts(duration)
    return f"P{years * number}Y{months * number}M{weeks * number}W{days * number}D"


@lru_cache(None)
def how_many(whole, part):
    """Return how many times a duration fits into another."""
    for number in range(1, 1000):
        a, b = parts(whole), parts(times(part, number))
        if a[0] * 12 + a[1] == b[0] * 12 + b[1] and a[2] * 7 + a[3] == b[2] * 7 + b[3]:
            return number
    raise ValueError(whole, part)


@lru_cache(None)
def first_day_within(day, duration):
    """Return the first day that is still within the duration on that day, by walking up from a day that is too old."""
    years, months, weeks, days = parts(duration)
    walker = day - timedelta(days=years * 366 + months * 31 + weeks * 7 + days + 3)
    while add(walker, duration) < day:
        walker += ONE_DAY
    return walker


@lru_cache(None)
def possible_days(text):
    """Return the first and last possible day of a full or partial date."""
    pieces = [int(piece) for piece in text.split("-")]
    if len(pieces) == 3:
        return date(*pieces), date(*pieces)
    if len(pieces) == 2:
        return date(*pieces, 1), date(*pieces, length_of_month(*pieces))
    return date(pieces[0], 1, 1), date(pieces[0], 12, 31)


def is_full(text):
    return text is not None and len(text) == 10


@lru_cache(None)
def possible_births(age, as_of):
    """Return every birth date with add(b, age) <= as_of < add(b, age + 1 of the smallest unit written)."""
    years, months, weeks, days = parts(age)
    smallest = [unit for unit in "YMWD" if unit in age][-1]
    older = (
        years + (smallest == "Y"),
        months + (smallest == "M"),
        weeks + (smallest == "W"),
        days + (smallest == "D"),
    )
    births = []
    walker = as_of - timedelta(days=(years + 2) * 366 + (months + 2) * 31 + (weeks + 1) * 7 + days)
    while walker <= as_of:
        if (
            shift(walker, years, months, weeks * 7 + days)
            <= as_of
            < shift(walker, older[0], older[1], older[2] * 7 + older[3])
        ):
            births.append(walker)
        walker += ONE_DAY
    return births
