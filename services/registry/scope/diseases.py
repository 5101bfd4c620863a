"""Whether a condition, or a title where no condition is given, names a malignant disease. The words are data: ``disease_signs.json``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

from services.registry.scope.products import PACKAGE
from services.registry.terminology.phrases import Match, PhraseTable, Word, is_acronym, normalise, normalise_word, words
from services.registry.terminology.terminology import Terminology

DiseaseVerdict = Literal["malignant", "review", "not_malignant", "unreadable"]
MALIGNANT: Final = "malignant"
# How many words before a cancer's name may still make it a setting ("radiotherapy for head and neck cancer").
_REACH: Final = 6
PLAIN: Final = frozenset(("not_malignant", "related_word"))


@dataclass(frozen=True, slots=True)
class DiseaseSign:
    code: str
    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class DiseaseReading:
    """The verdict on a text and the sign it rests on. ``review`` asks a person; ``unreadable`` means that no disease is recognisably named."""

    verdict: DiseaseVerdict
    sign: DiseaseSign | None = None


SETTING: Final = DiseaseSign(
    "malignancy_as_setting",
    "un cancer est cité comme contexte, pas comme l'indication",
    "a cancer is named as a setting, not as the indication",
)
UNLISTED: Final = DiseaseSign(
    "unlisted_tumour_name",
    "un nom en -ome que les tables ne connaissent pas",
    "a name in -oma that the tables do not know",
)


class DiseaseSigns:
    """The table of disease words, ready to read texts."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        phrases: list[tuple[str, DiseaseSign]] = []
        for category in document["categories"]:
            sign = DiseaseSign(category["code"], category["label"]["fr"], category["label"]["en"])
            phrases.extend((phrase, sign) for phrase in category["phrases"])
        self._phrases: Final = PhraseTable(phrases)
        self._before: Final = tuple(normalise(phrase) for phrase in document["settings_before"])
        self._after: Final = tuple(normalise(phrase) for phrase in document["settings_after"])
        self._not_oma: Final = frozenset(normalise_word(word) for word in document["not_oma"])
        self._not_a_condition: Final = frozenset(normalise(phrase) for phrase in document["not_a_condition"])
        self._disease_words: Final = PhraseTable((phrase, True) for phrase in document["disease_words"])
        self._endings: Final = tuple(document["disease_endings"])

    def is_condition(self, text: str) -> bool:
        """Whether a registry's condition entry names a health state at all, and not a product, a population or an outcome."""
        return normalise(text) not in self._not_a_condition and bool(words(text))

    def read(self, text: str, terminology: Terminology, *, title: bool = False) -> DiseaseReading:
        """The verdict on a condition text. A title must moreover name a disease recognisably; so must a condition that is a bare acronym."""
        tokens = words(text)
        matches = self._phrases.find(tokens)
        malignant = [match for match in matches if match.value.code == MALIGNANT]
        indications = [match for match in malignant if not self._is_setting(match, tokens)]
        if indications:
            return DiseaseReading("malignant", indications[0].value)
        if malignant:
            return DiseaseReading("review", SETTING)
        for match in matches:
            if match.value.code not in PLAIN:
                return DiseaseReading("review", match.value)
        covered = {index for match in matches for index in range(match.first, match.last)}
        if any(self._ends_in_oma(word) for index, word in enumerate(tokens) if index not in covered):
            return DiseaseReading("review", UNLISTED)
        plain = next((match.value for match in matches if match.value.code == "not_malignant"), None)
        if (
            plain is not None
            or terminology.phrases.find(tokens)
            or self._disease_words.find(tokens)
            or self._has_ending(tokens)
        ):
            return DiseaseReading("not_malignant", plain)
        if title or not tokens or all(is_acronym(word.text) or word.folded.isdigit() for word in tokens):
            return DiseaseReading("unreadable")
        return DiseaseReading("not_malignant")

    def _is_setting(self, match: Match[DiseaseSign], tokens: tuple[Word, ...]) -> bool:
        before = " " + " ".join(word.folded for word in tokens[max(0, match.first - _REACH) : match.first]) + " "
        after = " ".join(word.folded for word in tokens[match.last : match.last + 2])
        return any(f" {phrase} " in before for phrase in self._before) or any(
            after == phrase or after.startswith(f"{phrase} ") for phrase in self._after
        )

    def _ends_in_oma(self, word: Word) -> bool:
        return word.folded.endswith(("oma", "omata")) and len(word.folded) > 4 and word.folded not in self._not_oma

    def _has_ending(self, tokens: tuple[Word, ...]) -> bool:
        return any(
            len(word.folded) > len(ending) + 2 and word.folded.endswith(ending)
            for word in tokens
            for ending in self._endings
        )


@cache
def table() -> DiseaseSigns:
    """The disease words that ship with the program, read once."""
    return DiseaseSigns(json.loads((resources.files(PACKAGE) / "disease_signs.json").read_text(encoding="utf-8")))
