"""Reads a Bundle: which resources belong to the patient, and which reader reads each. Pure.

Names, identifiers, contacts and narrative are dropped without being read. A request or a dispense is an order, not an
intake. A page of search results never makes a domain complete.
"""

from collections.abc import Callable, Mapping
from typing import Any

from services.matching.patients.dates import day_of
from services.matching.patients.draft import Draft
from services.matching.patients.fhir.absence import read_composition, read_list
from services.matching.patients.fhir.chart import Chart
from services.matching.patients.fhir.conditions import read_allergy, read_condition, read_family_history
from services.matching.patients.fhir.medications import (
    read_administration,
    read_dispense,
    read_request,
    read_statement,
)
from services.matching.patients.fhir.observations import read_observation, read_report
from services.matching.patients.fhir.person import read_person
from services.matching.patients.fhir.procedures import read_immunization, read_procedure
from services.matching.patients.parts import Part
from services.matching.patients.problems import FormatNotSupportedError
from shared.values.problems import Fault, InvalidBodyError
from shared.values.wire import Label

Reader = Callable[[Chart, Part], None]

READERS: Mapping[str, Reader] = {
    "AllergyIntolerance": read_allergy,
    "Composition": read_composition,
    "Condition": read_condition,
    "DiagnosticReport": read_report,
    "FamilyMemberHistory": read_family_history,
    "Immunization": read_immunization,
    "List": read_list,
    "MedicationAdministration": read_administration,
    "MedicationDispense": read_dispense,
    "MedicationRequest": read_request,
    "MedicationStatement": read_statement,
    "Observation": read_observation,
    "Procedure": read_procedure,
}
# Read with the resources that refer to them, or with the patient.
_WITH_OTHERS = frozenset({"Patient", "Medication", "Specimen", "Device", "BodyStructure"})
# What of them could be asked for stays as a fact of which nothing is known.
_KINDS = {
    "Condition": "condition",
    "AllergyIntolerance": "condition",
    "MedicationAdministration": "medication",
    "MedicationStatement": "medication",
    "Procedure": "procedure",
    "Immunization": "immunization",
    "Observation": "observation",
}
_TYPES = frozenset({"collection", "document", "searchset", "transaction", "batch"})
_BUNDLE = Label(
    fr="types acceptés : collection, document, searchset, transaction",
    en="accepted types: collection, document, searchset, transaction",
)
_TWO = Label(
    fr="ce lot concerne plusieurs patients ; envoyez un patient à la fois",
    en="this bundle is about several patients; send one patient at a time",
)
_EMPTY = Label(fr="ce lot ne contient aucune donnée d'un patient", en="this bundle has no data of a patient")


def is_fhir(document: Mapping[str, Any]) -> bool:
    """Return whether a document is a FHIR resource."""
    return "resourceType" in document


def read_bundle(document: Mapping[str, Any], pointer: str = "") -> Draft:
    """Read a Bundle. ``pointer``: where it is in the body.

    :raises FormatNotSupportedError: 422, another resource or another type of Bundle.
    :raises InvalidBodyError: 422, it is about several patients, or about none.
    """
    bundle = Part(document, pointer)
    if bundle.text("resourceType") != "Bundle":
        raise FormatNotSupportedError(
            errors=[Fault(pointer=bundle.of("resourceType"), code="format_not_supported", detail=_BUNDLE)]
        )
    if bundle.text("type") not in _TYPES:
        raise FormatNotSupportedError(
            errors=[Fault(pointer=bundle.of("type"), code="format_not_supported", detail=_BUNDLE)]
        )
    chart = Chart(Draft(pointer), written=day_of(bundle.text("timestamp")))
    resources = _resources(chart, bundle)
    composition = next((one for one in resources if one.text("resourceType") == "Composition"), None)
    if chart.written is None and composition is not None:
        chart.written = day_of(composition.text("date"))
    patient = _patient(resources)
    if patient is not None:
        read_person(chart, patient)
    _check_page(chart, bundle)
    names = _names(chart, patient)
    subjects: set[str] = set()
    read = 0
    for resource in resources:
        kind = resource.text("resourceType") or ""
        if kind in _WITH_OTHERS:
            continue
        reader = READERS.get(kind)
        if reader is None:
            chart.warn(resource.pointer, "resource_not_read", kind)
            continue
        about = _subject(resource)
        if about is not None and names and not _is_same(about, names):
            chart.warn(resource.pointer, "not_this_patient")
            continue
        if about is not None and not names:  # no patient, or one that nothing can refer to
            subjects.add(about)
            if len(subjects) > 1:
                raise _refusal(pointer, "several_patients", _TWO)
        _read(chart, reader, resource, kind)
        read += 1
    if patient is None and not read:
        raise _refusal(pointer, "empty_bundle", _EMPTY)
    return chart.draft


