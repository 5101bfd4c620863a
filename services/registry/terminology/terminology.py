"""The terminology: concepts written by hand over the compiled tables; names, equivalents and ancestors. Read-only."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib import resources
from types import MappingProxyType
from typing import Any, Final, Self

from services.registry.terminology.compiled import LANGUAGES, NO_NAMES, PACKAGE, Tables, read_tables
from services.registry.terminology.concept import Concept
from services.registry.terminology.finding import ConceptFinder
from services.registry.terminology.mending import mended
from services.registry.terminology.merging import links_of, merge
from services.registry.terminology.names import DiseaseNames, SortedPhrases
from services.registry.terminology.phrases import PhraseTable, words
from services.registry.terminology.products import typed_products
from services.registry.terminology.releases.draft import Draft
from shared.terminology.codes import canonical
from shared.terminology.document import Labels, write_document

BUILTIN: Final = PACKAGE


class TerminologyError(ValueError):
    """The concepts are inconsistent: a code is defined twice, or a concept is its own ancestor."""


class Terminology:
    """An immutable set of concepts. Equivalent codes share one place in the hierarchy.

    Iterating yields the concepts written by hand; `concept` also finds those of the tables.
    """

    def __init__(
        self,
        concepts: Iterable[Concept],
        diseases: Iterable[str] | None = None,
        tables: Tables | None = None,
        loaded: Sequence[Draft] = (),
    ) -> None:
        """``diseases``: the codes written by hand that a condition text may map to (None: all).

        ``loaded``: releases that an operator has loaded, the last one first.
        """
        by_code: dict[str, Concept] = {}
        for concept in concepts:
            if concept.code in by_code:
                raise TerminologyError(f"{concept.code} is defined twice")
            by_code[concept.code] = concept
        self._concepts: Mapping[str, Concept] = MappingProxyType(dict(sorted(by_code.items())))
        self._tables = tables or Tables({})
        written = tuple(self._concepts.values())
        for draft in reversed(loaded):
            self._tables.add_names(draft)
        self.graph: Final = merge(self._tables.classes(), written, loaded)
        self._check(written)
        self._finder = ConceptFinder(self.names, self)
        self._by_hand: Mapping[str, str] = {same: code for code in self._concepts for same in self.same_as(code)}
        self.phrases: Final = PhraseTable((name, concept.code) for concept in written for name in concept.names)
        named = frozenset(self._concepts) if diseases is None else frozenset(diseases)
        by_hand = PhraseTable(
            (name, code) for code in self._concepts if code in named for name in self._concepts[code].names
        )
        self.disease_phrases: Final = DiseaseNames(
            by_hand, SortedPhrases(self._tables.text_names), lambda code: self._by_hand.get(code, code)
        )

    @classmethod
    def from_json(
        cls,
        documents: Mapping[str, Iterable[Mapping[str, Any]]],
        tables: Tables | None = None,
        loaded: Sequence[Draft] = (),
    ) -> Self:
        """Read concepts files, by name. A condition text may map to the concepts of the file ``diseases``."""
        read = {name: [Concept.from_json(given) for given in document] for name, document in documents.items()}
        diseases = [concept.code for concept in read["diseases"]] if "diseases" in read else None
        return cls((concept for concepts in read.values() for concept in concepts), diseases, tables, loaded)

    def __iter__(self) -> Iterator[Concept]:
        return iter(self._concepts.values())

    def __len__(self) -> int:
        return len(self._concepts)

    def __contains__(self, code: object) -> bool:
        """Return whether a concept written by hand has this code."""
        return code in self._concepts

    def concept(self, code: str) -> Concept | None:
        """Return the concept of a code or of an equivalent code; None where there is none with a name."""
        by_hand = self._by_hand.get(code)
        return self._concepts[by_hand] if by_hand is not None else self._compiled(code)

    def find(self, code: str | None, query: str | None, limit: int) -> list[Concept]:
        """Return the concepts of codes in any spelling, with commas, or those that words find; else those by hand."""
        if code is not None:
            found = [self.concept(canonical(one)) for one in code.split(",")]
        elif query is not None:
            found = [self.concept(one) for one in self._named(query, limit)]
        else:
            return list(self)
        return [one for one in found if one is not None]

    def is_word(self, word: str) -> bool:
        """Return whether a normalised word stands in a name of a disease."""
        return word in self.disease_phrases.vocabulary

    def _named(self, query: str, limit: int) -> list[str]:
        """Return the codes of the diseases that a product is for, or of the concepts that words find."""
        typed = words(query)
        products = [code for one in typed_products(typed) for code in one.value.diseases]
        if products:
            return list(dict.fromkeys(products))[:limit]
        names = self.disease_phrases
        better = mended(typed, lambda text: [(one.first, one.last) for one in names.find(text)], self.is_word)
        return self._finder.find(query if better == typed else " ".join(one.text for one in better), limit)

    def prepare(self) -> None:
        """Make what the first search by words needs. Takes a second, once."""
        self._finder.prepare()

    def names(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield the code and all names of each concept, those of the tables by language."""
        for language in LANGUAGES:
            for code in self._tables.names[language]:
                names = self._tables.names_of(code, language)
                if names is not None:
                    yield self._by_hand.get(code, code), names.all
        for concept in self:
            yield concept.code, concept.names

    def same_as(self, code: str) -> frozenset[str]:
        """Return the equivalent codes, including this one."""
        return self.graph.same(code)

    def ancestors(self, code: str) -> frozenset[str]:
        """Return every code above this one with its equivalent codes, but not the code itself."""
        return self.graph.above(code) - self.graph.same(code)

    @cached_property
    def document(self) -> bytes:
        """The document that other services read: codes, links and labels, compressed."""
        return write_document(self.graph, self._labels(), self.version)

    @cached_property
    def version(self) -> str:
        """A hash of the content."""
        canonical = json.dumps(
            [concept.to_json() for concept in self], ensure_ascii=False, sort_keys=True, separators=(",", ":")
        )
        return hashlib.sha256(canonical.encode() + self._tables.digest).hexdigest()[:16]

    def _check(self, concepts: Iterable[Concept]) -> None:
        for code, parent in links_of(concepts):
            if parent in self.graph.same(code):
                raise TerminologyError(f"{code} is its own parent")
            if code in self.graph.above(parent):
                raise TerminologyError(f"{code} is its own ancestor")

    def _compiled(self, code: str) -> Concept | None:
        """Return a class of the tables as a concept, under its preferred code."""
        members = sorted(self.graph.same(code))
        named = [one for one in (code, *members) if any(one in self._tables.names[language] for language in LANGUAGES)]
        if not named:
            return None
        preferred = next((one for one in named if one in self._tables.names["en"]), named[0])
        english, french = (self._tables.names_of(preferred, language) for language in LANGUAGES)
        return Concept(
            preferred,
            (french or english or NO_NAMES).label,
            (english or french or NO_NAMES).label,
            (french or NO_NAMES).synonyms,
            (english or NO_NAMES).synonyms,
            tuple(sorted(self.graph.parents(preferred))),
            tuple(one for one in members if one != preferred),
        )

    def _labels(self) -> Labels:
        """Yield the labels of all classes, by hand where there is one."""
        english, french = (self._tables.names[language] for language in LANGUAGES)
        for code in dict.fromkeys((*french, *english)):
            if code not in self._by_hand and code in self.graph:
                label = french.get(code, "").partition("\t")[0]
                yield code, label, english.get(code, "").partition("\t")[0] or label
        for concept in self:
            yield concept.code, concept.label_fr, concept.label_en


@cache
def builtin() -> Terminology:
    """Return the packaged concepts (``concepts/*.json``) over the packaged tables, read once."""
    return terminology_with(())


def terminology_with(loaded: Sequence[Draft]) -> Terminology:
    """Return the packaged terminology with releases that an operator has loaded, the last one first."""
    folder = resources.files(BUILTIN) / "concepts"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".json")), key=lambda entry: entry.name)
    documents = {entry.name.removesuffix(".json"): json.loads(entry.read_text(encoding="utf-8")) for entry in files}
    # Other data beside the concepts are objects.
    concepts = {name: document for name, document in documents.items() if isinstance(document, list)}
    return Terminology.from_json(concepts, read_tables(), loaded)
