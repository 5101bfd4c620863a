"""Clocks of a feasibility request, measured from its dated steps. Pure.

An interval has the days after its first day, up to and with its last one. Days on which the sponsor owes an answer to a
question do not count. A case that ended otherwise keeps the age it had then; an open one has its age so far.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from services.registry.feasibility.model import SELECTED
from services.registry.model.working_days import working_days
from services.registry.steps.model import Step

Outcome = Literal["completed", "open", "stopped"]
ClockName = Literal[
    "triage", "cda", "request_to_answer", "answer", "decision", "contract", "selection_to_activation",
    "contract_to_activation", "activation", "first_patient",
]  # fmt: skip
ENDINGS: Final = frozenset({"decline", "not_select", "withdraw"})
# Clock → the actions that start it, and those that end it.
_CLOCKS: Final[tuple[tuple[ClockName, frozenset[str], frozenset[str]], ...]] = (
    ("triage", frozenset({"request"}), frozenset({"triage"})),
    ("cda", frozenset({"send_cda"}), frozenset({"sign_cda"})),
    ("request_to_answer", frozenset({"request"}), frozenset({"submit"})),
    # From the day on which the questionnaire can be read: the agreement is signed, and the dossier is open.
    ("answer", frozenset({"send_questionnaire", "ask_again"}), frozenset({"submit"})),
    ("decision", frozenset({"submit"}), frozenset({"select", "not_select"})),
    ("contract", frozenset({"start_contract"}), frozenset({"sign_contract"})),
    ("selection_to_activation", frozenset({"select"}), frozenset({"activate"})),
    ("contract_to_activation", frozenset({"sign_contract"}), frozenset({"activate"})),
    ("activation", frozenset({"green_light"}), frozenset({"activate"})),
    ("first_patient", frozenset({"green_light"}), frozenset({"first_patient"})),
)
# What the sponsor owes stops these alone.
_PAUSED: Final = frozenset({"request_to_answer", "answer"})


@dataclass(frozen=True, slots=True)
class Clock:
    """A measured interval. ``days``: calendar days, ``working_days``: French ones, both without those ``paused``.

    ``end``: the last day; None while it is open. ``paused``: in calendar days.
    """

    name: ClockName
    start: date
    end: date | None
    outcome: Outcome
    days: int
    working_days: int
    paused: int


def clocks(steps: Sequence[Step], today: date) -> list[Clock]:
    """Return the clocks that have started, in the order of the work. ``steps``: oldest first.

    A questionnaire that was sent again starts its clock again: the last time is measured.
    """
    known = [(step, step.on) for step in steps if step.on is not None]
    dated = [(step.action, on) for step, on in known]
    # What a selected centre answers again waits for no decision.
    of_decision = [(step.action, on) for step, on in known if step.action != "submit" or step.state not in SELECTED]
    pauses = _pauses(dated, today)
    found = [
        _clock(name, starts, ends, of_decision if name == "decision" else dated, pauses, today)
        for name, starts, ends in _CLOCKS
    ]
    return [one for one in found if one is not None]


def is_question_open(steps: Iterable[Step]) -> bool:
    """Return whether the sponsor owes the answer to a question. A new question needs the answer to the one before."""
    actions = [step.action for step in steps if step.action in {"ask_question", "answer_question", *ENDINGS, "submit"}]
    return bool(actions) and actions[-1] == "ask_question"


def _clock(
    name: ClockName,
    starts: frozenset[str],
    ends: frozenset[str],
    dated: Sequence[tuple[str, date]],
    pauses: Sequence[tuple[date, date]],
    today: date,
) -> Clock | None:
    places = [place for place, (action, _) in enumerate(dated) if action in starts]
    if not places:
        return None
    # A first answer is the first one; every other clock follows the last start.
    place = places[0] if name == "request_to_answer" else places[-1]
    start, end, outcome = dated[place][1], None, "open"
    for action, on in dated[place + 1 :]:
        if action in ends or action in ENDINGS:
            end, outcome = on, "completed" if action in ends else "stopped"
            break
    last = end or today
    inside = [(max(start, begin), min(last, until)) for begin, until in pauses] if name in _PAUSED else []
    inside = [(begin, until) for begin, until in inside if begin < until]
    paused = sum((until - begin).days for begin, until in inside)
    worked = working_days(start, last) - sum(working_days(begin, until) for begin, until in inside)
    return Clock(name, start, end, outcome, max((last - start).days, 0) - paused, worked, paused)  # type: ignore[arg-type]


def _pauses(dated: Sequence[tuple[str, date]], today: date) -> list[tuple[date, date]]:
    """Return the intervals in which the sponsor owed an answer: first and last day of each."""
    found, begin = [], None
    for action, on in dated:
        if action == "ask_question" and begin is None:
            begin = on
        elif begin is not None and (action in {"answer_question", "submit"} or action in ENDINGS):
            found.append((begin, on))
            begin = None
    return [*found, (begin, today)] if begin is not None else found
