"""Folding of text for comparison: accents and case do not matter."""

import unicodedata


def without_accents(text: str) -> str:
    """Return ``text`` case-folded and without combining marks (compatibility decomposition)."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark)).casefold()


def fold(text: str) -> str:
    """Return lower-case words of letters and digits without accents, separated by single spaces."""
    return " ".join("".join(mark if mark.isalnum() else " " for mark in without_accents(text)).split())
