"""Reads dates and instants of records as full or partial days, never more precise than given. Pure."""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

_PARIS = ZoneInfo("Europe/Paris")
_DAY = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")
# Protobuf writes up to nine digits of a second; Python reads six.
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:\.[0-9]{1,9})?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_UTC = {"Z", "+00:00", "+0000", "-00:00"}


def day_of(text: str | None) -> str | None:
    """Return the day of a date or an instant as ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; None where it is no date.

    The date written with an offset is the day that was meant. An instant in UTC is of the day in Paris: 22:00Z and
    23:00Z are what programs make of midnight there.
    """
    if text is None:
        return None
    if _DAY.fullmatch(text):
        return text if _exists(text) else None
    found = _INSTANT.fullmatch(text)
    if found is None or not _exists(found[1]):
        return None
    if found[3] not in _UTC:
        return found[1]
    try:
        return datetime.fromisoformat(f"{found[1]}T{found[2]}+00:00").astimezone(_PARIS).date().isoformat()
    except (ValueError, OverflowError):
        return None


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(f"{day}-01-01"[:10] if len(day) < 10 else day)
    except ValueError:
        return False
    return True
