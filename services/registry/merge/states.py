"""The state of a trial: what people did (``states.json``, reviewed data), and its scope. Pure.

An action that needs two people counts when two of them ask for it on one basis, with no other action between.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

from services.registry.merge.scope import basis_of
from services.registry.model.state import Hold, StateAction, TrialState
from services.registry.model.trial import ScopeVerdict, TrialInput

DRAFT: Final = "draft"
"""What a person does who creates a trial that is not to be published yet."""


@dataclass(frozen=True, slots=True)
class StateDecision:
    """What a person did. ``basis``: `state_basis` of the trial at that time."""

    action: StateAction | Literal["draft"]
    author: str
    basis: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What people did about a trial until now.

    ``hold``: None: the scope decides alone. ``basis``: of the last action that took effect. ``waiting``: what one
    person asked for and a second person must ask for too, and ``by`` whom, on ``waiting_basis``.
    """

    hold: Hold | None = None
    basis: str | None = None
    waiting: StateAction | None = None
    by: str | None = None
    waiting_basis: str | None = None

    def in_review(self, basis: str) -> bool:
        """Return whether a person should look at the state. ``basis``: the present one.

        That is where a second person is needed, or where a trial changed that a person withdrew.
        """
        return self.waiting is not None or (self.hold == "withdrawn" and self.basis != basis)


def state_basis(trial: TrialInput) -> str:
    """Return a hash of what a decision on the state rests on: conditions, product and recruitment status."""
    return hashlib.sha256(f"{basis_of(trial)} {trial.status}".encode()).hexdigest()


def standing_of(decisions: Iterable[StateDecision]) -> Standing:
    """Return what people did until now. ``decisions``: oldest first."""
    standing = Standing()
    for one in decisions:
        if one.action == DRAFT:
            standing = Standing(DRAFT, one.basis)
            continue
        rule = _table()["actions"][one.action]
        seconds = (standing.waiting, standing.waiting_basis) == (one.action, one.basis) and standing.by != one.author
        if rule["people"] == 1 or seconds:
            standing = Standing(rule["hold"], one.basis)
        else:
            standing = Standing(standing.hold, standing.basis, one.action, one.author, one.basis)
    return standing


def state_of(scope: ScopeVerdict, hold: Hold | None) -> TrialState:
    """Return the state of a trial."""
    states: Mapping[tuple[str | None, str], TrialState] = _table()["states"]
    return states.get((hold, "any")) or states[hold, scope]


def actions_from(state: TrialState) -> list[StateAction]:
    """Return what people can do about a trial in this state."""
    return [action for action, rule in _table()["actions"].items() if state in rule["from"]]


def people_for(action: StateAction) -> int:
    """Return how many people must ask for an action."""
    return int(_table()["actions"][action]["people"])


@cache
def _table() -> Mapping[str, Any]:
    table = json.loads((resources.files(__package__) / "states.json").read_text("utf-8"))
    return {
        "states": {(row["hold"], row["scope"]): row["state"] for row in table["states"]},
        "actions": {row["action"]: row for row in table["actions"]},
    }