def _read(chart: Chart, reader: Reader, resource: Part, kind: str) -> None:
    """Read one resource. One with a value of a wrong type is reported, and leaves a fact of which nothing is known."""
    before = len(chart.draft.facts)
    try:
        reader(chart, resource)
    except InvalidBodyError as error:
        chart.warn(error.faults[0].pointer, "value_not_understood")
        del chart.draft.facts[before:], chart.draft.places[before:]
        if kind in _KINDS:
            chart.add(resource, _KINDS[kind], [], {"status": "unconfirmed"})
        return
    if "modifierExtension" in resource:
        # It may negate everything; FHIR forbids to use such a resource without understanding it.
        chart.warn(resource.of("modifierExtension"), "status_not_understood", "modifierExtension")
        for fact in chart.draft.facts[before:]:
            fact["status"] = "unconfirmed"


def _resources(chart: Chart, bundle: Part) -> list[Part]:
    """Return the resources of the entries, and index them for references."""
    found = []
    for entry in bundle.parts("entry"):
        resource = entry.part("resource")
        request = entry.part("request")
        if resource is None or (request is not None and request.text("method") == "DELETE"):
            continue
        found.append(resource)
        kind, identifier, url = resource.text("resourceType"), resource.text("id"), entry.text("fullUrl")
        if identifier:
            chart.resources.setdefault(f"{kind}/{identifier}", resource)
        if url:
            chart.resources.setdefault(url, resource)
    return found


def _patient(resources: list[Part]) -> Part | None:
    """:raises InvalidBodyError: 422, there are several patients."""
    patients = [one for one in resources if one.text("resourceType") == "Patient"]
    if len(patients) > 1:
        raise _refusal(patients[1].pointer, "several_patients", _TWO)
    return patients[0] if patients else None


def _names(chart: Chart, patient: Part | None) -> frozenset[str]:
    """Return the references that lead to the patient; empty where it has none."""
    return frozenset(name for name, resource in chart.resources.items() if resource is patient)


def _subject(resource: Part) -> str | None:
    about = resource.part("subject") or resource.part("patient")
    return None if about is None else about.text("reference")


def _is_same(reference: str, names: frozenset[str]) -> bool:
    if reference in names:
        return True
    short = "/".join(reference.split("/_history", maxsplit=1)[0].split("/")[-2:])
    return short in names


def _check_page(chart: Chart, bundle: Part) -> None:
    if bundle.text("type") != "searchset":
        return
    chart.is_page = True
    total = bundle.number("total")
    more = any(link.text("relation") == "next" for link in bundle.parts("link"))
    found = sum(1 for entry in bundle.parts("entry") if _mode(entry) == "match")
    if more or total is None or total > found:
        chart.warn(bundle.pointer, "incomplete_page")


def _mode(entry: Part) -> str:
    search = entry.part("search")
    return (search.text("mode") if search is not None else None) or "match"


def _refusal(pointer: str, code: str, detail: Label) -> InvalidBodyError:
    return InvalidBodyError(errors=[Fault(pointer=pointer, code=code, detail=detail)])
