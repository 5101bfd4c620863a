"""Removes persons from source records, before anything is hashed or stored. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

_NOTHING: Final[frozenset[str]] = frozenset()
# Parts of records that name persons, wherever they occur, and the members that are kept of each: what they do and for
# which organisation. `docs/data-protection.md` has the same list.
KEPT: Final[Mapping[str, frozenset[str]]] = {
    # ClinicalTrials.gov
    "centralContacts": frozenset({"role"}),
    "contacts": frozenset({"role"}),
    "overallOfficials": frozenset({"role", "affiliation"}),
    "responsibleParty": frozenset({"type", "investigatorAffiliation", "oldOrganization"}),
    "pointOfContact": frozenset({"organization"}),
    # CTIS; the contacts of EUCTR results
    "publicContacts": frozenset({"type"}),
    "scientificContacts": frozenset({"type"}),
    "contactPointForUnion": frozenset({"type"}),
    "publicContact": frozenset({"organisationName"}),
    "scientificContact": frozenset({"organisationName"}),
    "person": _NOTHING,
    "personInfo": _NOTHING,
    "functionalName": _NOTHING,
    "functionalEmailAddress": _NOTHING,
    "email": _NOTHING,
    "phone": _NOTHING,
    "phoneNumber": _NOTHING,
    "telephone": _NOTHING,
    "fax": _NOTHING,
    # ISRCTN, and the contacts of FHIR resources
    "contact": _NOTHING,
    "contactDetails": frozenset({"city", "country"}),
    "telecom": _NOTHING,
    "valueHumanName": _NOTHING,
    "principalInvestigator": _NOTHING,
}
# Questions B.5 of EUCTR: the contact point of the sponsor, with the name of a person in any of the answers.
_CONTACT_POINT: Final = re.compile(r"b5\d.*|B\.S?\d*\.?5\..*", re.DOTALL)
# ISRCTN closes its summaries with a question, and a name.
_MAIN_CONTACT: Final = re.compile(r"\s*who (?:is|are) the main contacts?\b.*", re.IGNORECASE | re.DOTALL)
# The parties of a FHIR study that are persons.
_PERSON_ROLES: Final = frozenset(
    (
        *("primary-investigator", "sub-investigator", "sponsor-investigator", "study-director", "study-chair"),
        *("general-contact", "recruitment-contact"),
    )
)
# The narrative of ECLAIRE has all that the server received, one line each; those without persons are kept.
_NARRATIVE_LINE: Final = re.compile(r"<li>\s*([a-z_]+):[^<]*</li>", re.IGNORECASE)
_NARRATIVE_KEPT: Final = frozenset({"etat", "reglementation_code", "statut_recrutement", "date_fin_recrutement"})


def without_persons(record: Any) -> Any:
    """Return a JSON value without the names, titles, telephone numbers and addresses of persons.

    The order of members stays. Other free texts stay as they are.
    """
    if isinstance(record, list):
        return [without_persons(item) for item in record]
    if not isinstance(record, dict):
        return record
    if _is_person(record):
        return {"url": record.get("url")}
    return {name: _of_member(name, value) for name, value in record.items() if not _CONTACT_POINT.fullmatch(name)}


def _is_person(record: dict[str, Any]) -> bool:
    """Return whether this is an extension for a party that is a person."""
    roles = [_member(part, "valueCodeableConcept") for part in _listed(record.get("extension"))]
    codings = [coding for role in roles for coding in _listed(_member(role, "coding"))]
    return any(str(_member(coding, "code")) in _PERSON_ROLES for coding in codings)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _of_member(name: str, value: Any) -> Any:
    if name in KEPT:
        return _reduced(value, KEPT[name])
    if name == "plainEnglishSummary" and isinstance(value, str):
        return _MAIN_CONTACT.sub("", value)
    if name == "div" and isinstance(value, str):
        return "".join(line[0] for line in _NARRATIVE_LINE.finditer(value) if line[1].lower() in _NARRATIVE_KEPT)
    return without_persons(value)


def _reduced(value: Any, kept: frozenset[str]) -> Any:
    if isinstance(value, list):
        return [_reduced(item, kept) for item in value]
    if not isinstance(value, dict):
        return None
    return {name: item for name, item in value.items() if name in kept and isinstance(item, str)}
