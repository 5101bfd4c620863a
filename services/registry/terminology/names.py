"""The names of diseases in texts: those written by hand first, then those of the compiled tables."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Final

from services.registry.terminology.phrases import Match, PhraseTable, Word, normalise, words

# Shorter words of the tables are acronyms of several diseases, or words of the language.
SHORTEST_WORD: Final = 5
LONGEST_PHRASE: Final = 14


class SortedPhrases:
    """Many phrases with a code each, in one sorted list: little memory, built in under a second when first needed."""

    def __init__(self, phrases: Callable[[], Iterable[tuple[str, str]]]) -> None:
        """``phrases``: pairs of a name and a code."""
        self._phrases = phrases

    @cached_property
    def _sorted(self) -> list[str]:
        keys = ((normalise(name), code) for name, code in self._phrases())
        return sorted({f"{key}\t{code}" for key, code in keys if " " in key or len(key) >= SHORTEST_WORD})

    @property
    def vocabulary(self) -> frozenset[str]:
        """The normalised words of all phrases."""
        return frozenset(word for line in self._sorted for word in line.partition("\t")[0].split(" "))

    def codes(self, key: str) -> list[str]:
        """Return the codes of a phrase, given by its normalised words."""
        place = bisect_left(self._sorted, f"{key}\t")
        found = []
        while place < len(self._sorted) and self._sorted[place].startswith(f"{key}\t"):
            found.append(self._sorted[place].rpartition("\t")[2])
            place += 1
        return found

    def begins(self, key: str) -> bool:
        """Return whether a phrase begins with these words."""
        place = bisect_left(self._sorted, key)
        return place < len(self._sorted) and self._sorted[place].startswith(key)


class DiseaseNames:
    """Finds diseases in texts as `PhraseTable` does. At one place the longest name counts; one written by hand first.

    ``code_of``: the code of the concept that a code of the tables belongs to.
    """

    def __init__(self, by_hand: PhraseTable[str], tables: SortedPhrases, code_of: Callable[[str], str]) -> None:
        self._by_hand = by_hand
        self._tables = tables
        self._code_of = code_of

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """The normalised words of all names."""
        return self._by_hand.vocabulary | self._tables.vocabulary

    def exactly(self, text: str) -> tuple[str, ...]:
        """Return the codes of a name that is the whole text."""
        return self._by_hand.exactly(text) or self._codes(words(text))

    def find(self, text: Sequence[Word]) -> list[Match[str]]:
        """Return the names of a text, the longest at each place, without overlap; one match for each code."""
        by_hand: dict[int, list[Match[str]]] = {}
        for match in self._by_hand.find(text):
            by_hand.setdefault(match.first, []).append(match)
        found: list[Match[str]] = []
        place = 0
        while place < len(text):
            here = by_hand.get(place, [])
            compiled = self._longest(text, place, here[0].last if here else place)
            found += compiled or here
            place = found[-1].last if compiled or here else place + 1
        return found

    def _longest(self, text: Sequence[Word], first: int, taken: int) -> list[Match[str]]:
        """Return the longest name of the tables that begins at a word and ends after the word ``taken``."""
        longest: list[Match[str]] = []
        for last in range(first + 1, min(len(text), first + LONGEST_PHRASE) + 1):
            key = _key(text[first:last])
            if not self._tables.begins(key):
                break
            if last > taken:
                codes = self._codes(text[first:last])
                longest = [Match(code, key, first, last) for code in codes] or longest
        return longest

    def _codes(self, text: Sequence[Word]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(self._code_of, self._tables.codes(_key(text)))))


def _key(text: Sequence[Word]) -> str:
    return " ".join(word.folded for word in text)
