"""A trial for search engines, in the words of schema.org. Pure."""

from typing import Any

from services.portal.pages.language import in_language
from services.portal.pages.visitors import Visitor
from services.portal.trial_pages.view import TrialView, address_of

_STATUS = {
    "recruiting": "Recruiting",
    "enrolling_by_invitation": "EnrollingByInvitation",
    "available": "Recruiting",
    "not_yet_recruiting": "NotYetRecruiting",
    "active_not_recruiting": "ActiveNotRecruiting",
    "suspended": "Suspended",
    "completed": "Completed",
    "terminated": "Terminated",
    "withdrawn": "Withdrawn",
}


def medical_trial(view: TrialView, visitor: Visitor) -> dict[str, Any] | None:
    """Return a ``MedicalTrial``; None: the trial is fictitious and must not be found as a real one."""
    trial = view.trial
    if trial["illustrative"]:
        return None
    stated = {
        "@context": "https://schema.org",
        "@type": "MedicalTrial",
        "name": view.title.text,
        "identifier": [one.value for one in view.numbers],
        "url": in_language(f"/trials/{address_of(trial)}", visitor.language),
        "inLanguage": visitor.language,
        "healthCondition": [{"@type": "MedicalCondition", "name": one.name} for one in view.diseases],
        "sponsor": {"@type": "Organization", "name": trial["sponsor"]["name"]} if trial["sponsor"] else None,
        "status": _status(trial["status"]),
        "phase": trial["phase"],
        "description": view.summary.text if view.summary else view.facts,
        "studyLocation": [{"@type": "MedicalClinic", "name": f"{one.name}, {one.city}"} for one in view.sites],
    }
    return {name: value for name, value in stated.items() if value}


def _status(status: str) -> str | None:
    return f"https://schema.org/{_STATUS[status]}" if status in _STATUS else None
