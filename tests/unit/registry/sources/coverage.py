"""Measure how much of the records of ClinicalTrials.gov reaches the trials: the table of an import report."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.registry.model.trial import TrialInput


@dataclass(frozen=True, slots=True)
class FieldCoverage:
    """One field over a set of records: how many have it, and how many of those have it in the trial."""

    field: str
    given: int
    mapped: int


# Field: its place in the record (below protocolSection), and whether the trial has it.
_FIELDS: Final[Mapping[str, tuple[str, Callable[[TrialInput], bool]]]] = {
    "title": ("identificationModule/briefTitle", lambda trial: trial.titles.en is not None),
    "acronym": ("identificationModule/acronym", lambda trial: trial.acronym is not None),
    "sponsor_code": ("identificationModule/orgStudyIdInfo/id", lambda trial: len(trial.identifiers) > 1),
    "other_public_number": (
        "identificationModule/secondaryIdInfos",
        lambda trial: any(identifier.type not in {"nct", "sponsor"} for identifier in trial.identifiers),
    ),
    "summary": ("descriptionModule/briefSummary", lambda trial: trial.summary.en is not None),
    "conditions": ("conditionsModule/conditions", lambda trial: bool(trial.conditions)),
    "condition_code": (
        "conditionsModule/conditions",
        lambda trial: any(condition.code is not None for condition in trial.conditions),
    ),
    "product_name": ("armsInterventionsModule/interventions", lambda trial: trial.product.name is not None),
    "product_class": ("armsInterventionsModule/interventions", lambda trial: trial.product.atmp_class is not None),
    "phase": ("designModule/phases", lambda trial: trial.phase is not None),
    "study_type": ("designModule/studyType", lambda trial: trial.study_type is not None),
    "status": ("statusModule/overallStatus", lambda trial: trial.source_status is not None),
    "why_stopped": ("statusModule/whyStopped", lambda trial: trial.why_stopped is not None),
    "sponsor": ("sponsorCollaboratorsModule/leadSponsor/name", lambda trial: trial.sponsor is not None),
    "sponsor_kind": (
        "sponsorCollaboratorsModule/leadSponsor/name",
        lambda trial: trial.sponsor is not None and trial.sponsor.kind is not None,
    ),
    "collaborators": ("sponsorCollaboratorsModule/collaborators", lambda trial: bool(trial.collaborators)),
    "enrolment": ("designModule/enrollmentInfo/count", lambda trial: trial.enrolment is not None),
    "start": ("statusModule/startDateStruct/date", lambda trial: trial.dates.start is not None),
    "primary_completion": (
        "statusModule/primaryCompletionDateStruct/date",
        lambda trial: trial.dates.primary_completion is not None,
    ),
    "completion": ("statusModule/completionDateStruct/date", lambda trial: trial.dates.completion is not None),
    "last_update": ("statusModule/lastUpdatePostDateStruct/date", lambda trial: trial.dates.last_update is not None),
    "locations": ("contactsLocationsModule/locations", lambda trial: bool(trial.locations)),
    "countries": ("contactsLocationsModule/locations", lambda trial: bool(trial.countries)),
    "eligibility_text": ("eligibilityModule/eligibilityCriteria", lambda trial: trial.eligibility.text is not None),
    "minimum_age": ("eligibilityModule/minimumAge", lambda trial: trial.eligibility.minimum_age is not None),
    "maximum_age": ("eligibilityModule/maximumAge", lambda trial: trial.eligibility.maximum_age is not None),
    "sex": ("eligibilityModule/sex", lambda trial: trial.eligibility.sex is not None),
}


def given_fields(record: Mapping[str, Any]) -> frozenset[str]:
    """Return the fields whose place in the record has a value, of whatever type."""
    return frozenset(
        field for field, (path, _) in _FIELDS.items() if _there(record.get("protocolSection"), path.split("/"))
    )


def coverage(readings: Iterable[tuple[Mapping[str, Any], TrialInput]]) -> list[FieldCoverage]:
    """Return one row per field over (record, trial) pairs.

    A value from another place counts only if the record has the field.
    """
    counts = {field: [0, 0] for field in _FIELDS}
    for record, trial in readings:
        for field in given_fields(record):
            counts[field][0] += 1
            counts[field][1] += _FIELDS[field][1](trial)
    return [FieldCoverage(field, given, mapped) for field, (given, mapped) in counts.items()]


def _there(value: Any, path: list[str]) -> bool:
    for step in path:
        if not isinstance(value, dict):
            return False
        value = value.get(step)
    return value not in (None, "", [], {})
