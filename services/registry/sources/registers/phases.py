"""Reads phases in words: "Therapeutic exploratory (Phase II)", "Phase I/II", "Phase 3"."""

import re
from collections.abc import Mapping
from typing import Final

from services.registry.model.trial import Phase
from services.registry.sources.reading import Section, escape

_PHASES: Final[Mapping[frozenset[int], Phase]] = {
    frozenset({1}): "phase-1",
    frozenset({1, 2}): "phase-1-phase-2",
    frozenset({2}): "phase-2",
    frozenset({2, 3}): "phase-2-phase-3",
    frozenset({3}): "phase-3",
    frozenset({3, 4}): "phase-3-phase-4",
    frozenset({4}): "phase-4",
}
_NUMERALS: Final = {"I": 1, "II": 2, "III": 3, "IV": 4, "1": 1, "2": 2, "3": 3, "4": 4}
_NUMERAL: Final = re.compile(r"(?<![A-Za-z0-9])(IV|I{1,3}|[1-4])(?:[ab])?(?![A-Za-z0-9])")
_NOT_GIVEN: Final = re.compile(r"not specified|non précisée?", re.IGNORECASE)
_NOT_APPLICABLE: Final = re.compile(r"n/?a|not applicable|sans objet", re.IGNORECASE)


def phase_of(numbers: frozenset[int]) -> Phase | None:
    """Return the phase of a trial that is of one or two consecutive phases; None for other combinations."""
    return _PHASES.get(numbers)


def phase_in_words(section: Section, key: str) -> Phase | None:
    """Return the phase that a text names; None if it is absent or, with a warning, not understood."""
    written = section.line(key, 200)
    if written is None or _NOT_GIVEN.fullmatch(written):
        return None
    if _NOT_APPLICABLE.fullmatch(written):
        return "n-a"
    found = phase_of(frozenset(_NUMERALS[numeral] for numeral in _NUMERAL.findall(written)))
    if found is None:
        unknown_code(section, key)
    return found


def unknown_code(section: Section, key: str) -> None:
    """Warn of a code or a word that is not known."""
    section.reader.warn(f"{section.pointer}/{escape(key)}", "unknown_code", "code inconnu", "unknown code")
