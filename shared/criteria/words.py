"""Words of the sentences of expressions in both languages: durations, numbers, bounds, windows and names. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from shared.criteria.units import is_bare

Labels = Callable[[str], Mapping[str, str] | None]


class Words(NamedTuple):
    """The same words in French and in English."""

    fr: str
    en: str

    def __add__(self, other: Any) -> "Words":
        return Words(self.fr + other.fr, self.en + other.en)


NOTHING: Final = Words("", "")
# Longer lists of codes are cut: the expression itself has them all.
MAX_NAMES: Final = 6
SIGNS: Final = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "=": "="}
_UNITS: Final = {
    "Y": (Words("an", "year"), Words("ans", "years")),
    "M": (Words("mois", "month"), Words("mois", "months")),
    "W": (Words("semaine", "week"), Words("semaines", "weeks")),
    "D": (Words("jour", "day"), Words("jours", "days")),
}
_PAST: Final = {
    "P1Y": Words(", au cours de l'année précédente", ", within the past year"),
    "P1M": Words(", au cours du mois précédent", ", within the past month"),
    "P1W": Words(", au cours de la semaine précédente", ", within the past week"),
    "P1D": Words(", en cours ou la veille", ", now or the day before"),
}


def duration(text: str) -> Words:
    """Return a duration in words: ``P1Y6M`` is ``1 an et 6 mois``, ``1 year and 6 months``."""
    parts = [
        Words(f"{count} ", f"{count} ") + _UNITS[unit][int(count) > 1]
        for count, unit in re.findall(r"([0-9]+)([YMWD])", text)
        if int(count)
    ]
    return joined(parts, Words(" et ", " and ")) if parts else Words("0 jour", "0 days")


def comparison(op: str, value: float, unit: str | None) -> Words:
    """Return an operator with its bound and the unit (UCUM), after a space."""
    return Words(f" {SIGNS[op]} ", f" {SIGNS[op]} ") + quantity(value, unit)


def quantity(value: float, unit: str | None) -> Words:
    """Return a number with its unit (UCUM), as a clinician writes them."""
    text = f"{value:.12g}" if isinstance(value, float) else str(value)
    number = Words(text.replace(".", ","), text)
    if unit is None or is_bare(unit):
        return number
    written = unit.replace("m2", "m²")
    area = "{1.73_m²}"
    return number + Words(f" {written.replace(area, '1,73 m²')}", f" {written.replace(area, '1.73 m²')}")


def window(within: str | None) -> Words:
    """Return the words for a window, after a comma; none without one."""
    if within is None:
        return NOTHING
    if within in _PAST:
        return _PAST[within]
    words = duration(within)
    past = "précédentes" if within.endswith("W") else "précédents"
    return Words(f", au cours des {words.fr} {past}", f", within the past {words.en}")


def names(codes: Sequence[str], labels: Labels) -> list[Words]:
    """Return the label of each code, or the code itself, of at most `MAX_NAMES`."""
    found = ((code, labels(code) or {}) for code in codes[:MAX_NAMES])
    return [Words(label.get("fr", code), label.get("en", code)) for code, label in found]


def named(codes: Sequence[str], labels: Labels) -> Words:
    """Return the labels of alternatives."""
    return joined(names(codes, labels), Words(" ou ", " or ")) + and_more(codes)


def and_more(listed: Sequence[str]) -> Words:
    """Return how many more there are than `MAX_NAMES`, in brackets."""
    rest = len(listed) - MAX_NAMES
    if rest <= 0:
        return NOTHING
    return (
        Words(f" (et {rest} autres)", f" (and {rest} others)") if rest > 1 else Words(" (et 1 autre)", " (and 1 other)")
    )


def joined(parts: Iterable[Words], between: Words) -> Words:
    listed = list(parts)
    return Words(between.fr.join(part.fr for part in listed), between.en.join(part.en for part in listed))
