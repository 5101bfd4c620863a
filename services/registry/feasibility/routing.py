"""The feed entries of feasibility. Pure.

Ids, states and dates only. They have no facet of the study: a filter would reveal to a centre what the gate hides.
"""

from typing import Final, Literal

from services.registry.feasibility.model import Dossier, FeasibilityRequest, ReminderKind
from shared.feed.changes import NOT_VISIBLE, Change, Routing

StepEvent = Literal["requested", "updated", "answered", "decided"]
EVENT_OF: Final[dict[str, StepEvent]] = {
    "request": "requested", "send_questionnaire": "requested", "ask_again": "requested", "submit": "answered",
    "select": "decided", "not_select": "decided", "decline": "decided", "withdraw": "decided",
}  # fmt: skip
_TYPES: Final[dict[StepEvent, str]] = {
    "requested": "feasibility.requested",
    "updated": "feasibility.updated",
    "answered": "feasibility.answered",
    "decided": "feasibility.decided",
}


def changes_of_step(request: FeasibilityRequest, action: str, dossier: Dossier) -> list[Change]:
    """Return the feed entries of a step: for the centre and the coordination, and of a decision for the sponsor.

    That of the sponsor names no centre.
    """
    event = EVENT_OF.get(action, "updated")
    after = _of_parties(request)
    before = NOT_VISIBLE if action == "request" else after
    extra = {"submission": request.submission, "centre": request.centre, "state": request.state}
    if request.deadline is not None:
        extra["deadline"] = request.deadline.isoformat()
    subject = f"feasibility/{request.reference}"
    found = [Change(_TYPES[event], subject, request.version, before, after, ("state",), extra)]
    if event == "decided":
        sponsor = Routing(frozenset({f"organisation:{dossier.organisation}"}))
        network = f"feasibility/{request.submission}"
        about = {"submission": request.submission}
        found.append(Change(_TYPES[event], network, 1, sponsor, sponsor, ("result",), about))
    return found


def change_of_reminder(request: FeasibilityRequest, kind: ReminderKind) -> Change:
    """Return the feed entry of a reminder. The version of the request stays."""
    parties = _of_parties(request)
    extra = {"submission": request.submission, "centre": request.centre, "state": request.state, "reminder": kind}
    if request.deadline is not None:
        extra["deadline"] = request.deadline.isoformat()
    return Change(
        "feasibility.due", f"feasibility/{request.reference}", request.version, parties, parties, ("deadline",), extra
    )


def _of_parties(request: FeasibilityRequest) -> Routing:
    return Routing(frozenset({"coordination", f"centre:{request.centre}"}), {"centre": frozenset({request.centre})})
