"""The table of steps: what each kind of organisation can do in each state."""

import json
from importlib import resources

import pytest

from services.registry.feasibility.model import FINAL, SELECTED
from services.registry.steps.problems import WrongStepError
from services.registry.steps.transitions import StepTable

TABLE = StepTable.read("services.registry.feasibility")
# State → what the coordination, the centre and the sponsor can do.
POSSIBLE = {
    "received": ("triage decline withdraw", "decline", ""),
    "triaged": ("send_cda sign_cda decline withdraw", "decline", ""),
    "cda_sent": ("sign_cda decline withdraw", "decline", ""),
    "cda_signed": ("send_questionnaire decline withdraw", "decline", ""),
    "questionnaire_sent": (
        "ask_question answer_question submit decline withdraw",
        "ask_question submit decline",
        "answer_question",
    ),
    "answered": ("ask_again shortlist not_select decline withdraw", "decline", "not_select"),
    "shortlisted": ("ask_again select not_select decline withdraw", "decline", "select not_select"),
    "selected": (
        "ask_question answer_question submit ask_again start_contract decline withdraw",
        "ask_question submit start_contract decline",
        "answer_question start_contract",
    ),
    "contract": (
        "ask_question answer_question submit ask_again sign_contract green_light decline withdraw",
        "ask_question submit sign_contract decline",
        "answer_question sign_contract green_light",
    ),
    "green_light": (
        "ask_question answer_question submit ask_again activate withdraw",
        "ask_question submit activate",
        "answer_question activate",
    ),
    "activated": (
        "ask_question answer_question submit ask_again first_patient",
        "ask_question submit first_patient",
        "answer_question",
    ),
    "first_patient_in": (
        "ask_question answer_question submit ask_again",
        "ask_question submit",
        "answer_question",
    ),
    "declined": ("", "", ""),
    "not_selected": ("", "", ""),
    "withdrawn": ("", "", ""),
}
# Where each step leads.
TARGETS = {
    "triage": "triaged", "send_cda": "cda_sent", "sign_cda": "cda_signed", "send_questionnaire": "questionnaire_sent",
    "ask_question": "questionnaire_sent", "answer_question": "questionnaire_sent", "submit": "answered",
    "ask_again": "questionnaire_sent", "shortlist": "shortlisted", "select": "selected", "not_select": "not_selected",
    "start_contract": "contract", "sign_contract": "contract", "green_light": "green_light", "activate": "activated",
    "first_patient": "first_patient_in", "decline": "declined", "withdraw": "withdrawn",
}  # fmt: skip


@pytest.mark.parametrize("state", POSSIBLE)
def test_each_state_allows_what_was_agreed(state: str) -> None:
    for kind, actions in zip(("coordination", "centre", "sponsor"), POSSIBLE[state], strict=True):
        assert TABLE.possible(state, kind) == actions.split(), kind
        for action in actions.split():
            # A selected centre that is asked again stays selected.
            stays = state in SELECTED and action in {"ask_question", "answer_question", "submit", "ask_again"}
            assert TABLE.after(state, action, kind) == (state if stays else TARGETS[action])
    assert TABLE.possible(state, "hospital") == []


def test_the_table_has_no_other_state() -> None:
    assert TABLE.states == POSSIBLE.keys()
    assert {state for state, possible in POSSIBLE.items() if possible == ("", "", "")} == FINAL - SELECTED
    with pytest.raises(WrongStepError):
        TABLE.after("withdrawn", "triage", "coordination")


def test_every_reason_is_of_a_step() -> None:
    rows = json.loads((resources.files("services.registry.feasibility") / "reasons.json").read_text("utf-8"))
    assert {row["action"] for row in rows} == {"decline", "not_select"}
    assert len({row["code"] for row in rows}) == len(rows)
