"""Words of a search in both languages: topics such as "gene therapy" by all their names, and words to leave out."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from services.registry.terminology.phrases import PhraseTable, words
from shared.vocabulary.text import fold

_PACKAGE: Final = "services.registry.search"


@dataclass(frozen=True, slots=True)
class Topic:
    """What several phrases name.

    ``terms``: pairs of a field of the index and a value; ``codes``: diseases, whose descendants count too.
    ``coded_only``: a text that has its single words may mention it by the way.
    """

    name: str
    terms: tuple[tuple[str, str], ...]
    codes: tuple[str, ...]
    coded_only: bool


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """``asked``: the phrases of searches; ``words``: the normalised words of these.

    ``signs``: the phrases by which a text of a trial shows a topic; ``places``: those by which a place does.
    """

    stop_words: frozenset[str]
    asked: PhraseTable[Topic]
    signs: PhraseTable[Topic]
    places: PhraseTable[Topic]
    words: frozenset[str]

    def topics_of(self, texts: Iterable[str], places: Iterable[str]) -> set[str]:
        """Return the names of the topics that some texts, and the names of some places, show."""
        return {match.value.name for text in texts for match in self.signs.find(words(text))} | {
            match.value.name for place in places for match in self.places.find(words(place))
        }


@cache
def vocabulary() -> Vocabulary:
    """Return the packaged vocabulary, read once."""
    document: dict[str, Any] = json.loads((resources.files(_PACKAGE) / "vocabulary.json").read_text(encoding="utf-8"))
    asked: list[tuple[str, Topic]] = []
    signs: list[tuple[str, Topic]] = []
    places: list[tuple[str, Topic]] = []
    for given in document["topics"]:
        terms = tuple((field, value) for field, _, value in (term.partition(":") for term in given.get("terms", ())))
        topic = Topic(given["name"], terms, tuple(given.get("codes", ())), bool(given.get("coded_only")))
        phrases = list(dict.fromkeys(given["phrases"]))
        asked += [(phrase, topic) for phrase in _in_any_case(phrases)]
        shown = [(phrase, topic) for phrase in [*phrases, *given.get("signs", ())]]
        signs, places = (signs, [*places, *shown]) if given.get("place") else ([*signs, *shown], places)
    stop_words = frozenset(fold(word) for word in document["stop_words"])
    table = PhraseTable(asked)
    return Vocabulary(stop_words, table, PhraseTable(signs), PhraseTable(places), table.vocabulary)


def _in_any_case(phrases: Iterable[str]) -> Iterable[str]:
    # A table finds acronyms in capitals only, as texts write them. Searches are typed in small letters.
    return (phrase.lower() for phrase in phrases)
