"""Reads how a study of ClinicalTrials.gov is designed, and what is written about it."""

import re
from collections.abc import Mapping
from typing import Any, Final

from services.registry.model.design import (
    MAX_ARMS,
    MAX_DESCRIPTION,
    MAX_DOCUMENTS,
    MAX_KEYWORDS,
    MAX_OUTCOMES,
    MAX_REFERENCES,
    Allocation,
    Arm,
    ArmKind,
    Design,
    Intervention,
    InterventionKind,
    InterventionModel,
    Masking,
    Outcome,
    Purpose,
    Reference,
    ReferenceKind,
    TrialDocument,
)
from services.registry.model.location import Position
from services.registry.model.trial import MAX_LINE
from services.registry.sources import ctgov_codes as codes
from services.registry.sources.reading import Section
from services.registry.sources.registers.texts import cut, shortened

_ALLOCATION: Final[Mapping[str, Allocation]] = {
    "RANDOMIZED": "randomized",
    "NON_RANDOMIZED": "non_randomized",
    "NA": "n-a",
}
_MODEL: Final[Mapping[str, InterventionModel]] = {
    "SINGLE_GROUP": "single_group",
    "PARALLEL": "parallel",
    "CROSSOVER": "crossover",
    "FACTORIAL": "factorial",
    "SEQUENTIAL": "sequential",
}
_MASKING: Final[Mapping[str, Masking]] = {
    "NONE": "none",
    "SINGLE": "single",
    "DOUBLE": "double",
    "TRIPLE": "triple",
    "QUADRUPLE": "quadruple",
}
_PURPOSE: Final[Mapping[str, Purpose]] = {
    "TREATMENT": "treatment",
    "PREVENTION": "prevention",
    "DIAGNOSTIC": "diagnostic",
    "SUPPORTIVE_CARE": "supportive_care",
    "SCREENING": "screening",
    "HEALTH_SERVICES_RESEARCH": "health_services_research",
    "BASIC_SCIENCE": "basic_science",
    "DEVICE_FEASIBILITY": "device_feasibility",
    "ECT": "other",
    "OTHER": "other",
}
_ARM: Final[Mapping[str, ArmKind]] = {
    "EXPERIMENTAL": "experimental",
    "ACTIVE_COMPARATOR": "active_comparator",
    "PLACEBO_COMPARATOR": "placebo_comparator",
    "SHAM_COMPARATOR": "sham_comparator",
    "NO_INTERVENTION": "no_intervention",
    "OTHER": "other",
}
_INTERVENTION: Final[Mapping[str, InterventionKind]] = {
    "DRUG": "drug",
    "DEVICE": "device",
    "BIOLOGICAL": "biological",
    "PROCEDURE": "procedure",
    "RADIATION": "radiation",
    "BEHAVIORAL": "behavioral",
    "GENETIC": "genetic",
    "DIETARY_SUPPLEMENT": "dietary_supplement",
    "COMBINATION_PRODUCT": "combination_product",
    "DIAGNOSTIC_TEST": "diagnostic_test",
    "OTHER": "other",
}
_REFERENCE: Final[Mapping[str, ReferenceKind]] = {"BACKGROUND": "background", "RESULT": "result", "DERIVED": "derived"}
_PUBMED: Final = re.compile(r"[1-9][0-9]{0,8}")
_FILE: Final = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_ADDRESS: Final = re.compile(r"https?://[^\s\x00-\x1f\x7f\"<>\\^`{|}]{1,990}")


def details(record: Section, number: str) -> dict[str, Any]:
    """Return the fields of a trial that say how it is designed and documented, by name. ``number``: its NCT number."""
    protocol = record.section("protocolSection")
    arms, outcomes = protocol.section("armsInterventionsModule"), protocol.section("outcomesModule")
    keywords = protocol.section("conditionsModule").lines("keywords", 200, MAX_KEYWORDS)
    return {
        "keywords": list(dict.fromkeys(text for _, text in keywords)),
        "design": _design(protocol.section("designModule").section("designInfo")),
        "arms": _arms(arms),
        "interventions": _interventions(arms),
        "primary_outcomes": _outcomes(outcomes, "primaryOutcomes"),
        "secondary_outcomes": _outcomes(outcomes, "secondaryOutcomes"),
        "references": _references(protocol.section("referencesModule")),
        "documents": _documents(record, protocol.section("referencesModule"), number),
    }


