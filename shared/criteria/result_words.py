"""The words by which a result says that something was found or not, in English and French."""

from typing import Literal

_NEGATIVE = frozenset(
    (
        *("negative", "neg", "not detected", "not-detected", "not_detected", "undetected", "undetectable"),
        *("non-reactive", "non_reactive", "nonreactive", "not reactive", "absent", "none detected", "not found"),
        *("négatif", "négative", "negatif", "non détecté", "non détectée", "non detecte", "non detectee"),
        *("indétectable", "indetectable", "non détectable", "non réactif", "non réactive", "non reactif"),
        *("absente", "absence", "non retrouvé", "non retrouvée"),
    )
)
_POSITIVE = frozenset(
    (
        *("positive", "pos", "detected", "detectable", "reactive", "present", "found"),
        *("positif", "détecté", "détectée", "detecte", "detectee", "détectable", "réactif", "réactive", "reactif"),
        *("présent", "présente", "présence"),
    )
)


def read_result(text: str) -> Literal["positive", "negative"] | None:
    """Return what a word says; None for any other text."""
    word = " ".join(text.split()).casefold()
    return "negative" if word in _NEGATIVE else "positive" if word in _POSITIVE else None
