"""Days and times as metropolitan France counts them."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

_PARIS = ZoneInfo("Europe/Paris")


def today() -> date:
    """Return the present day."""
    return datetime.now(_PARIS).date()


def in_paris(instant: str) -> datetime:
    """Return an instant, as the API writes it, with the day and time in Paris."""
    return datetime.fromisoformat(instant).astimezone(_PARIS)
