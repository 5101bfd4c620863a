"""Answers to tests, as codes and as words: positive or negative. Pure."""

from collections.abc import Iterable
from typing import Literal

WORDS = {
    **dict.fromkeys(
        ("negative", "neg", "négatif", "négative", "not detected", "non détecté", "non détectée", "non détectable",
         "undetectable", "indétectable", "non-reactive", "non reactive", "non réactif", "absent", "absente", "absence"),
        "negative",
    ),
    **dict.fromkeys(
        ("positive", "pos", "positif", "detected", "détecté", "détectée", "reactive", "réactif", "present", "présent",
         "présente", "présence"),
        "positive",
    ),
}  # fmt: skip
# SNOMED CT, answer lists of LOINC, PATO.
_POSITIVE = frozenset({
    "SNOMED:10828004", "SNOMED:260373001", "SNOMED:11214006", "SNOMED:52101004", "LOINC:LA6576-8", "LOINC:LA9633-4",
    "LOINC:LA11882-0", "LOINC:LA15255-5", "PATO:0000467",
})  # fmt: skip
_NEGATIVE = frozenset({
    "SNOMED:260385009", "SNOMED:260415000", "SNOMED:131194007", "SNOMED:2667000", "LOINC:LA6577-6", "LOINC:LA9634-2",
    "LOINC:LA11883-8", "LOINC:LA15256-3", "PATO:0000462",
})  # fmt: skip

Answer = Literal["present", "absent"]


def answer_of_codes(codes: Iterable[str | None]) -> Answer | None:
    """Return whether a coded answer is positive (``present``) or negative (``absent``); None where it is neither."""
    found = set(codes)
    if found & _POSITIVE:
        return "present"
    return "absent" if found & _NEGATIVE else None


def answer_of_text(text: str | None) -> Answer | None:
    """Return whether a written answer is positive or negative; None where it is neither."""
    word = WORDS.get((text or "").strip().casefold())
    return None if word is None else "present" if word == "positive" else "absent"
