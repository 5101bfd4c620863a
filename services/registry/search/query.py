"""A typed search as queries of the index: first as diseases and topics, then as words."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Final

from tantivy import Query

from services.registry.search.index import NOTHING, View, all_of, any_of, any_term, beginning, but, term
from services.registry.search.vocabulary import Topic, vocabulary
from services.registry.search.words import beginnings, index_words
from services.registry.terminology.mending import SHORTEST_CUT, SHORTEST_JOINED, SHORTEST_PART, mended
from services.registry.terminology.phrases import Word, words
from services.registry.terminology.products import NamedProduct, typed_products
from services.registry.terminology.terminology import Terminology
from shared.terminology.codes import read_code
from shared.vocabulary.identifiers import alias_of, is_trial_id, recognise_identifier
from shared.vocabulary.text import errors_of, fold

MAX_WORDS: Final = 12
_ACRONYM = re.compile(r"[a-z0-9]{2,6}", re.IGNORECASE)
# A name of one short word is an acronym: as a word of a title it may mean something else.
_SHORTEST_NAME: Final = 5
# "Y a-t-il un essai": its middle is no acronym of ataxia telangiectasia.
_INVERSION = re.compile(r"-t-(?:il|elle|on)s?\b", re.IGNORECASE)
_ICD10 = re.compile(r"[A-TV-Z][0-9]{2}(?:\.[0-9]+)?\+?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a search asks for: any of its meanings counts.

    ``words``: the beginnings that find each of its words. ``codes``: of its disease and of the same in other systems;
    ``broader``: of diseases above it, which a trial may name instead. ``names``: other names of the disease, as words.
    ``aliases``: numbers of trials. ``named``: its codes as they were found. ``products``: medicinal products.
    ``joined``: it with the word before or after it as one word.
    """

    words: tuple[str, ...] = ()
    codes: frozenset[str] = frozenset()
    broader: frozenset[str] = frozenset()
    names: tuple[tuple[str, ...], ...] = ()
    topics: tuple[Topic, ...] = ()
    aliases: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    products: tuple[NamedProduct, ...] = ()
    joined: tuple[str, ...] = ()

    @property
    def is_disease(self) -> bool:
        return bool(self.codes) or any(topic.codes for topic in self.topics)

    @property
    def is_known(self) -> bool:
        """Whether it means more than its words."""
        return bool(self.codes or self.topics or self.aliases or self.products)

    def in_target(self) -> Query:
        """Return the query for the trials that treat this disease; of a topic, those that also say so."""
        treated = [any_term("target", self.codes)] if self.codes else []
        for topic in self.topics:
            if topic.codes:
                treated.append(all_of(term("topic", topic.name), any_term("target", topic.codes)))
            elif self.codes:  # "AAV" is a vector and a vasculitis
                treated.append(term("topic", topic.name))
        return any_of(*treated) if treated else self.in_words("disease")

    def in_codes(self) -> Query:
        """Return the query for the trials coded with this disease or a form of it, or with a broader one itself."""
        return any_of(any_term("condition", self.codes), any_term("own", self.broader))

    def in_title(self) -> Query:
        """Return the query for the trials that have it in the title or in the name of their disease."""
        diseases = [any_term("target", one.codes) for one in self.topics if one.codes]
        shown = [term("topic", one.name) for one in self.topics] + self._in_products()
        named = [] if self.topics else [self.in_words("disease")]
        return any_of(self.in_words("title"), *named, *diseases, *shown)

    def in_words(self, field: str) -> Query:
        """Return the query for the trials that have all its words in a field."""
        return all_of(*(_word(field, word) for word in self.words)) if self.words else NOTHING

    def anywhere(self, view: View, visible: Query, *, alone: bool) -> Query:
        """Return the query for the trials that have any of its meanings. A word that none has may be mistyped.

        ``alone``: the search has no other part; else trials that state no age are for every age.
        """
        meanings = []
        if not self.is_known:
            meanings = [all_of(*(_mistyped(word, view, visible) for word in self.words))]
            meanings += [beginning("text", one) for one in self.joined]
        elif self.codes:  # the words of its name, anywhere in a text, may belong to other things
            meanings = [self.in_words("title"), self.in_words("disease")]
        elif not any(topic.coded_only for topic in self.topics):
            meanings = [self.in_words("text")]
        meanings += [all_of(*(term("title", word) for word in name)) for name in self.names]
        if self.codes:
            meanings.append(self.in_codes())
        for topic in self.topics:
            meanings += [term("topic", topic.name), *(term(field, value) for field, value in topic.terms)]
            meanings += [any_term("condition", topic.codes)] if topic.codes else []
            if not alone and any(field == "age_band" for field, _ in topic.terms):
                meanings.append(term("age_band", "unknown"))
        if self.aliases:
            meanings.append(any_term("alias", self.aliases))
        return any_of(*meanings, *self._in_products())

    def _in_products(self) -> list[Query]:
        return [term("product", one.key) for one in self.products]


