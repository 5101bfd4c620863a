"""The answer of `$match`: a searchset of ResearchStudy, best first, each with a score and the reasons. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.matching.evaluations.service import ListedTrial
from services.matching.evaluations.sites import site_answers
from services.matching.fhir.request import Wishes
from services.matching.patients.index import IndexedPatient
from services.matching.snapshots.model import Snapshot

# FHIR asks for a number from 0 to 1. It orders the verdicts; it is no probability.
SCORES: Final = {"compatible": 1.0, "possible": 0.75, "not_yet": 0.5, "not_now": 0.25}
EXTENSION: Final = "urn:cleio:fhir:match"
# A trial that recruits elsewhere, or no longer, counts half as much as one that is open in the country.
_CLOSED_FACTOR: Final = 0.5


def wanted(
    listed: Sequence[ListedTrial], snapshot: Snapshot, patient: IndexedPatient, wishes: Wishes
) -> list[ListedTrial]:
    """Return the trials of the answer: no excluded or fictitious ones, and only those that the wishes allow.

    A trial whose distances are not known is never left out by the radius.
    """
    return [
        one
        for one in listed
        if one.best.verdict in SCORES
        and not one.trial.record.trial.illustrative
        and (wishes.phase is None or one.trial.record.trial.phase == wishes.phase)
        and (not wishes.only_recruiting or one.best.id in one.trial.recruiting)
        and _is_near(one, snapshot, patient, wishes)
    ]


def bundle(
    trials: Sequence[ListedTrial],
    resources: Mapping[str, Mapping[str, Any]],
    total: int,
    links: Sequence[Mapping[str, str]],
    outcome: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the searchset. ``resources``: the ResearchStudy of each trial by its id, as the registry maps it."""
    entries: list[dict[str, Any]] = [
        {"resource": resources[one.trial.record.trial.id], "search": _search(one)}
        for one in trials
        if one.trial.record.trial.id in resources
    ]
    if outcome is not None:
        entries.append({"resource": outcome, "search": {"mode": "outcome"}})
    found = {"resourceType": "Bundle", "type": "searchset", "total": total, "link": list(links)}
    # FHIR allows no empty list.
    return found | ({"entry": entries} if entries else {})


def outcome(warnings: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the warnings about the patient's record as an OperationOutcome; None without any."""
    if not warnings:
        return None
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "warning",
                "code": "informational",
                "details": {"text": one["message"]["en"]},
                "expression": [str(one["pointer"]) or "/"],
            }
            for one in warnings
        ],
    }


def _search(one: ListedTrial) -> dict[str, Any]:
    best = one.best
    factor = 1.0 if best.id in one.trial.recruiting else _CLOSED_FACTOR
    parts = [
        {"url": "verdict", "valueCode": best.verdict},
        {"url": "recruitment", "valueCode": one.trial.recruitment[best.id]},
        {"url": "criteria-illustrative", "valueBoolean": one.compiled.document.illustrative},
        *(
            {"url": name, "valueDate": day.isoformat()}
            for name, day in (("from", best.start), ("until", best.until), ("refer-before", best.refer_before))
            if day is not None
        ),
        *(_criterion(criterion) for criterion in one.result.criteria if criterion.id in best.criteria),
    ]
    return {
        "extension": [{"url": EXTENSION, "extension": parts}],
        "mode": "match",
        "score": SCORES[best.verdict] * factor,
    }


def _criterion(criterion: Any) -> dict[str, Any]:
    parts = [
        {"url": "id", "valueString": criterion.id},
        {"url": "kind", "valueCode": criterion.kind},
        {"url": "state", "valueCode": criterion.state},
        *({"url": "reason", "valueCode": reason} for reason in criterion.reasons if criterion.state == "unknown"),
    ]
    return {"url": "criterion", "extension": parts}


def _is_near(one: ListedTrial, snapshot: Snapshot, patient: IndexedPatient, wishes: Wishes) -> bool:
    if wishes.radius_km is None:
        return True
    place = wishes.departement or patient.departement
    sites = site_answers(one.trial, snapshot.centres, one.best.id, place, patient.as_of)
    distances = [site["distance_km"] for site in sites]
    return not distances or None in distances or min(distances) <= wishes.radius_km
