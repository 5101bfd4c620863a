"""Converts the time elements of a Phenopacket to full or partial dates, never more precise than given. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.criteria.durations import ONE_DAY, Span, add, parse, smallest_unit

# Protobuf writes up to nine digits of a second; Python reads six.
_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """``start`` and ``end`` as ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; None where not given."""

    start: str | None = None
    end: str | None = None


def moment(element: Mapping[str, Any], birth: date | None) -> Moment | None:
    """Read a TimeElement: a timestamp, an interval, or an age (needs ``birth``). None for a value of the wrong type."""
    if "timestamp" in element:
        return _of(element["timestamp"], element["timestamp"])
    if "interval" in element:
        interval = element["interval"]
        return _of(interval.get("start"), interval.get("end")) if isinstance(interval, dict) else None
    if "age" in element:
        age = element["age"]
        duration = age.get("iso8601duration") if isinstance(age, dict) else None
        if not isinstance(duration, str):
            return None
        day = None if birth is None else _at_age(birth, duration)
        return Moment(day, day)
    return Moment()


def _of(start: Any, end: Any) -> Moment | None:
    if not isinstance(start, str | None) or not isinstance(end, str | None):
        return None
    return Moment(_day(start), _day(end))


def _day(timestamp: str | None) -> str | None:
    found = _TIMESTAMP.fullmatch(timestamp or "")
    if found is None:
        return None
    try:
        return datetime.fromisoformat(found.group(1) + found.group(2)).astimezone(UTC).date().isoformat()
    except (ValueError, OverflowError):
        return None


def _at_age(birth: date, duration: str) -> str | None:
    """Return the most precise date that contains every day on which a person born on ``birth`` has this age."""
    try:
        span, unit = parse(duration), smallest_unit(duration)
    except ValueError:
        return None
    first = add(birth, span)
    last = add(birth, Span(span.months + unit.months, span.days + unit.days)) - timedelta(days=1)
    if not date.min + ONE_DAY < first <= last < date.max - ONE_DAY:
        return None
    if first == last:
        return first.isoformat()
    if (first.year, first.month) == (last.year, last.month):
        return f"{first:%Y-%m}"
    return f"{first:%Y}" if first.year == last.year else None
