"""Finds concepts by the words of their names."""

from collections.abc import Callable, Container, Iterable, Iterator
from functools import cached_property, lru_cache, partial
from itertools import islice
from typing import Final

from shared.vocabulary.text import distance, errors_of, fold

# Letters of a mistyped word that must be right, and how many names with them are compared.
_RIGHT: Final = 3
_MOST_LINES: Final = 2_000


class ConceptFinder:
    """The folded names of all concepts in one text, made when first asked, in about a second, or by `prepare`.

    ``names``: yields each code with its names; ``by_hand``: the codes of concepts written by hand.
    """

    def __init__(self, names: Callable[[], Iterable[tuple[str, Iterable[str]]]], by_hand: Container[str]) -> None:
        self._names = names
        self._by_hand = by_hand

    def prepare(self) -> None:
        """Make the text now, so that the first to ask need not wait. Nothing is done where it is made."""
        _ = self._text

    def find(self, query: str, limit: int) -> list[str]:
        """Return the codes of at most ``limit`` concepts with a name in which each word of the query begins a word.

        A name that is the query comes first, then concepts written by hand, then shorter names. Where there is none,
        letters may be wrong (`errors_of`), but not the first three of the longest word.
        """
        asked = fold(query)
        if not asked:
            return []
        longest, *others = sorted(asked.split(), key=len, reverse=True)
        lines = self._lines_with(f" {longest}")
        found = self._best(asked, limit, lines, lambda name: all(f" {word}" in name for word in others))
        if found or not errors_of(longest):
            return found
        lines = islice(self._lines_with(f" {longest[:_RIGHT]}"), _MOST_LINES)
        mistyped = [lru_cache(maxsize=None)(partial(_begins, word)) for word in (longest, *others)]
        return self._best(asked, limit, lines, lambda name: all(any(map(one, name.split())) for one in mistyped))

    def _best(self, asked: str, limit: int, lines: Iterable[str], fits: Callable[[str], bool]) -> list[str]:
        best: dict[str, tuple[bool, bool, int, str]] = {}
        for line in lines:
            name, _, code = line.rpartition("\t")
            if fits(name):
                rank = (name.strip() != asked, code not in self._by_hand, len(name), code)
                best[code] = min(rank, best.get(code, rank))
        return [code for _, code in sorted((rank, code) for code, rank in best.items())][:limit]

    def _lines_with(self, part: str) -> Iterator[str]:
        """Yield the lines that hold a text: by search for it, which is many times faster than a pattern for lines."""
        text = self._text
        at = text.find(part)
        while at >= 0:
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            yield text[text.rfind("\n", 0, at) + 1 : end]
            at = text.find(part, end)

    @cached_property
    def _text(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for code, names in self._names():
            yield from (f" {folded}\t{code}" for folded in dict.fromkeys(map(fold, names)))


def _begins(typed: str, word: str) -> bool:
    """Return whether a word of a name begins as typed; longer words may have errors after their first letter."""
    errors = errors_of(typed)
    lengths = range(len(typed) - errors, len(typed) + errors + 1) if word[0] == typed[0] and errors else ()
    return word.startswith(typed) or any(distance(typed, word[:length]) <= errors for length in lengths)
