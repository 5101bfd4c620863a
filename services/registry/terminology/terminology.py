"""Concepts and their hierarchy, read-only: lookup by code or name in French or English, and ancestors."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final, Self

from services.registry.terminology.phrases import PhraseTable

BUILTIN: Final = "services.registry.terminology"


class TerminologyError(ValueError):
    """The concepts are inconsistent: a code is defined twice, or a concept is its own ancestor."""


@dataclass(frozen=True, slots=True)
class Concept:
    """A coded concept with its names, parents, equivalent codes and mutually exclusive codes."""

    code: str
    label_fr: str
    label_en: str
    synonyms_fr: tuple[str, ...] = ()
    synonyms_en: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    same_as: tuple[str, ...] = ()
    exclusive_with: tuple[str, ...] = ()

    @property
    def system(self) -> str:
        """``ORPHA`` of ``ORPHA:232``."""
        return self.code.partition(":")[0]

    @property
    def names(self) -> tuple[str, ...]:
        """All labels and synonyms, each once."""
        return tuple(dict.fromkeys((self.label_fr, self.label_en, *self.synonyms_fr, *self.synonyms_en)))

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """Read a concept from its JSON object in a concepts file."""
        synonyms = given.get("synonyms") or {}
        return cls(
            code=given["code"],
            label_fr=given["label"]["fr"],
            label_en=given["label"]["en"],
            synonyms_fr=tuple(synonyms.get("fr") or ()),
            synonyms_en=tuple(synonyms.get("en") or ()),
            parents=tuple(given.get("parents") or ()),
            same_as=tuple(given.get("same_as") or ()),
            exclusive_with=tuple(given.get("exclusive_with") or ()),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the concept as a JSON object."""
        return {
            "code": self.code,
            "system": self.system,
            "label": {"fr": self.label_fr, "en": self.label_en},
            "synonyms": {"fr": list(self.synonyms_fr), "en": list(self.synonyms_en)},
            "parents": list(self.parents),
            "same_as": list(self.same_as),
            "exclusive_with": list(self.exclusive_with),
        }


class Terminology:
    """An immutable set of concepts. Equivalent codes share one place in the hierarchy."""

    def __init__(self, concepts: Iterable[Concept], diseases: Iterable[str] | None = None) -> None:
        """``diseases``: the codes that a condition text may map to (None: all)."""
        by_code: dict[str, Concept] = {}
        for concept in concepts:
            if concept.code in by_code:
                raise TerminologyError(f"{concept.code} is defined twice")
            by_code[concept.code] = concept
        self._concepts: Mapping[str, Concept] = MappingProxyType(dict(sorted(by_code.items())))
        self._same = _equivalence_classes(self._concepts.values())
        self._up = self._closure()
        self.phrases: Final = PhraseTable(
            (name, concept.code) for concept in self._concepts.values() for name in concept.names
        )
        named = frozenset(self._concepts) if diseases is None else frozenset(diseases)
        self.disease_phrases: Final = PhraseTable(
            (name, code) for code in self._concepts if code in named for name in self._concepts[code].names
        )
        canonical = json.dumps(
            [concept.to_json() for concept in self], ensure_ascii=False, sort_keys=True, separators=(",", ":")
        )
        self.version: Final = hashlib.sha256(canonical.encode()).hexdigest()[:16]

    @classmethod
    def from_json(cls, documents: Mapping[str, Iterable[Mapping[str, Any]]]) -> Self:
        """Read concepts files, by name. A condition text may map to the concepts of the file ``diseases``."""
        read = {name: [Concept.from_json(given) for given in document] for name, document in documents.items()}
        diseases = [concept.code for concept in read["diseases"]] if "diseases" in read else None
        return cls((concept for concepts in read.values() for concept in concepts), diseases)

    def __iter__(self) -> Iterator[Concept]:
        return iter(self._concepts.values())

    def __len__(self) -> int:
        return len(self._concepts)

    def __contains__(self, code: object) -> bool:
        return code in self._concepts

    def concept(self, code: str) -> Concept | None:
        """Return the concept of a code or of an equivalent code."""
        if code in self._concepts:
            return self._concepts[code]
        return next((self._concepts[other] for other in sorted(self.same_as(code)) if other in self._concepts), None)

    def same_as(self, code: str) -> frozenset[str]:
        """Return the equivalent codes, including this one."""
        return self._same.get(code, frozenset((code,)))

    def ancestors(self, code: str) -> frozenset[str]:
        """Return every code above this one with its equivalent codes, but not the code itself."""
        return self._up.get(code, frozenset())

    def _closure(self) -> dict[str, frozenset[str]]:
        links: dict[frozenset[str], set[frozenset[str]]] = {}
        for concept in self:
            own = self.same_as(concept.code)
            for parent in concept.parents:
                above = self.same_as(parent)
                if above == own:
                    raise TerminologyError(f"{concept.code} is its own parent")
                links.setdefault(own, set()).add(above)
        closed: dict[frozenset[str], frozenset[str]] = {}
        for start, next_places in links.items():
            seen: set[frozenset[str]] = set()
            waiting = list(next_places)
            while waiting:
                place = waiting.pop()
                if place == start:
                    raise TerminologyError(f"{min(start)} is its own ancestor")
                if place not in seen:
                    seen.add(place)
                    waiting.extend(links.get(place, ()))
            closed[start] = frozenset(code for place in seen for code in place)
        return {code: codes for place, codes in closed.items() for code in place}


def _equivalence_classes(concepts: Iterable[Concept]) -> dict[str, frozenset[str]]:
    classes: dict[str, set[str]] = {}
    for concept in concepts:
        joined = {concept.code, *concept.same_as}
        for code in tuple(joined):
            joined |= classes.get(code, set())
        for code in joined:
            classes[code] = joined
    return {code: frozenset(joined) for code, joined in classes.items()}


@cache
def builtin() -> Terminology:
    """Return the packaged concepts (``concepts/*.json``), read once."""
    folder = resources.files(BUILTIN) / "concepts"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".json")), key=lambda entry: entry.name)
    return Terminology.from_json(
        {entry.name.removesuffix(".json"): json.loads(entry.read_text(encoding="utf-8")) for entry in files}
    )