def _word(field: str, word: str) -> Query:
    found = beginnings(word)
    if len(word) == 1:
        return term(field, word)
    return any_of(*(beginning(field, one) for one in found))


def _mistyped(word: str, view: View, visible: Query) -> Query:
    """Return the query for a word; where nothing has it: for its two words, if it is two, or with other letters."""
    right = _word("text", word)
    errors = errors_of(word)
    if not errors or view.count(all_of(visible, right)):
        return right
    for cut in range(SHORTEST_PART, len(word) - SHORTEST_PART + 1):
        both = any_of(*(all_of(term(field, word[:cut]), _word(field, word[cut:])) for field in ("disease", "title")))
        if len(word) >= SHORTEST_CUT and view.count(all_of(visible, both)):
            return both
    return beginning("text", beginnings(word)[0], errors)


def _with_joined(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return the parts; two words that follow each other may be one: ``micro dystrophine``."""
    joined: list[list[str]] = [[] for _ in parts]
    for place, pair in enumerate(pairwise(parts)):
        word = "".join(one for part in pair for one in part.words)
        if len(word) >= SHORTEST_JOINED and not any(part.is_known for part in pair):
            joined[place].append(word)
            joined[place + 1].append(word)
    return tuple(replace(part, joined=tuple(words_)) for part, words_ in zip(parts, joined, strict=True))


@dataclass(frozen=True, slots=True)
class TypedSearch:
    """A typed search as its parts: all of them must match."""

    parts: tuple[Part, ...]

    @property
    def named(self) -> tuple[str, ...]:
        """The codes of the diseases that it names."""
        return tuple(code for part in self.parts for code in (*part.named, *(c for t in part.topics for c in t.codes)))

    def matching(self, view: View, visible: Query) -> Query:
        """Return the query for what is found. Where nothing has all parts, those that are mere words are left out."""
        asked = [part.anywhere(view, visible, alone=len(self.parts) == 1) for part in self.parts]
        if not asked:
            return NOTHING
        query = all_of(*asked)
        known = [one for one, part in zip(asked, self.parts, strict=True) if part.is_known]
        if 0 < len(known) < len(asked) and not view.count(all_of(visible, query)):
            return all_of(*known)
        return query

    def tiers(self) -> list[Query]:
        """Return queries by relevance: target disease, title, others. No two match the same trial."""
        diseases = [part for part in self.parts if part.is_disease] or list(self.parts)
        target = all_of(*(part.in_target() for part in diseases))
        title = all_of(*(part.in_title() for part in self.parts))
        return [target, but(title, target), but(Query.all_query(), target, title)]


@dataclass(frozen=True, slots=True)
class _Name:
    """What a name in a typed text may mean. ``last``: the place of the word after it."""

    last: int
    codes: tuple[str, ...] = ()
    topics: tuple[Topic, ...] = ()
    products: tuple[NamedProduct, ...] = ()

    def with_meanings_of(self, other: "_Name") -> "_Name":
        return _Name(
            self.last,
            tuple(dict.fromkeys((*self.codes, *other.codes))),
            tuple(dict.fromkeys((*self.topics, *other.topics))),
            tuple(dict.fromkeys((*self.products, *other.products))),
        )


class SearchReader:
    """Reads typed searches with one terminology."""

    def __init__(self, terminology: Terminology) -> None:
        self._terminology = terminology
        self._of_code = lru_cache(maxsize=5_000)(lambda code: self._disease((code,), (), ()))

    def read(self, text: str) -> TypedSearch:
        """Return the parts of a typed text. Accents, case and punctuation do not matter."""
        whole = self._number(text) or self._code(text)
        if whole is not None:
            return TypedSearch((whole,))
        typed = mended(words(_INVERSION.sub(" ", text))[:MAX_WORDS], self._places, self._is_word)
        stop_words = vocabulary().stop_words
        known = self._known(typed)
        parts: list[Part] = []
        skipped: list[Part] = []
        place = 0
        while place < len(typed):
            name = known.get(place, _Name(place + 1))
            last = name.last
            plain = [fold(word.text) for word in typed[place:last]]
            spoken = tuple(one for word in plain for one in word.split() if one not in stop_words)
            if name.products:
                parts.append(self._product(name, tuple(plain)))
            elif name.codes or name.topics:
                parts.append(self._disease(name.codes, name.topics, spoken))
            elif spoken:
                parts += [self._single(typed[place], one) for one in spoken]
            else:
                skipped += [Part((one,)) for word in plain for one in word.split()]
            place = last
        return TypedSearch(_with_joined(parts or skipped))

    def code(self, code: str) -> Part:
        """Return the part for a code of a disease."""
        return self._of_code(code)

    def disease(self, text: str) -> Part | None:
        """Return the part for a disease by its code or name; None: the text says none, or more than a disease."""
        code = read_code(text)
        parts = (self.code(code),) if code else self.read(text).parts
        return parts[0] if len(parts) == 1 and parts[0].is_disease else None

    def knows(self, codes: Iterable[str]) -> bool:
        """Return whether the terminology has one of some codes."""
        return any(code in self._terminology.graph for code in codes)

    def _is_word(self, word: str) -> bool:
        return self._terminology.is_word(word) or word in vocabulary().words

    def _places(self, typed: Sequence[Word]) -> list[tuple[int, int]]:
        """Return where the names of a text are."""
        return [(first, name.last) for first, name in self._known(typed).items()]

    def _known(self, typed: Sequence[Word]) -> "dict[int, _Name]":
        """Return the longest names in a text, by their first word."""
        asked = [(one.first, _Name(one.last, (one.value,))) for one in self._terminology.disease_phrases.find(typed)]
        asked += [(one.first, _Name(one.last, (), (one.value,))) for one in vocabulary().asked.find(typed)]
        asked += [(one.first, _Name(one.last, (), (), (one.value,))) for one in typed_products(typed)]
        found: dict[int, _Name] = {}
        covered: set[int] = set()
        for first, name in sorted(asked, key=lambda one: (one[0] - one[1].last, one[0])):
            before = found.get(first)
            if before is not None and before.last == name.last:
                found[first] = before.with_meanings_of(name)
            elif not covered.intersection(range(first, name.last)):
                found[first] = name
                covered.update(range(first, name.last))
        return found

    def _product(self, name: "_Name", spoken: tuple[str, ...]) -> Part:
        """Return the part for products. A name of several words counts as one word: its words mean other things."""
        disease = self._disease(name.codes, name.topics, ()) if name.codes or name.topics else Part()
        named = (*name.codes, *(code for product in name.products for code in product.diseases))
        return replace(disease, words=("".join(spoken).replace(" ", ""),), named=named, products=name.products)

    def _single(self, word: Word, spoken: str) -> Part:
        """Return a word by itself: an acronym typed in small letters may be a disease too."""
        if _ACRONYM.fullmatch(word.text) and (codes := self._terminology.disease_phrases.exactly(word.text.upper())):
            return self._disease(codes, (), (spoken,))
        return Part((spoken,))

    def _disease(self, codes: Iterable[str], topics: tuple[Topic, ...], spoken: tuple[str, ...]) -> Part:
        terminology = self._terminology
        same = frozenset(one for code in codes for one in terminology.same_as(code))
        above = frozenset(one for code in same for one in terminology.ancestors(code) if one in terminology)
        broader = frozenset(one for code in above for one in terminology.same_as(code)) - same
        parents = frozenset(
            one for code in same if code in terminology.graph for one in terminology.graph.parents(code)
        )
        return Part(spoken, same, broader | parents, self._names(codes), topics, named=tuple(codes))

    def _names(self, codes: Iterable[str]) -> tuple[tuple[str, ...], ...]:
        stop_words = vocabulary().stop_words
        concepts = [concept for code in codes if (concept := self._terminology.concept(code))]
        names = {
            tuple(one for word in fold(name).split() if word not in stop_words for one in index_words(word))
            for concept in concepts
            for name in concept.names
        }
        return tuple(sorted(name for name in names if len(name) > 1 or len("".join(name)) >= _SHORTEST_NAME))

    @staticmethod
    def _number(text: str) -> Part | None:
        digits = "".join(text.split())
        if len(digits) == 8 and digits.isdecimal():
            return Part((digits,), aliases=(f"NCT{digits}", f"ISRCTN{digits}", f"CL{digits}"))
        if recognise_identifier(text) is not None or is_trial_id(alias_of(text)):
            return Part(tuple(index_words(text)), aliases=(alias_of(text),))
        return None

    def _code(self, text: str) -> Part | None:
        typed = text.strip()
        code = read_code(f"ICD10:{typed}" if _ICD10.fullmatch(typed) else typed)
        if code is None or code not in self._terminology.graph:
            return None
        return self._disease((code,), (), ())
