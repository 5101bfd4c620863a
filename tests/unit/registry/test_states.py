"""States of trials: each row of the tables is an example, and the documentation shows them."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.registry.merge import states
from services.registry.merge.states import StateDecision, actions_from, people_for, standing_of, state_of

TABLE = json.loads((Path(states.__file__).parent / "states.json").read_text("utf-8"))
DOCS = (Path(__file__).parents[3] / "docs" / "registry.md").read_text("utf-8")


@pytest.mark.parametrize("row", TABLE["states"], ids=str)
def test_the_state_follows_from_what_a_person_set_and_from_the_scope(row: dict[str, Any]) -> None:
    scopes = ("in_scope", "scope_unclear", "out_of_scope") if row["scope"] == "any" else (row["scope"],)
    assert {state_of(scope, row["hold"]) for scope in scopes} == {row["state"]}
    scope = row["scope"] if row["hold"] is None else "any"
    assert f"| {row['hold'] or 'nothing'} | {scope} | `{row['state']}` |" in DOCS


@pytest.mark.parametrize("row", TABLE["actions"], ids=lambda row: row["action"])
def test_an_action_leads_from_some_states_to_one_and_takes_one_person_or_two(row: dict[str, Any]) -> None:
    action = row["action"]
    allowed = {
        state for state in ("draft", "in_review", "published", "withdrawn", "archived") if action in actions_from(state)
    }
    assert allowed == set(row["from"])
    before = StateDecision("draft", "A", "x")
    one, two, later = (StateDecision(action, who, basis) for who, basis in (("A", "x"), ("B", "x"), ("B", "y")))
    assert standing_of([before, *[one, two][: people_for(action)]]).hold == row["hold"]
    if people_for(action) == 2:
        for given in ([one], [one, one], [one, later], [one, StateDecision("withdraw", "C", "x"), two]):
            standing = standing_of([before, *given])
            assert (standing.hold is None, standing.waiting) == (False, action)
    shown = ", ".join(f"`{state}`" for state in row["from"])
    assert f"| `{action}` | {shown} | {row['people']} | {row['hold'] or 'nothing'} |" in DOCS


def test_a_trial_that_a_person_withdrew_comes_back_for_review_when_it_changes() -> None:
    standing = standing_of([StateDecision("withdraw", "A", "x")])
    assert [standing.in_review(basis) for basis in ("x", "y")] == [False, True]
