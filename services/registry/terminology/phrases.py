"""Normalised words of medical texts: accents, case, spelling variants, possessives and plurals do not matter."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from shared.vocabulary.text import without_accents

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*\+?", re.UNICODE)
_ACRONYM = re.compile(r"[A-Z0-9]{2,6}s?")
# Types and stages: "type II" and "type 2" are one.
_ROMAN = {"I": "1", "II": "2", "III": "3", "IV": "4", "VI": "6", "VII": "7"}
Value = TypeVar("Value")


@lru_cache(maxsize=65536)
def normalise_word(word: str) -> str:
    """Normalise one word: ``Sjögren's`` -> ``sjogren``, ``anaemias`` -> ``anemia``, ``maladies`` -> ``malady``."""
    if word in _ROMAN:
        return _ROMAN[word]
    plain = without_accents(word).replace("’", "'")
    plain = plain.removesuffix("'s")
    head, _, tail = plain.rpartition("'")
    if head and len(head) <= 2:  # l'anémie, d'une
        plain = tail
    plain = plain.replace("'", "").replace("ae", "e").replace("oe", "e")
    if len(plain) > 4:
        if plain.endswith("ies"):
            plain = plain[:-3] + "y"
        elif plain.endswith("s") and not plain.endswith(("ss", "us", "is")):
            plain = plain[:-1]
        if plain.endswith("ie"):
            plain = plain[:-2] + "y"
    return plain


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: as written, normalised, and its place, ``[start, end)`` in characters."""

    text: str
    folded: str
    start: int
    end: int


def words(text: str) -> tuple[Word, ...]:
    """Return the words of a text in order.

    Hyphens and punctuation separate words; a final plus (``CD34+``) is part of its word.
    """
    return tuple(
        Word(found.group(), normalise_word(found.group()), found.start(), found.end()) for found in _WORD.finditer(text)
    )


def normalise(text: str) -> str:
    """Return the normalised words of a text, separated by single spaces."""
    return " ".join(map(normalise_word, _WORD.findall(text)))


def is_acronym(text: str) -> bool:
    """Return whether a phrase is an acronym, which counts only in capitals (``AS``, not ``as``)."""
    return _ACRONYM.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Match(Generic[Value]):
    """A known phrase in a text: its meaning and its words, ``[first, last)``."""

    value: Value
    phrase: str
    first: int
    last: int


class PhraseTable(Generic[Value]):
    """Phrases with a meaning, found in texts on word boundaries, the longest first. Immutable."""

    def __init__(self, phrases: Iterable[tuple[str, Value]]) -> None:
        table: dict[tuple[str, ...], list[tuple[str, Value]]] = {}
        for phrase, value in phrases:
            key = tuple(word.folded for word in words(phrase))
            if key:
                table.setdefault(key, []).append((phrase, value))
        self._table: Mapping[tuple[str, ...], list[tuple[str, Value]]] = table
        self._longest: dict[str, int] = {}
        for key in table:
            self._longest[key[0]] = max(self._longest.get(key[0], 0), len(key))

    @property
    def vocabulary(self) -> frozenset[str]:
        """The normalised words of all phrases."""
        return frozenset(word for key in self._table for word in key)

    def exactly(self, text: str) -> tuple[Value, ...]:
        """Return the meanings of a phrase that is the whole text."""
        return tuple(value for _, value in self._table.get(tuple(word.folded for word in words(text)), ()))

    def find(self, text: Sequence[Word]) -> list[Match[Value]]:
        """Return the phrases of a text, the longest at each place, without overlap; one match per meaning."""
        found: list[Match[Value]] = []
        place = 0
        while place < len(text):
            step = 1
            for length in range(min(self._longest.get(text[place].folded, 0), len(text) - place), 0, -1):
                span = text[place : place + length]
                meanings = [
                    Match(value, phrase, place, place + length)
                    for phrase, value in self._table.get(tuple(word.folded for word in span), ())
                    if length > 1 or not is_acronym(phrase) or is_acronym(span[0].text)
                ]
                if meanings:
                    found.extend(meanings)
                    step = length
                    break
            place += step
        return found
