"""Stored decisions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.registry.model.trial import ScopeVerdict

# What may wait about a trial as a whole.
TrialReviewKind = Literal["scope", "state", "outdated_criteria"]
DecisionKind = Literal["scope", "conflict", "state", "owner", "outdated_criteria", "quarantine"]
Answer = Literal[
    "in_scope", "out_of_scope", "keep", "take", "draft", "publish", "withdraw", "archive", "restore", "transfer",
    "still_valid", "draft_again", "leave", "merge", "separate",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided.

    ``item``: which conflict, or the new owner; else empty. ``gate``: of a scope: the answer of the gate at that time.
    ``basis``: what was decided on, of a scope or state (`services.registry.merge`) or of criteria (`source_hash`).
    ``statement``: the statement that settled a conflict, made or withdrawn; the version of criteria.
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