def position(location: Section) -> Position | None:
    """Return the point of a location; None if it is absent or, with a warning, is none on the Earth."""
    point = location.section("geoPoint")
    given = [point.given.get(key) for key in ("lat", "lon")]
    if given == [None, None]:
        return None
    latitude, longitude = (
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None for value in given
    )
    if latitude is None or longitude is None or not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        point.reader.warn(
            point.pointer, "position_form", "des degrés décimaux sont attendus", "decimal degrees are expected"
        )
        return None
    return Position(latitude=latitude, longitude=longitude)


def _design(info: Section) -> Design:
    return Design(
        allocation=codes.look_up(info, "allocation", _ALLOCATION),
        intervention_model=codes.look_up(info, "interventionModel", _MODEL),
        masking=codes.look_up(info.section("maskingInfo"), "masking", _MASKING),
        purpose=codes.look_up(info, "primaryPurpose", _PURPOSE),
    )


def _arms(module: Section) -> list[Arm]:
    found = []
    for one in module.sections("armGroups", MAX_ARMS):
        label = one.line("label", MAX_LINE)
        if label is not None:
            # "Drug: Aspirin": the type before the name is said with the intervention.
            names = [text.partition(": ")[2] or text for _, text in one.lines("interventionNames", MAX_LINE, MAX_ARMS)]
            found.append(
                Arm(
                    label=label,
                    kind=codes.look_up(one, "type", _ARM),
                    description=shortened(one, "description", MAX_DESCRIPTION),
                    interventions=names,
                )
            )
    return found


def _interventions(module: Section) -> list[Intervention]:
    return [
        Intervention(
            name=name,
            kind=codes.look_up(one, "type", _INTERVENTION),
            description=shortened(one, "description", MAX_DESCRIPTION),
        )
        for one in module.sections("interventions", MAX_ARMS)
        if (name := one.line("name", MAX_LINE)) is not None
    ]


def _outcomes(module: Section, key: str) -> list[Outcome]:
    return [
        Outcome(measure=measure, time_frame=shortened(one, "timeFrame", MAX_LINE, line=True))
        for one in module.sections(key, MAX_OUTCOMES)
        if (measure := shortened(one, "measure", MAX_LINE, line=True)) is not None
    ]


def _references(module: Section) -> list[Reference]:
    """Return the publications that have a number in PubMed. Citations name persons, so they are not kept."""
    found = [
        Reference(pmid=number, kind=codes.look_up(one, "type", _REFERENCE))
        for one in module.sections("references", MAX_REFERENCES)
        if (number := one.code("pmid")) is not None and _PUBMED.fullmatch(number)
    ]
    return list(dict.fromkeys(found))


def _documents(record: Section, module: Section, number: str) -> list[TrialDocument]:
    """Return the documents that the registry holds, and the pages that the sponsor names."""
    held = record.section("documentSection").section("largeDocumentModule").sections("largeDocs", MAX_DOCUMENTS)
    found = [
        TrialDocument(
            label=one.line("label", MAX_LINE) or name,
            url=f"https://cdn.clinicaltrials.gov/large-docs/{number[-2:]}/{number}/{name}",
            date=codes.partial_date(one, "date"),
        )
        for one in held
        if (name := one.line("filename", 200)) is not None and _FILE.fullmatch(name)
    ]
    for one in module.sections("seeAlsoLinks", MAX_DOCUMENTS):
        address = one.line("url", 1000)
        if address is not None and _ADDRESS.fullmatch(address):
            label = shortened(one, "label", MAX_LINE, line=True)
            found.append(TrialDocument(label=cut(label or address, MAX_LINE), url=address))
    return found[:MAX_DOCUMENTS]
