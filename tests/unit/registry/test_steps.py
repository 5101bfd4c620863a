import pytest

from services.registry.model.references import new_reference
from services.registry.steps.problems import WrongStepError
from services.registry.steps.transitions import Rule, StepTable
from shared.values.problems import ForbiddenError

TABLE = StepTable(
    (
        Rule("submit", frozenset({"draft"}), "submitted", frozenset({"sponsor"})),
        Rule("comment", frozenset({"draft", "submitted"}), None, frozenset({"sponsor", "coordination"})),
        Rule("screen", frozenset({"submitted"}), "screening", frozenset({"coordination"})),
    )
)


def test_a_step_leads_to_the_state_of_the_table() -> None:
    assert TABLE.after("draft", "submit", "sponsor") == "submitted"
    assert TABLE.after("submitted", "comment", "coordination") == "submitted"
    assert TABLE.possible("submitted", "sponsor") == ["comment"]
    assert TABLE.states == {"draft", "submitted", "screening"}


def test_a_step_that_the_state_does_not_allow_names_those_it_does() -> None:
    with pytest.raises(WrongStepError) as raised:
        TABLE.after("draft", "screen", "sponsor")
    assert "submit, comment" in raised.value.explanation.en


def test_a_step_of_another_kind_of_organisation_is_refused() -> None:
    with pytest.raises(ForbiddenError):
        TABLE.after("submitted", "screen", "sponsor")


def test_references_are_random() -> None:
    assert len({new_reference("REF") for _ in range(1000)}) == 1000
