"""What may be done about a dossier, by whom. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from services.registry.steps.model import Step
from services.registry.steps.problems import WrongStepError
from services.registry.steps.transitions import StepTable
from services.registry.submissions.model import Answer, Relation, Submission, SubmissionState
from services.registry.submissions.problems import (
    ConsentMissingError,
    FeasibilityRequiredError,
    NotAcceptedError,
    SecondPersonRequiredError,
)
from shared.values.problems import ForbiddenError

TABLE: Final = StepTable.read("services.registry.submissions")
# Who may take a step, beside the kinds of organisations in the table. The coordination may take what the table grants.
_OWNERS: Final = frozenset({"owner", "coordination"})
_ACTING: Final = frozenset({"owner", "delegate", "proxy", "coordination"})
_BY: Final = {
    "consent": frozenset({"owner", "proxy"}),
    "delegate": frozenset({"owner"}),
    "revoke_delegate": frozenset({"owner"}),
    "offer_transfer": _OWNERS,
    "accept_transfer": frozenset({"receiver"}),
    "refuse_transfer": frozenset({"receiver"}),
}
REASON_REQUIRED: Final = frozenset({"return", "decide", "withdraw", "drop_amendment", "offer_transfer"})


@dataclass(frozen=True, slots=True)
class Standing:
    """What was done about the version that was submitted last.

    ``consent``: of the sponsor; ``asked``: by the first person who asked for its publication. ``feasibility``: whether
    the centres were asked.
    """

    consent: Step | None = None
    asked: Step | None = None
    feasibility: bool = False


def standing_of(one: Submission, steps: Sequence[Step]) -> Standing:
    """Return what counts for the publication of a dossier. ``steps``: oldest first."""
    consent = asked = None
    feasibility = False
    for step in steps:
        if step.action in {"submit", "open_feasibility"}:
            feasibility = step.action == "open_feasibility"
        if step.action == "consent" and step.detail.get("submitted") == one.number:
            consent = step
        elif step.action in {"decide", "submit", "accept_transfer"}:
            # Another decision, version or owner: both must be given again, a consent only where the owner changed.
            asked = None
            consent = None if step.action == "accept_transfer" else consent
        elif step.action == "publish":
            asked = step if step.state == "decided" else None
    return Standing(consent, asked, feasibility)


def after(one: Submission, action: str, kind: str, relation: Relation) -> SubmissionState:
    """Return the state of a dossier after an action.

    :raises WrongStepError: 409, it is not possible now.
    :raises ForbiddenError: 403, it is for others.
    """
    try:
        state = TABLE.after(one.state, action, kind)
    except WrongStepError:
        raise WrongStepError(one.state, action, possible(one, kind, relation)) from None
    if relation not in _BY.get(action, _ACTING):
        raise ForbiddenError
    if not _fits(one, action):
        raise WrongStepError(one.state, action, possible(one, kind, relation))
    return cast("SubmissionState", state)


def possible(one: Submission, kind: str, relation: Relation) -> list[str]:
    """Return the actions that a caller can take now."""
    return [
        action
        for action in TABLE.possible(one.state, kind)
        if relation in _BY.get(action, _ACTING) and _fits(one, action)
    ]


def check_decision(one: Submission, answer: Answer, standing: Standing, *, criteria_changed: bool) -> None:
    """Check that a dossier may be accepted or declined now. ``criteria_changed``: by an amendment.

    :raises FeasibilityRequiredError: 409, the centres were not asked.
    """
    if answer == "accepted" and not standing.feasibility and (not one.amends or criteria_changed):
        raise FeasibilityRequiredError


def check_publication(one: Submission, standing: Standing, author: str) -> bool:
    """Return whether this request publishes the dossier; False: it is the first of the two that are needed.

    :raises Problem: 409, it may not be published yet.
    """
    if one.answer != "accepted":
        raise NotAcceptedError
    if standing.consent is None:
        raise ConsentMissingError
    if standing.asked is None:
        return False
    if standing.asked.author == author:
        raise SecondPersonRequiredError
    return True


def _fits(one: Submission, action: str) -> bool:
    if action == "withdraw":
        return one.published_number is None
    if action == "drop_amendment":
        return one.published_number is not None
    if action in {"accept_transfer", "refuse_transfer"}:
        return one.transfer_to is not None
    return action != "publish" or one.answer == "accepted"
