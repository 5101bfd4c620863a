"""The clock of a service, as an argument that tests replace."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]
PARIS = ZoneInfo("Europe/Paris")


def utc_now() -> datetime:
    """The present instant in UTC."""
    return datetime.now(UTC)


def day_in_france(instant: datetime) -> date:
    """Return the day of an instant in metropolitan France, by which people and laws count."""
    return instant.astimezone(PARIS).date()
