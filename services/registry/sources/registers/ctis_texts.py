"""The titles, conditions, outcomes and documents of a CTIS record."""

import re
from functools import partial
from typing import Final, Literal

from services.registry.model.design import MAX_DOCUMENTS, MAX_OUTCOMES, Outcome, TrialDocument
from services.registry.model.trial import MAX_ITEMS, MAX_LINE, BilingualText
from services.registry.sources.reading import Section
from services.registry.sources.registers.statements import Statements
from services.registry.sources.registers.texts import cut, in_its_language, shortened
from shared.vocabulary.identifiers import recognise_identifier

_UUID: Final = re.compile(r"[0-9a-fA-F-]{36}")
_LANGUAGES: Final[dict[str, Literal["fr", "en"]]] = {"French": "fr", "English": "en"}


def titles(names: Section) -> list[str]:
    """Return the public and the full title, in the language of the application."""
    given = (shortened(names, key, MAX_LINE, line=True) for key in ("publicTitle", "fullTitle"))
    return [title for title in given if title is not None]


def say_titles(said: Statements, names: Section) -> None:
    """Say the public title, and the full one as the official title; the full one as both where it is alone."""
    full = _bilingual(names, "fullTitle")
    public = _bilingual(names, "publicTitle") if names.given.get("publicTitle") else full
    for language in ("fr", "en"):
        said.say(f"titles.{language}", partial(getattr, public, language))
        if getattr(full, language) != getattr(public, language):
            said.say(f"official_titles.{language}", partial(getattr, full, language))


def _bilingual(names: Section, key: str) -> BilingualText:
    found = in_its_language(shortened(names, key, MAX_LINE, line=True), "en").model_dump()
    for translation in names.sections(f"{key}Translations", 100):
        language = _LANGUAGES.get(translation.line("languageDescription", 200) or "")
        text = shortened(translation, "attributeTranslation", MAX_LINE, line=True)
        if language is not None and text is not None and found[language] is None:
            found[language] = text
    return BilingualText(**found)


def conditions(part_one: Section, information: Section) -> list[str | None]:
    """Return the conditions in the words of the sponsor; where there are none, the MedDRA terms."""
    module = information.section("medicalCondition")
    given = module.sections("partIMedicalConditions", MAX_ITEMS) or part_one.sections("medicalConditions", MAX_ITEMS)
    lines = [one.line("medicalCondition", MAX_LINE) for one in given]
    return lines or [one.line("termName", MAX_LINE) for one in module.sections("meddraConditionTerms", MAX_ITEMS)]


def say_outcomes(said: Statements, path: str, end_points: Section, key: str) -> None:
    """Say the primary or secondary outcomes."""

    def read() -> list[Outcome]:
        lines = (shortened(one, "endPoint", MAX_LINE, line=True) for one in end_points.sections(key, MAX_OUTCOMES))
        return [Outcome(measure=line) for line in lines if line is not None]

    said.say(path, read, (end_points, key))


def documents(top: Section) -> list[TrialDocument]:
    """Return the public documents, with their address at the portal."""
    number = recognise_identifier(top.line("ctNumber", 100) or "")
    found = []
    for one in top.sections("documents", MAX_DOCUMENTS):
        uuid = one.line("uuid", 200)
        label = ": ".join(filter(None, (one.line("documentTypeLabel", 200), one.line("title", 400))))
        if number is not None and uuid is not None and _UUID.fullmatch(uuid) and label:
            address = f"https://euclinicaltrials.eu/ctis-public-api/documents/{number[1]}/{uuid}/download"
            found.append(TrialDocument(label=cut(label, MAX_LINE), url=address))
    return found
