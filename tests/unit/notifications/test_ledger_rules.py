"""The rules of the delivery ledger, with time and randomness as arguments."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.deliveries.model import Attempt, Claim, Outcome, Settlement, read_retry_after, settle
from services.notifications.settings import NotificationsSettings

NOW = datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)
HOUR = 3600.0
SCHEDULE = (0.0, 5.0, 300.0, 1800.0, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)


def outcome(
    failures: int, status: int | None = 500, error: str | None = None, retry_after: str | None = None
) -> Outcome:
    claim = Claim("delivery", "subscription", "owner", 1, 1, failures, "https://receiver.example/", b"", b"{}")
    return Outcome(claim, Attempt(NOW, status, error, 12, retry_after))


def test_the_schedule_is_ten_attempts_over_three_days() -> None:
    assert NotificationsSettings().retry_seconds == SCHEDULE
    assert sum(SCHEDULE) == pytest.approx(75.6 * HOUR, rel=0.001)


@pytest.mark.parametrize("failures", range(9))
def test_each_delay_is_that_of_the_schedule_within_twenty_percent(failures: int) -> None:
    wait = SCHEDULE[failures + 1]
    for chance, share in ((0.0, 0.8), (0.5, 1.0), (0.999999, 1.2)):
        end = settle(outcome(failures), NOW, SCHEDULE, chance)
        assert (end.state, end.failures) == ("pending", failures + 1)
        assert (end.due_at - NOW).total_seconds() == pytest.approx(wait * share, rel=0.001)


def test_the_tenth_failure_is_the_last() -> None:
    assert settle(outcome(9), NOW, SCHEDULE, 0.5) == Settlement("dead", 10, NOW)
    assert settle(outcome(9, None, "timed_out", "60"), NOW, SCHEDULE, 0.5).state == "dead"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    assert settle(outcome(3, status), NOW, SCHEDULE, 0.5).state == "delivered"


@pytest.mark.parametrize(
    "status", [100, 199, 300, 301, 308, 400, 401, 404, 409, 413, 429, 500, 502, 503, 504, 599, 999]
)
def test_any_other_status_is_a_failure(status: int) -> None:
    assert settle(outcome(0, status), NOW, SCHEDULE, 0.5).failures == 1


def test_410_disables_without_counting_as_a_failure() -> None:
    assert settle(outcome(9, 410), NOW, SCHEDULE, 0.5) == Settlement("pending", 9, NOW, gone=True)


def test_an_untried_claim_is_released_unchanged() -> None:
    assert settle(Outcome(outcome(4).claim, None), NOW, SCHEDULE, 0.5) == Settlement("pending", 4, NOW)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("-5", 0),
        ("1.5", 0),
        ("1e3", 0),
        ("soon", 0),
        ("\u0661\u0662", 0),
        ("86400", 86400),
        ("86401", 86400),
        ("9" * 60, 86400),
        ("9" * 5000, 86400),
        ("Sun, 29 Mar 2026 01:59:59 GMT", 3600),
        ("Sun, 29 Mar 2026 03:59:59 +0200", 3600),
        ("Sun, 29 Mar 2026 01:59:59 -0000", 3600),
        ("Sat, 28 Mar 2026 00:00:00 GMT", 0),
        ("Sun, 29 Mar 2099 00:00:00 GMT", 86400),
        ("Sun, 99 Mar 2026 00:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 86400),
    ],
)
def test_retry_after_is_read_in_all_its_forms(header: str | None, seconds: float) -> None:
    assert read_retry_after(header, NOW) == timedelta(seconds=seconds)


@given(st.text(max_size=80))
def test_no_retry_after_breaks_or_waits_more_than_a_day(header: str) -> None:
    assert timedelta() <= read_retry_after(header, NOW) <= timedelta(hours=24)


def test_retry_after_only_ever_lengthens_the_wait() -> None:
    assert settle(outcome(0, 429, retry_after="60"), NOW, SCHEDULE, 0.5).due_at - NOW == timedelta(seconds=60)
    assert settle(outcome(0, 429, retry_after="1"), NOW, SCHEDULE, 0.5).due_at - NOW == timedelta(seconds=5)
