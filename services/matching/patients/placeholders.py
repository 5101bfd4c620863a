"""Values that stand for what is not known: 1900-01-01, 9999-12-31, -99, P999Y. Pure."""

from collections.abc import Sequence
from typing import Any, Literal

from shared.criteria.durations import parse
from shared.criteria.units import measure

MAX_AGE_YEARS = 120
_FIRST_REAL_DAY, _EPOCH = "1900-01-02", "1970-01-01"
_NEVER = frozenset({"2099-12-31", "2100-01-01", "2100-12-31"})
_IMPOSSIBLE = frozenset({-1, -8, -9, -77, -88, -98, -99, -888, -998, -999, -9999, -99999})
_DOUBTFUL = frozenset({999, 9999, 99999, 999999, 9999999})
# No catalytic activity, mass or number in a volume is negative. An amount may be: base excess.
_NEVER_NEGATIVE = frozenset({(("L", -1), ("kat", 1)), (("L", -1), ("g", 1)), (("L", -1),)})
# Base excess, which may be -1 mmol/L.
_SIGNED = frozenset({"LOINC:1925-7", "LOINC:1926-5", "LOINC:1927-3", "LOINC:11555-0", "LOINC:19235-1"})
_SIGNED_DIMENSIONS = ((("Cel", 1),), (("deg", 1),))


def is_placeholder_date(text: Any) -> bool:
    """Return whether a full or partial date is one that programs write for an unknown day."""
    if not isinstance(text, str):
        return False
    day = text[:10]
    if _FIRST_REAL_DAY <= day < "2099" and day != _EPOCH:
        return False
    if not day[:4].isascii() or not day[:4].isdecimal():
        return False
    return day == _EPOCH or day in _NEVER or day >= "2200" or day < _FIRST_REAL_DAY


def is_placeholder_age(duration: Any) -> bool:
    """Return whether no person is so old. Other texts than durations are none."""
    if not isinstance(duration, str):
        return False
    try:
        span = parse(duration)
    except ValueError:
        return False
    return span.months // 12 + span.days // 366 > MAX_AGE_YEARS


def judge_value(value: Any, unit: str | None, codes: Sequence[str]) -> Literal["usual", "doubtful", "impossible"]:
    """Judge a result. ``doubtful``: a number such as 999 that may be real; ``unit``: in UCUM."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "usual"
    if value in _DOUBTFUL:
        return "doubtful"
    if value >= 0:
        return "usual"
    known = None if unit is None else measure(unit)
    if known is not None and known.dimension in _NEVER_NEGATIVE:
        return "impossible"
    if value not in _IMPOSSIBLE or not _SIGNED.isdisjoint(codes) or (unit is not None and unit.startswith("{")):
        return "usual"
    return "usual" if known is not None and known.dimension in _SIGNED_DIMENSIONS else "impossible"
