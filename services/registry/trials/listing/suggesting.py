"""Suggestions while a search is being typed: diseases with trials, trials and centres. Letters may be wrong."""

from collections.abc import Iterable, Sequence
from typing import Final

from tantivy import Query

from services.registry.search.documents import CentreFacts
from services.registry.search.index import NOTHING, View, all_of, any_of, beginning, term
from services.registry.search.query import SearchReader, TypedSearch
from services.registry.search.vocabulary import vocabulary
from services.registry.search.words import beginnings, begins, index_words
from services.registry.terminology.concept import Concept
from services.registry.terminology.terminology import Terminology
from services.registry.trials.listing.filters import by_openness
from services.registry.trials.listing.schemas import Suggestion
from shared.values.wire import Label
from shared.vocabulary.text import errors_of

MOST_OF_A_KIND: Final = 5
MAX_WORDS: Final = 8
# Diseases looked at: trials that treat the one that is meant may treat others too.
CANDIDATES: Final = 40


def diseases(
    view: View, typed: str, visible: Query, terminology: Terminology, reader: SearchReader
) -> list[Suggestion]:
    """Return the diseases that have trials and a name with the typed words; first those with most trials.

    Where there is none, the diseases that a whole text names: by a code, in a sentence, or written otherwise.
    """
    words = _words(typed)
    query = all_of(visible, *(_in_disease(word, view, visible) for word in words)) if words else NOTHING
    found: list[Suggestion] = []
    _, found_codes = view.facets(query, ["disease_code"], CANDIDATES)
    for code, count in found_codes["disease_code"]:
        concept = terminology.concept(code)
        if concept and _is_named(words, (*concept.names, code)) and len(found) < MOST_OF_A_KIND:
            found.append(_disease(concept, count))
    return found or _meant(view, visible, terminology, reader.read(typed))


def _meant(view: View, visible: Query, terminology: Terminology, search: TypedSearch) -> list[Suggestion]:
    concepts = {concept.code: concept for one in search.named if (concept := terminology.concept(one))}
    counted = [(one, view.count(all_of(visible, term("target", one.code)))) for one in concepts.values()]
    return [_disease(concept, count) for concept, count in counted if count][:MOST_OF_A_KIND]


def _disease(concept: Concept, count: int) -> Suggestion:
    label = Label(fr=concept.label_fr, en=concept.label_en)
    return Suggestion(kind="condition", value=concept.code, label=label, count=count)


def trials(view: View, typed: str, visible: Query, reader: SearchReader) -> list[int]:
    """Return the numbers of the first trials that the typed text finds."""
    search = reader.read(typed)
    query = all_of(visible, search.matching(view, visible))
    levels = [by_openness(), search.tiers()]
    return [hit.number for hit in view.page(query, levels, "by_relevance", None, MOST_OF_A_KIND)]


def centres(typed: str, known: Iterable[CentreFacts]) -> list[Suggestion]:
    """Return the centres with the typed words in their name, city or region."""
    words = _words(typed)
    named = [one for one in known if words and _is_named(words, (f"{one.name} {one.city} {one.region}",))]
    return [
        Suggestion(kind="centre", value=one.id, label=Label(fr=one.name, en=one.name))
        for one in sorted(named, key=lambda one: one.id)[:MOST_OF_A_KIND]
    ]


def _words(typed: str) -> list[str]:
    words = index_words(typed)[:MAX_WORDS]
    # The last word is still being typed: "dans" may become a longer one.
    return [word for word in words[:-1] if word not in vocabulary().stop_words] + words[-1:]


def _in_disease(word: str, view: View, visible: Query) -> Query:
    right = any_of(*(beginning("disease", one) for one in beginnings(word)))
    errors = errors_of(word)
    return right if not errors or view.count(all_of(visible, right)) else beginning("disease", word, errors)


def _is_named(words: Sequence[str], names: Iterable[str]) -> bool:
    return any(
        all(any(begins(word, typed) for word in of_name) for typed in words) for of_name in map(index_words, names)
    )
