"""Clocks: calendar and French working days, pauses, open and stopped cases."""

from datetime import UTC, date, datetime

import pytest

from services.registry.feasibility.clocks import Clock, clocks, is_question_open
from services.registry.steps.model import Step

TODAY = date(2026, 6, 30)


def steps(text: str) -> list[Step]:
    """Read steps: ``request 04-01, triage 04-02``, of the year 2026."""
    found = []
    for part in text.split(", "):
        action, day = part.split()
        on = date.fromisoformat(f"2026-{day}")
        found.append(Step(action, "", datetime(2026, 1, 1, tzinfo=UTC), "o", "o/p", on))
    return found


def clock(text: str, name: str) -> Clock:
    return next(one for one in clocks(steps(text), TODAY) if one.name == name)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        # Monday to Friday of the next week; Easter Monday is no working day.
        ("request 03-30, triage 04-10", "triage", ("completed", 11, 8, 0)),
        ("send_cda 05-04, sign_cda 05-11", "cda", ("completed", 7, 4, 0)),
        # An open case is counted with its age so far.
        ("request 06-23", "request_to_answer", ("open", 7, 5, 0)),
        # The sponsor owed an answer from Tuesday to Thursday.
        (
            "send_questionnaire 06-01, ask_question 06-02, answer_question 06-04, submit 06-08",
            "answer",
            ("completed", 5, 3, 2),
        ),
        ("send_questionnaire 06-01, ask_question 06-02", "answer", ("open", 1, 1, 28)),
        # A declined or withdrawn case keeps the age that it had.
        ("send_questionnaire 06-01, decline 06-03", "answer", ("stopped", 2, 2, 0)),
        ("submit 06-01, withdraw 06-03", "decision", ("stopped", 2, 2, 0)),
        ("submit 06-01, select 06-03", "decision", ("completed", 2, 2, 0)),
        ("submit 06-01, not_select 06-03", "decision", ("completed", 2, 2, 0)),
        # Asked again: the last time is measured, but the first answer stays the first one.
        ("send_questionnaire 06-01, submit 06-03, ask_again 06-10, submit 06-11", "answer", ("completed", 1, 1, 0)),
        ("request 06-01, submit 06-03, ask_again 06-10, submit 06-11", "request_to_answer", ("completed", 2, 2, 0)),
        ("start_contract 06-01, sign_contract 06-29", "contract", ("completed", 28, 20, 0)),
        ("select 06-01, activate 06-02", "selection_to_activation", ("completed", 1, 1, 0)),
        ("sign_contract 06-01, activate 06-02", "contract_to_activation", ("completed", 1, 1, 0)),
        ("green_light 06-01, activate 06-01", "activation", ("completed", 0, 0, 0)),
        ("green_light 06-01, first_patient 06-30", "first_patient", ("completed", 29, 21, 0)),
    ],
)
def test_a_clock(text: str, name: str, expected: tuple[str, int, int, int]) -> None:
    found = clock(text, name)
    assert (found.outcome, found.days, found.working_days, found.paused) == expected


def test_what_has_not_started_has_no_clock() -> None:
    assert [one.name for one in clocks(steps("request 06-01"), TODAY)] == ["triage", "request_to_answer"]


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ("request 06-01", False),
        ("ask_question 06-01", True),
        ("ask_question 06-01, answer_question 06-02", False),
        ("ask_question 06-01, submit 06-02", False),
    ],
)
def test_a_question_is_open_until_it_is_answered(text: str, is_open: bool) -> None:
    assert is_question_open(steps(text)) is is_open
