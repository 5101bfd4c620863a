"""A capability of a centre, its state on a day, and the alarms before it expires. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

Scope = Literal["adult", "paediatric", "both"]
CapabilityState = Literal["valid", "expiring", "expired", "not_yet", "absent"]

EXPIRING_DAYS: Final = 90
# Days before the last valid day on which the parties are warned.
ALARM_DAYS: Final = (90, 30, 0)


@dataclass(frozen=True, slots=True)
class Evidence:
    """On what a capability rests: for the centre, the coordination, authorities and sponsors."""

    evidence: str | None = None
    issuer: str | None = None
    finess_et: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Capability:
    """What a centre stated. ``held``: False: it does not have it. ``evidence``: None: not read."""

    centre: str
    code: str
    version: int
    held: bool
    scope: Scope
    scope_note: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    planned_from: date | None = None
    removed: bool = False
    evidence: Evidence | None = None

    def state(self, today: date) -> CapabilityState:
        """Return the state on a day. The day ``valid_until`` is the last valid one."""
        if not self.held:
            return "absent"
        if self.valid_from is not None and today < self.valid_from:
            return "not_yet"
        if self.valid_until is None:
            return "valid"
        left = (self.valid_until - today).days
        return "expired" if left < 0 else "expiring" if left <= EXPIRING_DAYS else "valid"

    def covers(self, population: Scope) -> bool:
        """Return whether its scope includes a population."""
        return self.scope in {"both", population}


@dataclass(frozen=True, slots=True)
class CapabilityVersion:
    """What was stated at some time, and by whom."""

    capability: Capability
    at: datetime
    author: str


def next_alarm(valid_until: date | None, today: date, after: int | None = None) -> date | None:
    """Return the day of the next alarm: not before ``today``, with fewer days left than ``after``; None: there is none.

    ``after``: the alarm that was sent last.
    """
    if valid_until is None or valid_until < today:
        return None
    days = [one for one in ALARM_DAYS if after is None or one < after]
    return next((due for one in days if (due := valid_until - timedelta(days=one)) >= today), None)


def alarm_reached(valid_until: date, today: date) -> int:
    """Return which alarm a capability has reached: the one with the fewest days. Call it from the first alarm on."""
    return min(one for one in ALARM_DAYS if valid_until - timedelta(days=one) <= today)
