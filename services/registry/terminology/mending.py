"""Names whose words were typed apart or together: ``drépano cytose``, ``amyotrophiespinale``. Pure."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from services.registry.terminology.phrases import Word, normalise_word

SHORTEST_JOINED: Final = 6
# A word that is cut has two parts of this length at least.
SHORTEST_PART: Final = 3
SHORTEST_CUT: Final = 7

# Returns whether a normalised word stands in any name.
IsWord = Callable[[str], bool]
# Returns the places of the names in a text: of each its first word and the word after its last.
Places = Callable[[Sequence[Word]], Collection[tuple[int, int]]]
Text = tuple[Word, ...]


def mended(typed: Text, places: Places, is_word: IsWord) -> Text:
    """Return a text with words outside all names joined, or cut in two, where that makes them part of a name."""
    names, place = places(typed), 0
    while place < len(typed):
        better = None if _covers(names, place, place + 1) else next(_better(typed, place, places, is_word), None)
        if better is not None:
            typed, names = better, places(better)
        place += 1
    return typed


def _better(typed: Text, place: int, places: Places, is_word: IsWord) -> Iterator[Text]:
    for last in (place + 2, place + 3):
        parts = typed[place:last]
        joined = _word("".join(one.text for one in parts), parts[0].start, parts[-1].end)
        if last <= len(typed) and len(joined.text) >= SHORTEST_JOINED and is_word(joined.folded):
            tried = (*typed[:place], joined, *typed[last:])
            if _covers(places(tried), place, place + 1):
                yield tried
    word = typed[place]
    if len(word.text) < SHORTEST_CUT:
        return
    for cut in range(SHORTEST_PART, len(word.text) - SHORTEST_PART + 1):
        middle = word.start + cut
        both = (_word(word.text[:cut], word.start, middle), _word(word.text[cut:], middle, word.end))
        if all(is_word(one.folded) for one in both):
            tried = (*typed[:place], *both, *typed[place + 1 :])
            if _covers(places(tried), place, place + 2):
                yield tried


def _covers(names: Collection[tuple[int, int]], first: int, last: int) -> bool:
    return any(start <= first and last <= end for start, end in names)


def _word(text: str, start: int, end: int) -> Word:
    return Word(text, normalise_word(text), start, end)
