"""Judges whether a condition or a title names a malignant disease. The words are data: ``disease_signs.json``."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

from services.registry.scope.products import PACKAGE, version_of
from services.registry.terminology.phrases import Match, PhraseTable, Word, is_acronym, normalise, normalise_word, words
from services.registry.terminology.terminology import Terminology

DiseaseVerdict = Literal["malignant", "review", "not_malignant", "acronym", "unrecognised"]
MALIGNANT: Final = "malignant"
NOT_RECOGNISED: Final[frozenset[DiseaseVerdict]] = frozenset(("acronym", "unrecognised"))
# How many words before a cancer's name may make it a mere setting ("radiotherapy for head and neck cancer").
_SETTING_WORDS: Final = 6
# What codes say: the cancers of MONDO and of ICD-10, and the in situ, benign and uncertain tumours of ICD-10.
_CANCERS: Final = frozenset(("MONDO:0004992", "ICD10:C00-C97"))
_TUMOURS: Final = frozenset(("ICD10:D00-D09", "ICD10:D10-D36", "ICD10:D37-D48"))
PLAIN: Final = frozenset(("not_malignant", "related_word"))
# Words between a general word and its qualifier: "disease of the liver", "maladie du foie".
_LINKS: Final = frozenset(("of", "the", "in", "de", "du", "des", "la", "le", "les", "l"))


@dataclass(frozen=True, slots=True)
class DiseaseSign:
    code: str
    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class DiseaseReading:
    """The verdict on a text and the sign it rests on.

    ``review``: a person must decide. ``acronym``: nothing but acronyms, none of them known. ``unrecognised``: words,
    but no known disease.
    """

    verdict: DiseaseVerdict
    sign: DiseaseSign | None = None


SETTING: Final = DiseaseSign(
    "malignancy_as_setting",
    "un cancer est cité comme contexte, pas comme l'indication",
    "a cancer is named as a setting, not as the indication",
)
UNLISTED: Final = DiseaseSign(
    "unlisted_tumour_name",
    "un nom de tumeur (en -ome) absent des tables",
    "a name of a tumour (in -oma) that is not in the tables",
)
CANCER_ACRONYM: Final = DiseaseSign(
    "possible_cancer_acronym",
    "un sigle qui peut désigner un cancer",
    "an acronym that may stand for a cancer",
)


class DiseaseSigns:
    """Reads texts by the table of disease words."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.version: Final = version_of(document)
        self._signs: Final[dict[str, DiseaseSign]] = {}
        phrases: list[tuple[str, DiseaseSign]] = []
        for category in document["categories"]:
            sign = DiseaseSign(category["code"], category["label"]["fr"], category["label"]["en"])
            self._signs[sign.code] = sign
            phrases.extend((phrase, sign) for phrase in category["phrases"])
        self._phrases: Final = PhraseTable(phrases)
        self._before: Final = tuple(normalise(phrase) for phrase in document["settings_before"])
        self._after: Final = tuple(normalise(phrase) for phrase in document["settings_after"])
        self._not_tumours: Final = frozenset(normalise_word(word) for word in document["not_tumours"])
        self._not_a_condition: Final = frozenset(normalise(phrase) for phrase in document["not_a_condition"])
        self._disease_words: Final = PhraseTable((phrase, True) for phrase in document["disease_words"])
        self._general_words: Final = frozenset(normalise_word(word) for word in document["general_words"])
        self._qualifiers: Final = PhraseTable((phrase, True) for phrase in document["qualifiers"])
        self.acronyms_beside_others: Final = frozenset(document["acronyms_beside_others"])
        self._tumour_endings: Final = tuple(document["tumour_endings"])
        self._cancer_acronyms: Final = frozenset(document["cancer_acronyms"])
        relapse = document["relapse"]
        label = relapse["label"]
        self._relapse_sign: Final = DiseaseSign("relapse_after_transplant", label["fr"], label["en"])
        self._relapse: Final = tuple(re.compile(pattern) for pattern in relapse["patterns"])
        self._organs: Final = frozenset(normalise_word(word) for word in relapse["organs"])
        self._complications: Final = PhraseTable((phrase, True) for phrase in relapse["complications"])
        self._endings: Final = tuple(document["disease_endings"])
        self._not_diseases: Final = frozenset(normalise_word(word) for word in document["not_diseases"])

    def is_condition(self, text: str) -> bool:
        """Return whether a condition entry names a health state, and not a product, a population or an outcome."""
        return normalise(text) not in self._not_a_condition and bool(words(text))

    def read(self, text: str, terminology: Terminology) -> DiseaseReading:
        """Judge a condition or a title. A text in which no disease is recognised is never ``not_malignant``."""
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
        if any(self._ends_like_a_tumour(word) for index, word in enumerate(tokens) if index not in covered):
            return DiseaseReading("review", UNLISTED)
        relapse = self._relapse_after_transplant(tokens, terminology)
        if relapse is not None:
            return DiseaseReading(relapse, self._relapse_sign)
        plain = next((match.value for match in matches if match.value.code == "not_malignant"), None)
        if plain is None and not self._names_a_disease(tokens, terminology):
            acronyms = all(is_acronym(word.text) or word.folded.isdigit() for word in tokens)
            return DiseaseReading("acronym" if acronyms else "unrecognised")
        if plain is None and any(word.text in self._cancer_acronyms for word in tokens):
            return DiseaseReading("review", CANCER_ACRONYM)
        return DiseaseReading("not_malignant", plain)

    def read_coded(self, text: str, code: str | None, terminology: Terminology) -> DiseaseReading:
        """Judge a condition with its code, which vouches for a disease that the words alone do not name.

        A word of the tables is never overruled; a code that the terminology does not know counts for nothing.
        """
        reading = self.read(text, terminology)
        if code is None or code not in terminology.graph or reading.sign is not None:
            return reading
        above = terminology.ancestors(code) | terminology.same_as(code)
        if above & _CANCERS:
            return DiseaseReading("malignant", self._signs[MALIGNANT])
        if above & _TUMOURS:
            return DiseaseReading("review", self._signs["benign_tumour"])
        return DiseaseReading("not_malignant")

    def _relapse_after_transplant(self, tokens: tuple[Word, ...], terminology: Terminology) -> DiseaseVerdict | None:
        """Return the verdict on a relapse after a transplant of blood stem cells; None if the text is of none.

        The disease that comes back is malignant unless a benign one is named. Complications of the transplant say
        nothing about it.
        """
        text = " ".join(word.folded for word in tokens)
        if not any(pattern.search(text) for pattern in self._relapse):
            return None
        if any(word.folded in self._organs for word in tokens):
            return None
        found = self._complications.find(tokens)
        beside = {index for match in found for index in range(match.first, match.last)}
        rest = tuple(word for index, word in enumerate(tokens) if index not in beside)
        if self._names_a_disease(rest, terminology):
            return None
        return "review" if found else "malignant"

    def _names_a_disease(self, tokens: tuple[Word, ...], terminology: Terminology) -> bool:
        return bool(
            terminology.disease_phrases.find(tokens)
            or self._disease_words.find(tokens)
            or self._has_ending(tokens)
            or self._is_qualified(tokens)
        )

    def _is_qualified(self, tokens: tuple[Word, ...]) -> bool:
        """Return whether a general word has a qualifier beside it: "lung disease", "maladie du foie"."""
        found = self._qualifiers.find(tokens)
        before = {match.last for match in found}
        after = {match.first for match in found}
        for place, word in enumerate(tokens):
            if word.folded in self._general_words:
                following = place + 1
                while following < len(tokens) and tokens[following].folded in _LINKS:
                    following += 1
                if place in before or following in after:
                    return True
        return False

    def _is_setting(self, match: Match[DiseaseSign], tokens: tuple[Word, ...]) -> bool:
        before = (
            " " + " ".join(word.folded for word in tokens[max(0, match.first - _SETTING_WORDS) : match.first]) + " "
        )
        after = " ".join(word.folded for word in tokens[match.last : match.last + 2])
        return any(f" {phrase} " in before for phrase in self._before) or any(
            after == phrase or after.startswith(f"{phrase} ") for phrase in self._after
        )

    def _ends_like_a_tumour(self, word: Word) -> bool:
        """Return whether a word ends like the name of a tumour, and is none of the words known to be no tumour."""
        tumour = word.folded.endswith(self._tumour_endings) and len(word.folded) > 4
        return tumour and word.folded not in self._not_tumours and not word.folded.endswith("some")

    def _has_ending(self, tokens: tuple[Word, ...]) -> bool:
        return any(
            len(word.folded) > len(ending) + 2
            and word.folded.endswith(ending)
            and word.folded not in self._not_diseases
            for word in tokens
            for ending in self._endings
        )


@cache
def table() -> DiseaseSigns:
    """Return the packaged table of disease words, read once."""
    return DiseaseSigns(json.loads((resources.files(PACKAGE) / "disease_signs.json").read_text(encoding="utf-8")))
