"""Finds concepts by the words of their names."""

from collections.abc import Callable, Container, Iterable, Iterator
from functools import cached_property

from shared.vocabulary.text import fold


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

        A name that is the query comes first, then concepts written by hand, then shorter names.
        """
        asked = fold(query)
        if not asked:
            return []
        longest, *others = sorted(asked.split(), key=len, reverse=True)
        best: dict[str, tuple[bool, bool, int, str]] = {}
        for line in self._lines_with(f" {longest}"):
            name, _, code = line.rpartition("\t")
            if all(f" {word}" in name for word in others):
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
