"""Which network covers a disease: by its codes and names, and those of the diseases above it."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MOST = 2
# The score of a network that a name of the disease names: more than a code and a category together.
_NAMED = 5
_ICD10 = "ICD10:"


@dataclass(frozen=True, slots=True)
class Network:
    """A national network for rare diseases.

    ``covers``: what it covers, in both languages. ``codes``: diseases of which all narrower ones are its own;
    ``icd10``: categories; ``words``: in small letters, what names have or begin a word with. ``checked``: ``page`` if a
    page at the address was read, ``known`` if it is known only.
    """

    id: str
    name: str
    covers: Mapping[str, str]
    address: str
    checked: str
    codes: frozenset[str]
    icd10: tuple[str, ...]
    words: tuple[str, ...]

    def is_named(self, names: str) -> bool:
        """Return whether one of its words is in these names, at the beginning of a word: Tourette is not Rett.

        What is not something, as non-cystic fibrosis bronchiectasis, does not count.
        """
        return any(re.search(rf"(?<!non[- ])\b{re.escape(word)}", names) for word in self.words)


def _read() -> list[Network]:
    document = json.loads(Path(__file__).with_name("networks.json").read_text(encoding="utf-8"))
    return [
        Network(**{**row, "codes": frozenset(row["codes"]), "icd10": tuple(row["icd10"]), "words": tuple(row["words"])})
        for row in document["networks"]
    ]


NETWORKS = _read()


def networks_of(disease: Mapping[str, Any], above: Iterable[Mapping[str, Any]] = ()) -> list[Network]:
    """Return the networks that cover a disease, the surest first.

    ``disease`` and ``above``: concepts of the terminology; ``above`` are those that are more general.
    """
    concepts = [disease, *above]
    codes = {code for one in concepts for code in (one["code"], *one["same_as"], *one["parents"])}
    own = {code for code in (disease["code"], *disease["same_as"]) if code.startswith(_ICD10)} or codes
    # The range of a chapter, such as K00-K93, is no category.
    icd10 = tuple(code.removeprefix(_ICD10) for code in own if code.startswith(_ICD10) and "-" not in code)
    return _best({one.id: _score(one, codes, icd10, _names(disease)) for one in NETWORKS})


def networks_named(text: str) -> list[Network]:
    """Return the networks of which a word stands in a text that nothing else understands."""
    return _best({one.id: _score(one, set(), (), text.casefold()) for one in NETWORKS})


def _score(network: Network, codes: set[str], icd10: tuple[str, ...], names: str) -> int:
    by_code = 3 if network.codes & codes else 0
    by_name = _NAMED if network.is_named(names) else 0
    by_category = 1 if any(code.startswith(network.icd10) for code in icd10) else 0
    return by_code + by_name + by_category


def _best(scores: Mapping[str, int]) -> list[Network]:
    best = max(scores.values())
    found = [one for one in NETWORKS if best and (scores[one.id] == best or scores[one.id] >= _NAMED)]
    return sorted(found, key=lambda one: -scores[one.id])[:_MOST]


def _names(concept: Mapping[str, Any]) -> str:
    names = [*concept["label"].values(), *(name for names in concept["synonyms"].values() for name in names)]
    return " ; ".join(names).casefold()
