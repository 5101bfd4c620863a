"""When centres are reminded of a questionnaire. Pure."""

from datetime import date, timedelta
from typing import Final

from services.registry.feasibility.model import ReminderKind
from shared.values.working_days import end_of_period

DEFAULT_DAYS: Final = 14
_REMINDERS: Final[tuple[tuple[int, ReminderKind], ...]] = ((-7, "week_before"), (-1, "day_before"), (1, "overdue"))


def deadline_of(sent: date, days: int) -> date:
    """Return the last day to answer a questionnaire: calendar days, to the next working day."""
    return end_of_period(sent, days)


def next_reminder(deadline: date, after: date) -> date | None:
    """Return the day of the first reminder later than a day; None: all were due."""
    days = (deadline + timedelta(days=days) for days, _ in _REMINDERS)
    return next((day for day in days if day > after), None)


def reminder_on(deadline: date, today: date) -> ReminderKind | None:
    """Return the last reminder that is due by a day: of several that a stopped service missed, one is sent."""
    due = [kind for days, kind in _REMINDERS if deadline + timedelta(days=days) <= today]
    return due[-1] if due else None
