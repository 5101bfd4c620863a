"""When what happened is sent: at once, or in a message each morning or each Monday, French time. Pure."""

from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Frequency = Literal["immediate", "daily", "weekly"]

FRANCE = ZoneInfo("Europe/Paris")
MORNING = time(7)
MONDAY = 0


def next_message(frequency: Frequency, now: datetime) -> datetime:
    """Return when an event of ``now`` is due: the first 07:00 in France that is later, or ``now``."""
    if frequency == "immediate":
        return now
    today = now.astimezone(FRANCE).date()
    coming = (today + timedelta(days=days) for days in range(9))
    mornings = (
        datetime.combine(day, MORNING, FRANCE).astimezone(UTC)
        for day in coming
        if frequency == "daily" or day.weekday() == MONDAY
    )
    return next(morning for morning in mornings if morning > now)
