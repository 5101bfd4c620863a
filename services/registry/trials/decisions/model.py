"""Stored decisions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.registry.model.trial import ScopeVerdict

DecisionKind = Literal["scope", "conflict"]
Answer = Literal["in_scope", "out_of_scope", "keep", "take", "merge", "separate"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided.

    ``item``: which conflict; empty for a scope. ``gate``, ``basis``: of a scope (`services.registry.merge.scope`).
    ``statement``: the statement that settled a conflict, made or withdrawn.
    """

    kind: DecisionKind
    item: str
    answer: Answer
    reason: str
    author: str
    at: datetime
    gate: ScopeVerdict | None = None
    basis: str | None = None
    statement: int | None = None


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision with its number in its trial, and who withdrew it, if anyone did."""

    trial_key: str
    number: int
    decision: Decision
    withdrawn_at: datetime | None
    withdrawn_by: str | None
