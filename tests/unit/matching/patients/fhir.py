"""Parts of FHIR Bundles for tests."""

from typing import Any

from services.matching.patients.draft import ReadPatient
from services.matching.patients.reading import read_patient

BOY = {"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "2019-05-03"}
UCUM = "http://unitsofmeasure.org"
IPS = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
SYSTEMS = {
    "ORPHA": "http://www.orpha.net",
    "LOINC": "http://loinc.org",
    "ATC": "http://www.whocc.no/atc",
    "SNOMED": "http://snomed.info/sct",
    "ICD10": "http://hl7.org/fhir/sid/icd-10",
    "ROLE": "http://terminology.hl7.org/CodeSystem/v3-RoleCode",
    "IPS": IPS,
}


def concept(*codes: str) -> dict[str, Any]:
    """Return a CodeableConcept of codes such as ``ORPHA:98896``; a word alone is a status."""
    found = []
    for code in codes:
        system, _, value = code.rpartition(":")
        found.append({"system": SYSTEMS[system], "code": value} if system else {"code": value})
    return {"coding": found}


def bundle(*resources: dict[str, Any], kind: str = "collection", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": one} for one in resources], **more}


def read(*resources: dict[str, Any], **more: Any) -> ReadPatient:
    return read_patient(bundle(BOY, *resources, **more))


def facts(*resources: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    found = [one.model_dump(exclude_none=True, exclude_defaults=True) for one in read(*resources, **more).patient.facts]
    return [{name: value for name, value in one.items() if name not in {"id", "kind"}} for one in found]


def condition(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "code": concept("ORPHA:98896"), **more}


def observation(**more: Any) -> dict[str, Any]:
    own = {"code": concept("LOINC:1742-6"), "status": "final", "effectiveDateTime": "2025-11-02"}
    return {"resourceType": "Observation", **own, **more}


def medicine(kind: str = "MedicationStatement", **more: Any) -> dict[str, Any]:
    return {"resourceType": kind, "medicationCodeableConcept": concept("ATC:H02AB07"), **more}


DUCHENNE: dict[str, Any] = {"codes": ["ORPHA:98896"]}
STEROID: dict[str, Any] = {"codes": ["ATC:H02AB07"]}
ALT: dict[str, Any] = {"codes": ["LOINC:1742-6"], "date": "2025-11-02"}
