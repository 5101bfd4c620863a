"""A referral from the workbench: what its form proposes, and what it sends to the API. Pure."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from services.portal.workbench.answering import day_of
from services.portal.workbench.state import Record

Fields = Callable[[str], str]
_ADULT = 18
# fields of the API → fields of the form
FIELDS = {
    "/patient_agreement/given": "given",
    "/patient_agreement/on": "agreed_on",
    "/patient_agreement/by": "agreed_by",
    "/adult_on": "adult_on",
    "/minor": "minor",
    "/refer_before": "refer_before",
    "/dosing_limit": "dosing_limit",
    "/urgency": "urgency",
    "/cohort": "cohort",
    "/same_patient_as": "same_patient_as",
    "/follows": "follows",
}


def proposal(record: Record, trial: Mapping[str, Any]) -> dict[str, str]:
    """Return what the form proposes. Limits go by month: a day beside an age limit would show a birth date."""
    born = str(record.get("birth_date") or "")
    as_of = date.fromisoformat(str(trial["timeline"][0]["from"]))
    adult_on = f"{int(born[:4]) + _ADULT}{born[4:7]}" if len(born) >= len("2020-01") else ""
    is_minor = bool(adult_on) and adult_on > as_of.isoformat()[:7]
    return {
        "cohort": str(trial["cohort"] or ""),
        "minor": "1" if is_minor else "",
        "adult_on": adult_on if is_minor else "",
        "refer_before": str(trial["refer_before"] or "")[:7],
        "urgency": "standard",
    }


def referral_of(fields: Fields) -> dict[str, Any]:
    """Return the body of `POST /registry/v1/referrals`.

    :raises NotUnderstoodError: a field cannot be read.
    """
    body = {
        "trial": fields("trial"),
        "centre": fields("centre"),
        "cohort": fields("cohort"),
        "patient_agreement": {
            "given": bool(fields("given")),
            "on": day_of("agreed_on", fields("agreed_on")),
            "by": fields("agreed_by"),
        },
        "minor": bool(fields("minor")),
        "adult_on": day_of("adult_on", fields("adult_on")),
        "urgency": fields("urgency"),
        "refer_before": day_of("refer_before", fields("refer_before")),
        "dosing_limit": day_of("dosing_limit", fields("dosing_limit")),
        "disclose_after_consent": bool(fields("disclose_after_consent")),
        "place": bool(fields("place")),
        "same_patient_as": fields("same_patient_as"),
        "follows": fields("follows"),
    }
    return {name: value for name, value in body.items() if value != ""}
