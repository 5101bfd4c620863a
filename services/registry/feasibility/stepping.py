"""The rules of a step: its dates, what it must state, and what it changes of the request. Pure."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from importlib import resources
from typing import Final

from services.registry.feasibility.clocks import is_question_open
from services.registry.feasibility.model import FINAL, SELECTED, WITHDRAWN, Dossier, FeasibilityRequest
from services.registry.feasibility.reminders import DEFAULT_DAYS, deadline_of, next_reminder
from services.registry.feasibility.schemas import FeasibilityStepInput
from services.registry.model.working_days import end_of_period
from services.registry.steps.model import Step
from services.registry.steps.problems import WrongStepError
from services.registry.steps.transitions import StepTable
from shared.values.problems import Fault, InvalidBodyError
from shared.values.wire import Label

TABLE: Final = StepTable.read("services.registry.feasibility")
# They need a confidentiality agreement in force.
GATED: Final = frozenset({"sign_cda", "send_questionnaire", "ask_again", "ask_question", "submit"})
_SENDS: Final = frozenset({"send_questionnaire", "ask_again"})
_TALKS: Final = frozenset({"ask_question", "answer_question"})


def _read_reasons() -> dict[str, frozenset[str]]:
    rows = json.loads((resources.files("services.registry.feasibility") / "reasons.json").read_text("utf-8"))
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        found[row["action"]].add(row["code"])
    return {action: frozenset(codes) for action, codes in found.items()}


# Why a centre declines, and why one is not selected.
REASONS: Final = _read_reasons()


def possible(request: FeasibilityRequest, steps: Sequence[Step], dossier: Dossier, kind: str) -> list[str]:
    """Return the steps that an organisation of this kind can take now, whatever the gate."""
    if dossier.state == WITHDRAWN:
        return []
    return [action for action in TABLE.possible(request.state, kind) if _fits(action, request, steps)]


def state_after(request: FeasibilityRequest, steps: Sequence[Step], dossier: Dossier, action: str, kind: str) -> str:
    """Return the state after a step.

    :raises WrongStepError: 409, it is not possible in this state, or the dossier is withdrawn.
    :raises ForbiddenError: 403, it is for organisations of another kind.
    """
    if dossier.state == WITHDRAWN:
        raise WrongStepError(shown_state(request, dossier), action, [])
    state = TABLE.after(request.state, action, kind)
    if not _fits(action, request, steps):
        raise WrongStepError(request.state, action, possible(request, steps, dossier, kind))
    return state


def shown_state(request: FeasibilityRequest, dossier: Dossier) -> str:
    """Return the state of a request: it is withdrawn with its dossier, before its own step of it is written."""
    ended = request.state in FINAL or request.state == "activated"
    return WITHDRAWN if dossier.state == WITHDRAWN and not ended else request.state


def check_step(given: FeasibilityStepInput, on: date, today: date, last: date | None) -> None:
    """Check what a step states. ``last``: the day of the last step.

    :raises InvalidBodyError: 422, names each fault by its field.
    """
    faults = []
    if on > today:
        faults.append(_fault("/on", "in_the_future", "ne peut être dans l'avenir", "cannot be in the future"))
    elif last is not None and on < last:
        words = f"ne peut précéder la dernière étape ({last})", f"cannot be before the last step ({last})"
        faults.append(_fault("/on", "before_last_step", *words))
    faults += _reason_faults(given)
    if given.action in _TALKS and given.text is None:
        faults.append(_fault("/text", "missing", "requis pour cette étape", "required for this step"))
    if given.days is not None and given.action not in _SENDS:
        faults.append(_fault("/days", "not_of_this_step", "seulement avec un questionnaire", "only with a "
                             "questionnaire"))  # fmt: skip
    if faults:
        raise InvalidBodyError(errors=faults)


def changed(
    request: FeasibilityRequest, steps: Sequence[Step], state: str, given: FeasibilityStepInput, on: date, today: date
) -> FeasibilityRequest:
    """Return the request after a step, which is its next version."""
    after = replace(request, version=request.version + 1, state=state, named=request.named or state in SELECTED)
    if given.action in _SENDS:
        return _with_deadline(after, deadline_of(on, given.days or DEFAULT_DAYS), today)
    if given.action == "ask_question":
        return replace(after, reminder_due=None)
    if given.action == "answer_question" and request.deadline is not None:
        asked = next((step.on for step in reversed(steps) if step.action == "ask_question" and step.on), on)
        return _with_deadline(after, end_of_period(request.deadline, (on - asked).days), today)
    # A selected centre that is asked again stays selected, and its contract goes on.
    if state in SELECTED and given.action not in {"select", "submit"}:
        return after
    return after if state == "questionnaire_sent" else replace(after, deadline=None, reminder_due=None)


def detail_of(given: FeasibilityStepInput, after: FeasibilityRequest) -> dict[str, str]:
    """Return what is kept of a step beside its date and its words: codes and dates only."""
    found: dict[str, str] = {}
    if given.reason is not None:
        found["reason"] = given.reason
    if given.action in _SENDS and after.deadline is not None:
        found["deadline"] = after.deadline.isoformat()
    return found


def _with_deadline(request: FeasibilityRequest, deadline: date, today: date) -> FeasibilityRequest:
    return replace(request, deadline=deadline, reminder_due=next_reminder(deadline, today))


def _fits(action: str, request: FeasibilityRequest, steps: Sequence[Step]) -> bool:
    """Return whether the steps so far allow an action that the state allows."""
    if action in _TALKS:
        return request.is_asked and is_question_open(steps) is (action == "answer_question")
    signed = any(step.action == "sign_contract" for step in steps)
    allowed = {
        "sign_contract": not signed,
        "green_light": signed,
        "submit": request.is_asked,
        "ask_again": not request.is_asked,
    }
    return allowed.get(action, True)


def _reason_faults(given: FeasibilityStepInput) -> list[Fault]:
    allowed = REASONS.get(given.action, frozenset())
    if given.action in REASONS and given.reason is None:
        return [_fault("/reason", "missing", "requis pour cette étape", "required for this step")]
    if given.reason is not None and given.reason not in allowed:
        listed = ", ".join(sorted(allowed))
        french = f"l'un de : {listed}" if listed else "sans objet pour cette étape"
        english = f"one of: {listed}" if listed else "not for this step"
        return [_fault("/reason", "not_of_this_step", french, english)]
    return []


def _fault(pointer: str, code: str, french: str, english: str) -> Fault:
    return Fault(pointer=pointer, code=code, detail=Label(fr=french, en=english))
