"""Tables of which step may follow in which state. Pure.

A feature keeps its table as reviewed data, ``steps.json``: a list of ``{"action", "from", "to", "by"}``. ``from``: the
states in which the action is possible; ``to``: the state after it, null: it stays; ``by``: kinds of organisations.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources

from services.registry.steps.problems import WrongStepError
from shared.access.principal import OrganisationKind
from shared.values.problems import ForbiddenError


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table."""

    action: str
    sources: frozenset[str]
    target: str | None
    by: frozenset[OrganisationKind]


@dataclass(frozen=True, slots=True)
class StepTable:
    """Which step may follow in which state, and by whom. An action may have several rows, for different states."""

    rules: tuple[Rule, ...]

    @classmethod
    def read(cls, package: str) -> "StepTable":
        """Read ``steps.json`` of a package."""
        rows = json.loads((resources.files(package) / "steps.json").read_text("utf-8"))
        return cls(tuple(Rule(row["action"], frozenset(row["from"]), row["to"], frozenset(row["by"])) for row in rows))

    @property
    def states(self) -> frozenset[str]:
        """Every state that the table names."""
        return frozenset().union(*(rule.sources | ({rule.target} if rule.target else set()) for rule in self.rules))

    def possible(self, state: str, kind: str) -> list[str]:
        """Return what an organisation of this kind can do in this state, in the order of the table."""
        return list(dict.fromkeys(rule.action for rule in self._in(state) if kind in rule.by))

    def after(self, state: str, action: str, kind: str) -> str:
        """Return the state after an action.

        :raises WrongStepError: 409, it is not possible in this state; the problem names what is.
        :raises ForbiddenError: 403, it is for organisations of another kind.
        """
        rules = [rule for rule in self._in(state) if rule.action == action]
        if not rules:
            raise WrongStepError(state, action, self.possible(state, kind))
        for rule in rules:
            if kind in rule.by:
                return rule.target or state
        raise ForbiddenError

    def _in(self, state: str) -> Iterable[Rule]:
        return (rule for rule in self.rules if state in rule.sources)
