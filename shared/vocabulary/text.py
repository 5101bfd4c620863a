"""Folding of text for comparison: accents and case do not matter."""

import re
import unicodedata

# Letters that the compatibility decomposition leaves as they are.
_WORD = re.compile(r"[^\W_]+")
_LIGATURES = str.maketrans({"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE"})


def without_accents(text: str) -> str:
    """Return ``text`` case-folded, without combining marks and ligatures (compatibility decomposition)."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.translate(_LIGATURES))
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark)).casefold()


def fold(text: str) -> str:
    """Return lower-case words of letters and digits without accents, separated by single spaces."""
    return " ".join(_WORD.findall(without_accents(text)))
