from datetime import UTC, date, datetime, timedelta

import pytest

from shared.values.clock import day_in_france
from shared.values.working_days import end_of_period, public_holidays, working_days


def test_a_day_ends_at_midnight_in_paris() -> None:
    assert day_in_france(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == date(2027, 1, 1)


def test_the_public_holidays_of_2026() -> None:
    assert sorted(day.isoformat() for day in public_holidays(2026)) == [
        "2026-01-01", "2026-04-06", "2026-05-01", "2026-05-08", "2026-05-14", "2026-05-25", "2026-07-14", "2026-08-15",
        "2026-11-01", "2026-11-11", "2026-12-25",
    ]  # fmt: skip


# Easter as published: the earliest and the latest days, and leap years.
@pytest.mark.parametrize("day", ["2008-03-23", "2024-03-31", "2038-04-25", "2000-04-23", "1943-04-25"])
def test_easter_monday_follows_easter(day: str) -> None:
    sunday = date.fromisoformat(day)
    assert sunday + timedelta(days=1) in public_holidays(sunday.year)


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        # Labour Day, 8 May, Ascension: between 30 April and 18 May 2026.
        ("2026-04-30", "2026-05-18", 9),
        ("2026-02-27", "2026-02-28", 0),
        ("2028-02-28", "2028-03-01", 2),
        ("2026-05-18", "2026-04-30", 0),
    ],
)
def test_working_days_between(start: str, end: str, days: int) -> None:
    assert working_days(date.fromisoformat(start), date.fromisoformat(end)) == days


@pytest.mark.parametrize(
    ("start", "days", "winter", "end"),
    [
        # A Saturday is put off to Monday; Whit Monday to Tuesday.
        ("2026-05-01", 1, False, "2026-05-04"),
        ("2026-05-15", 10, False, "2026-05-26"),
        ("2026-12-20", 10, False, "2026-12-30"),
        # CTIS: 21 and 22 December count, then 8 to 15 January.
        ("2026-12-20", 10, True, "2027-01-15"),
    ],
)
def test_periods_of_calendar_days(start: str, days: int, winter: bool, end: str) -> None:
    assert end_of_period(date.fromisoformat(start), days, winter_stop=winter) == date.fromisoformat(end)
