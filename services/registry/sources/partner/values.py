"""Values of a partner's record: words for codes, lists of texts, numbers, durations, yes or no."""

import re
from typing import Any, Final

from services.registry.sources.partner.columns import Column, columns, folded
from services.registry.sources.reading import Reader, Section

SHORT: Final = 200
_AGE: Final = re.compile(
    r"([0-9]{1,3})\s*(ans?|years?|y|mois|months?|m|semaines?|weeks?|w|jours?|days?|d|j)?\.?", re.IGNORECASE
)
_UNITS: Final = {"a": "Y", "y": "Y", "s": "W", "w": "W", "j": "D", "d": "D", "m": "M", "": "Y"}
_DURATION: Final = re.compile(r"P(?:[0-9]{1,3}Y)?(?:[0-9]{1,4}M)?(?:[0-9]{1,4}W)?(?:[0-9]{1,5}D)?(?<!P)")


def quiet(top: Section) -> Section:
    """Return a section that reports no warnings."""
    return Section(Reader(), top.pointer, top.given)


def column(key: str) -> Column:
    """Return the column with a name."""
    return columns()[key]


def code(top: Section, key: str) -> Any:
    """Return the code of a word; None if it is absent or none is known."""
    written = top.line(key, SHORT)
    return None if written is None else column(key).values.get(folded(written))


def known(top: Section, key: str) -> Any:
    """Return the code of a word; None if it is absent or, with a warning, not known."""
    found = code(top, key)
    if found is None and top.line(key, SHORT) is not None:
        codes = ", ".join(dict.fromkeys(column(key).values.values()))
        top.reader.warn(
            f"/{key}",
            "unknown_code",
            f"mot inconnu ; codes possibles : {codes}",
            f"unknown word; possible codes: {codes}",
        )
    return found


def texts(top: Section, key: str, limit: int, most: int) -> list[str]:
    """Return the texts of a member, each once."""
    return list(dict.fromkeys(text for _, text in top.each_line(key, limit, most)))


def duration(top: Section, key: str) -> str | None:
    """Return an age or another duration as in ISO 8601; a number alone counts years."""
    written = top.code(key)
    if written is None:
        return None
    found = _AGE.fullmatch(written.strip())
    if found is not None:
        return f"P{int(found[1])}{_UNITS[(found[2] or '')[:1].lower()]}"
    if _DURATION.fullmatch(written):
        return written
    top.reader.warn(
        f"/{key}",
        "age_form",
        "un âge ou une durée est un nombre suivi d'une unité, p. ex. 6 mois ou 4 ans",
        "an age or a duration is a number and a unit, e.g. 6 months or 4 years",
    )
    return None


def flag(top: Section, key: str) -> bool | None:
    """Return a truth value, written as one or as a word."""
    if isinstance(top.given.get(key), bool):
        return top.flag(key)
    found = known(top, key)
    return None if found is None else bool(found == "true")


def whole_number(top: Section, key: str, most: int) -> int | None:
    """Return a whole number from 0 to ``most``, possibly written with spaces between thousands."""
    written = top.code(key)
    if written is None:
        return None
    digits = re.sub(r"[\s\u00a0\u202f]", "", written)
    if re.fullmatch("[0-9]{1,9}", digits) and int(digits) <= most:
        return int(digits)
    top.reader.warn(f"/{key}", "whole_number", "un nombre entier est attendu, p. ex. 24", "a whole number is expected")
    return None
