"""Ages and durations in words."""

import re

from shared.criteria import words
from shared.values.language import Language

_DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?")


def duration(text: str | None, language: Language) -> str:
    """Write a duration of ISO 8601 in days or more: ``P3Y6M`` is ``3 ans et 6 mois``. Anything else: empty."""
    written: str = getattr(words.duration(text), language) if text and _DURATION.fullmatch(text) else ""
    return written


def years(text: str | None) -> float | None:
    """Return a duration in years, weeks and days being parts of one; None: there is none."""
    match = _DURATION.fullmatch(text or "")
    if match is None:
        return None
    return sum(int(number or 0) / part for number, part in zip(match.groups(), (1, 12, 52, 365), strict=True))


def age_range(least: str | None, most: str | None, language: Language) -> str:
    """Write from which age to which age: ``De 3 ans à 15 ans``. Empty: no age is stated."""
    first, last = duration(least, language), duration(most, language)
    if not (first or last):
        return ""
    french = language == "fr"
    if not last:
        return f"À partir de {first}" if french else f"From {first}"
    if not first or first.startswith("0 "):
        return f"Jusqu'à {last}" if french else f"Up to {last}"
    if len(first.split()) == len(last.split()) == 2 and first.split()[1] == last.split()[1]:
        first = first.split()[0]
    return f"De {first} à {last}" if french else f"From {first} to {last}"
