"""A concept: a code with its names and its links to other codes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from shared.terminology.codes import canonical
from shared.terminology.graph import State


@dataclass(frozen=True, slots=True)
class Concept:
    """A coded concept with its names and links.

    ``parents`` and ``children``: more general and narrower codes; ``same_as``: codes for exactly this. ``covers``,
    ``uncertain``, ``exclusive_with``, ``state``: see `shared.terminology.graph.Properties`.
    """

    code: str
    label_fr: str
    label_en: str
    synonyms_fr: tuple[str, ...] = ()
    synonyms_en: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    same_as: tuple[str, ...] = ()
    exclusive_with: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()
    uncertain: tuple[str, ...] = ()
    state: State | None = None

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
        """Read a concept from its JSON object in a concepts file. Codes may be written in any spelling."""
        synonyms = given.get("synonyms") or {}
        state = given.get("state")
        return cls(
            code=canonical(given["code"]),
            label_fr=given["label"]["fr"],
            label_en=given["label"]["en"],
            synonyms_fr=tuple(synonyms.get("fr") or ()),
            synonyms_en=tuple(synonyms.get("en") or ()),
            parents=_codes(given, "parents"),
            same_as=_codes(given, "same_as"),
            exclusive_with=_codes(given, "exclusive_with"),
            children=_codes(given, "children"),
            covers=tuple(given.get("covers") or ()),
            uncertain=_codes(given, "uncertain"),
            state=State(state, given.get("longest")) if state else None,
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
            "children": list(self.children),
            "covers": list(self.covers),
            "uncertain": list(self.uncertain),
            "state": self.state.kind if self.state else None,
            "longest": self.state.longest if self.state else None,
        }


def _codes(given: Mapping[str, Any], key: str) -> tuple[str, ...]:
    return tuple(map(canonical, given.get(key) or ()))
