"""Words as the index has them, and the beginnings by which a word of a search finds them. Pure."""

import re

from shared.vocabulary.text import distance, errors_of, fold

# Shorter words are not shortened.
SHORTEST_STEM = 5
MAX_WORD = 60
# Without numbers: a register may have thousands of names such as ABC-123, which each search for ABC would go through.
_COMPOUND = re.compile(r"\b[^\W\d_]+(?:[-\u2010-\u2013][^\W\d_]+)+\b")


def index_words(text: str) -> list[str]:
    """Return the words of a text: lower case, no accents, ``e`` for ``ae`` and ``oe`` (haemophilia)."""
    return [_plain(word) for word in fold(text).split()]


def compounds(text: str) -> list[str]:
    """Return the words with hyphens of a text as one word each: ``microdystrophin`` of ``micro-dystrophin``."""
    return ["".join(index_words(one)) for one in _COMPOUND.findall(text)]


def beginnings(word: str) -> tuple[str, ...]:
    """Return the beginnings of the indexed words that this word finds, so that its plural finds the singular."""
    word = _plain(word)
    if len(word) < SHORTEST_STEM:
        return (word,)
    if word.endswith("ies"):
        return word[:-2], word[:-3] + "y"
    if word.endswith("aux"):
        return word, word[:-2] + "l"
    if word.endswith(("ique", "iques")):
        return word.removesuffix("s"), word.removesuffix("s")[:-3] + "c"
    if word.endswith("y"):
        return word, word[:-1] + "ie"
    if word.endswith(("s", "x")) and not word.endswith(("ss", "us", "is")):
        return (word[:-1],)
    return (word,)


def begins(word: str, typed: str) -> bool:
    """Return whether a word of the index begins as typed; longer words may have errors (`errors_of`)."""
    if any(word.startswith(one) for one in beginnings(typed)):
        return True
    errors = errors_of(typed)
    lengths = range(len(typed) - errors, len(typed) + errors + 1)
    return errors > 0 and any(distance(typed, word[:length]) <= errors for length in lengths)


def _plain(word: str) -> str:
    return word[:MAX_WORD].replace("ae", "e").replace("oe", "e")
