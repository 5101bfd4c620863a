"""Tolerant access to FHIR R4 resources: one where several are expected, extensions by the end of their address."""

import re
from typing import Final

from services.registry.sources.reading import Section

_END: Final = re.compile(r"[/#]([^/#]+?)(?:\.html)?$")
# What the French register writes where it has nothing.
_NOTHING: Final = re.compile(
    r"(?:donn[ée]es? non disponibles?|indisponible|null|undefined|non renseign[ée]e?)", re.IGNORECASE
)
_MOST: Final = 1000


def line(section: Section, key: str, limit: int) -> str | None:
    """Return a text on one line; None if it is absent or stands for nothing ("Donnée non disponible")."""
    text = section.line(key, limit)
    return None if text is None or _NOTHING.fullmatch(text) else text


def extensions(section: Section, name: str) -> list[Section]:
    """Return the extensions of a name (``associatedparty``): the end of their address, without hyphens and case.

    ``…/StructureDefinition/eclaire-associated-party-r5``, ``…/extension-ResearchStudy.associatedParty`` and
    ``…#ResearchStudy.associatedParty`` are one name.
    """
    return [one for one in section.each("extension", _MOST) if _name(one.line("url", 1000) or "") == name]


def _name(address: str) -> str:
    found = _END.search(f"/{address}")
    plain = found[1].lower().replace("-", "").rpartition(".")[2] if found is not None else ""
    return plain.removeprefix("structuredefinition").removeprefix("eclaire").removesuffix("r5")


def codings(concept: Section) -> list[Section]:
    """Return the codings of a CodeableConcept."""
    return concept.each("coding", _MOST)


def codes(concept: Section) -> list[str]:
    """Return the codes of a CodeableConcept."""
    return [code for one in codings(concept) if (code := one.line("code", 200)) is not None]


def concept_text(concept: Section, limit: int) -> str | None:
    """Return the text of a CodeableConcept, else the first display."""
    shown = (line(one, "display", limit) for one in codings(concept))
    return line(concept, "text", limit) or next((text for text in shown if text is not None), None)


def part(extension: Section, name: str) -> Section | None:
    """Return the part of a complex extension with this address."""
    return next((one for one in extension.each("extension", 100) if one.given.get("url") == name), None)
