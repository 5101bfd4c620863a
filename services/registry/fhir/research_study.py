"""A trial as an R4 ResearchStudy (https://hl7.org/fhir/R4/researchstudy.html). Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from services.registry.model.contact import Contact
from services.registry.model.trial import Condition, Location, Trial
from services.registry.trials.model import is_stale
from services.registry.trials.sites.joining import SiteRow
from shared.values.wire import write_instant
from shared.vocabulary.identifiers import register_page

# Systems of the codes of conditions; a code of another system is given as text only.
SYSTEMS: Final = {
    "ORPHA": "http://www.orpha.net",
    "MONDO": "http://purl.obolibrary.org/obo/mondo.owl",
    "OMIM": "https://omim.org",
    "ICD10": "http://hl7.org/fhir/sid/icd-10",
    "SNOMED": "http://snomed.info/sct",
    "MESH": "http://id.nlm.nih.gov/mesh",
}
REGISTERS: Final = {
    "nct": "https://clinicaltrials.gov",
    "euct": "https://euclinicaltrials.eu",
    "eudract": "https://www.clinicaltrialsregister.eu",
    "isrctn": "https://www.isrctn.com",
    "utn": "https://www.who.int/clinical-trials-registry-platform",
}
# The status that R4 has for each recruitment status; `unknown` has none.
STATUSES: Final = {
    "in_review": "in-review",
    "not_yet_recruiting": "approved",
    "recruiting": "active",
    "enrolling_by_invitation": "active",
    "available": "active",
    "active_not_recruiting": "closed-to-accrual",
    "suspended": "temporarily-closed-to-accrual",
    "completed": "completed",
    "terminated": "administratively-completed",
    "expired": "administratively-completed",
    "no_longer_available": "completed",
    "withdrawn": "withdrawn",
    "refused": "disapproved",
}
SITE_STATE: Final = "urn:cleio:extension:site-state"
_PHASE_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/research-study-phase"
_UNKNOWN: Final = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"},
    ]
}


def research_study(trial: Trial, sites: Sequence[SiteRow], centres: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """Return the resource as of ``now``. What the registry does not know is left out, as FHIR asks.

    ``sites``: the member centres with their present status. ``centres``: names of the centres.
    """
    status = STATUSES.get(trial.status)
    dates = trial.dates
    period = {
        name: milestone.date
        for name, milestone in (("start", dates.start), ("end", dates.completion))
        if milestone is not None
    }
    resource: dict[str, Any] = {
        "resourceType": "ResearchStudy",
        "id": trial.id,
        "meta": {"versionId": str(trial.version), "lastUpdated": trial.model_dump(mode="json")["updated_at"]},
        "identifier": [
            {"use": "official" if one.value == trial.identifier else "secondary", "system": REGISTERS.get(one.type)}
            | {"value": one.value}
            for one in trial.identifiers
        ],
        "title": trial.titles.en or trial.titles.fr,
        "status": status,
        "_status": None if status else _UNKNOWN,
        "phase": {"coding": [{"system": _PHASE_SYSTEM, "code": trial.phase}]} if trial.phase else None,
        "condition": [_condition(one) for one in trial.conditions],
        "keyword": [{"text": gene} for gene in trial.product.genes],
        "contact": [_contact(trial.contact)] if trial.contact else [],
        "relatedArtifact": [
            {"type": "documentation", "url": page}
            for one in trial.identifiers
            if (page := register_page(one.type, one.value))
        ],
        "location": [{"coding": [{"system": "urn:iso:std:iso:3166", "code": code}]} for code in trial.countries],
        "description": trial.summary.en or trial.summary.fr,
        "period": period,
        "sponsor": {"display": trial.sponsor.name} if trial.sponsor else None,
        "site": [
            *({"display": place} for place in dict.fromkeys(map(_place, trial.locations)) if place),
            *(_site(one, centres, now) for one in sites),
        ],
        "arm": [{"name": cohort.label.en} for cohort in trial.cohorts],
    }
    found: dict[str, Any] = _without_empty(resource)
    return found


def _site(site: SiteRow, centres: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """Return a member centre with its present status, in extensions of our own."""
    centre, status, confirmed = site
    at = datetime.fromisoformat(confirmed) if confirmed else None
    said: list[dict[str, Any]] = [
        {"url": "centre", "valueString": centre},
        {"url": "status", "valueCode": status},
        {"url": "stale", "valueBoolean": is_stale(at, now)},
    ]
    if at is not None:
        said.append({"url": "confirmedAt", "valueDateTime": write_instant(at)})
    return {"extension": [{"url": SITE_STATE, "extension": said}], "display": centres.get(centre, centre)}


def _condition(condition: Condition) -> dict[str, Any]:
    system, _, code = (condition.code or "").partition(":")
    coding = [{"system": SYSTEMS[system], "code": code}] if system in SYSTEMS else []
    return {"coding": coding, "text": condition.text}


def _contact(contact: Contact) -> dict[str, Any]:
    name = ", ".join(part for part in (contact.function.en, contact.organisation) if part)
    telecom = [{"system": "email", "value": contact.email}] if contact.email else []
    telecom += [{"system": "url", "value": contact.url}] if contact.url else []
    return {"name": name, "telecom": telecom}


def _place(location: Location) -> str:
    return ", ".join(part for part in (location.facility, location.city, location.country) if part)


def _without_empty(value: Any) -> Any:
    """Leave out what is empty: FHIR allows neither null nor empty lists and objects."""
    if isinstance(value, dict):
        cleaned = {name: _without_empty(part) for name, part in value.items()}
        return {name: part for name, part in cleaned.items() if part not in (None, [], {}, "")}
    if isinstance(value, list):
        return [part for part in map(_without_empty, value) if part not in (None, [], {}, "")]
    return value
