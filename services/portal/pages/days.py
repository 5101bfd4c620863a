"""Days and times as metropolitan France counts them."""

from datetime import date, datetime

from shared.values.clock import PARIS, day_in_france, utc_now


def today() -> date:
    """Return the present day."""
    return day_in_france(utc_now())


def in_paris(instant: str) -> datetime:
    """Return an instant, as the API writes it, with the day and time in Paris."""
    return datetime.fromisoformat(instant).astimezone(PARIS)
