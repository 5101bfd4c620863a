"""Exact comparison of a measured number, which may have a comparator such as ``<``, with a bound."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal

from services.matching.engine.facts import Comparator
from services.matching.engine.kleene import MET, NOT_MET, UNKNOWN, State

_LESS, _EQUAL, _GREATER = 1, 2, 4
_ACCEPTED: Mapping[str, int] = {"<": _LESS, "<=": _LESS | _EQUAL, ">": _GREATER, ">=": _GREATER | _EQUAL, "=": _EQUAL}


def compare(
    number: Fraction | int, comparator: Comparator | None, op: Literal["<", "<=", ">", ">=", "="], bound: Fraction | int
) -> State:
    """Return the state of ``number op bound``. A number with a comparator is an interval, so it may be UNKNOWN."""
    possible, accepted = _orderings(number, comparator, bound), _ACCEPTED[op]
    if not possible & accepted:
        return NOT_MET
    return MET if not possible & ~accepted else UNKNOWN


def between(fewest: int, most: int | None, op: Literal["<", "<=", ">", ">=", "="], bound: int) -> State:
    """Return the state of ``n op bound`` for a whole number n from ``fewest`` to ``most`` (None: no upper limit)."""
    possible = _LESS if fewest < bound else 0
    possible |= _GREATER if most is None or most > bound else 0
    possible |= _EQUAL if fewest <= bound and (most is None or most >= bound) else 0
    accepted = _ACCEPTED[op]
    if not possible & accepted:
        return NOT_MET
    return MET if not possible & ~accepted else UNKNOWN


def _orderings(number: Fraction | int, comparator: Comparator | None, bound: Fraction | int) -> int:
    """Return how the number may compare to the bound, as a bit set."""
    if comparator is None:
        return _LESS if number < bound else _GREATER if number > bound else _EQUAL
    touches = _EQUAL if number == bound and comparator in ("<=", ">=") else 0
    if comparator in ("<", "<="):
        return _LESS | (_EQUAL | _GREATER if bound < number else touches)
    return _GREATER | (_EQUAL | _LESS if bound > number else touches)
