"""Folding of text for comparison: accents and case do not matter."""

import re
import unicodedata

# Letters that the compatibility decomposition leaves as they are.
_WORD = re.compile(r"[^\W_]+")
# Typing errors: one in words of this length, two in longer ones from `_TWO_ERRORS` on.
_ONE_ERROR, _TWO_ERRORS = 5, 9
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


def errors_of(word: str) -> int:
    """Return how many letters may differ where nothing has the word as it is written."""
    if len(word) < _ONE_ERROR or any(letter.isdigit() for letter in word):
        return 0
    return 1 if len(word) < _TWO_ERRORS else 2


def distance(one: str, other: str) -> int:
    """Return how many letters to change, add, leave out or exchange with the next one make two words equal."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, against in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]
