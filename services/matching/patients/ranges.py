"""Reference ranges in the unit of their result. Pure."""

from fractions import Fraction
from typing import NamedTuple

from shared.criteria.units import measure


class Limit(NamedTuple):
    """A limit of a range. ``unit``: None where it has none of its own: that of the result."""

    number: int | float | None
    unit: str | None


def range_in(unit: str | None, low: Limit, high: Limit) -> dict[str, int | float | None] | None:
    """Return the limits in the unit of the result; None where a unit differs in kind or the limits are reversed."""
    found: dict[str, int | float | None] = {}
    for name, limit in (("ref_low", low), ("ref_high", high)):
        factor = _factor(limit.unit, unit)
        if limit.number is not None and factor is None:
            return None
        found[name] = None if limit.number is None or factor is None else _times(limit.number, factor)
    if found["ref_low"] is not None and found["ref_high"] is not None and found["ref_low"] > found["ref_high"]:
        return None
    return found


def _factor(given: str | None, wanted: str | None) -> Fraction | None:
    """Return the factor between two units. They are units of a patient, so nothing is cached."""
    if given is None or given == wanted:
        return Fraction(1)
    source, target = measure(given), None if wanted is None else measure(wanted)
    if source is None or target is None or source.dimension != target.dimension:
        return None
    return source.factor / target.factor


def _times(number: float, factor: Fraction) -> int | float:
    if factor == 1:
        return number
    product = Fraction(str(number)) * factor
    return int(product) if product.denominator == 1 else float(product)
