"""What a ClinicalTrials.gov record says, field by field. A module that the record leaves out says nothing."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.registry.merge.fields import at_path, is_empty
from services.registry.merge.reading import Reading
from services.registry.sources.ctgov import READER_VERSION, read_parts, read_study, study_date, study_number
from services.registry.sources.places import CentreRule
from services.registry.sources.reader import SourceReading
from services.registry.terminology.terminology import Terminology

# The module of each field, and the members from which it is read.
_PLACES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "identifiers": ("identificationModule", ("nctId",)),
    "acronym": ("identificationModule", ("acronym",)),
    "titles.en": ("identificationModule", ("briefTitle", "officialTitle")),
    "official_titles.en": ("identificationModule", ("officialTitle",)),
    "summary.en": ("descriptionModule", ("briefSummary",)),
    "conditions": ("conditionsModule", ("conditions",)),
    "keywords": ("conditionsModule", ("keywords",)),
    "product": ("armsInterventionsModule", ("interventions",)),
    "phase": ("designModule", ("phases",)),
    "study_type": ("designModule", ("studyType",)),
    "design": ("designModule", ("designInfo",)),
    "arms": ("armsInterventionsModule", ("armGroups",)),
    "interventions": ("armsInterventionsModule", ("interventions",)),
    "primary_outcomes": ("outcomesModule", ("primaryOutcomes",)),
    "secondary_outcomes": ("outcomesModule", ("secondaryOutcomes",)),
    "enrolment": ("designModule", ("enrollmentInfo",)),
    "status": ("statusModule", ("overallStatus",)),
    "source_status": ("statusModule", ("overallStatus",)),
    "why_stopped": ("statusModule", ("whyStopped",)),
    "dates.start": ("statusModule", ("startDateStruct",)),
    "dates.primary_completion": ("statusModule", ("primaryCompletionDateStruct",)),
    "dates.completion": ("statusModule", ("completionDateStruct",)),
    "dates.last_update": ("statusModule", ("lastUpdatePostDateStruct", "lastUpdateSubmitDate")),
    "dates.first_posted": ("statusModule", ("studyFirstPostDateStruct",)),
    "dates.verified": ("statusModule", ("statusVerifiedDate",)),
    "sponsor": ("sponsorCollaboratorsModule", ("leadSponsor",)),
    "collaborators": ("sponsorCollaboratorsModule", ("collaborators",)),
    "countries": ("contactsLocationsModule", ("locations", "locations_nested")),
    "locations": ("contactsLocationsModule", ("locations", "locations_nested")),
    "sites": ("contactsLocationsModule", ("locations", "locations_nested")),
    "eligibility": ("eligibilityModule", ()),
    "references": ("referencesModule", ("references",)),
    "documents": ("referencesModule", ("seeAlsoLinks",)),
}
_ELIGIBILITY: Final = {
    "text": "eligibilityCriteria",
    "minimum_age": "minimumAge",
    "maximum_age": "maximumAge",
    "sex": "sex",
    "healthy_volunteers": "healthyVolunteers",
}
# What the title of a record lets one suppose where the module is left out.
_INFERRED: Final = frozenset({"conditions", "product"})


class CtgovReader:
    """Reads records of the API of ClinicalTrials.gov, version 2."""

    source: Final = "ctgov"

    @property
    def version(self) -> int:
        return READER_VERSION

    def source_id(self, record: Any) -> str:
        """Return the NCT number.

        :raises InvalidStudyError: the record is not an object or has no NCT number.
        """
        return study_number(record)

    def parts(self, record: Any) -> Any:
        """Return `protocolSection`, the MeSH terms of the conditions and the documents."""
        return read_parts(record)

    def dated(self, record: Any) -> str | None:
        """Return the day of the last update, if the record gives one."""
        return study_date(record)

    def read(self, record: Any, terminology: Terminology, centres: Sequence[CentreRule] = ()) -> SourceReading:
        """Read a record with a valid number."""
        study = read_study(record, terminology, centres)
        trial, protocol = study.trial.model_dump(mode="json"), record["protocolSection"]
        pointers = [one.pointer for one in study.warnings]
        values: dict[str, Any] = {}
        inferred: dict[str, Any] = {}
        unreadable: set[str] = set()
        for path, (module, members) in _PLACES.items():
            value = at_path(trial, path)
            if not isinstance(protocol.get(module), dict):
                if path in _INFERRED and not is_empty(_known(value)):
                    inferred[path] = value
            elif is_empty(value) and any(_warned(pointers, module, member) for member in members):
                unreadable.add(path)
            else:
                values[path] = value
        if trial["documents"]:  # those of its own are beside the protocol
            values["documents"] = trial["documents"]
        if "status" in values and values["status"] == "unknown" and _warned(pointers, "statusModule", "overallStatus"):
            del values["status"]
            unreadable.add("status")
        if "eligibility" in values:
            unreadable |= {
                f"eligibility.{name}"
                for name, member in _ELIGIBILITY.items()
                if values["eligibility"][name] is None and _warned(pointers, "eligibilityModule", member)
            }
        dated = self.dated(record)
        return SourceReading(Reading(values, frozenset(unreadable), dated, inferred=inferred), study.warnings)


def _known(value: Any) -> Any:
    """Return a group without the members that are false."""
    return {name: item for name, item in value.items() if item} if isinstance(value, dict) else value


def _warned(pointers: Sequence[str], module: str, member: str) -> bool:
    """Return whether something was left out at this place or below it."""
    place = f"/protocolSection/{module}/{member}"
    return any(one == place or one.startswith(f"{place}/") for one in pointers)
