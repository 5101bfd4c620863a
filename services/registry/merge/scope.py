"""Whether a trial belongs in the registry: the scope gate proposes, people decide. Pure."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from services.registry.model.trial import ScopeAnswer, ScopeVerdict, TrialInput


@dataclass(frozen=True, slots=True)
class ScopeDecision:
    """What a person decided: ``in_scope`` or ``out_of_scope``.

    ``gate``: the answer of the gate at that time; ``basis``: what was decided on (`basis_of`).
    """

    answer: ScopeVerdict
    author: str
    gate: ScopeVerdict
    basis: str


@dataclass(frozen=True, slots=True)
class Ruling:
    """The scope of a trial, and whether a person should decide on it."""

    scope: ScopeAnswer
    in_review: bool


def basis_of(trial: TrialInput) -> str:
    """Return a hash of what a decision on the scope rests on: the conditions as written, and the product."""
    conditions = sorted((one.role, one.text) for one in trial.conditions)
    said = json.dumps([conditions, trial.product.model_dump(mode="json")], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def rule(gate: ScopeAnswer, basis: str, decisions: Sequence[ScopeDecision]) -> Ruling:
    """Return the scope of a trial. ``basis``: the present one; ``decisions``: those in force, oldest first.

    The latest decision that counts goes before the gate. It comes back for review when its basis has changed and the
    gate does not say the same, or when a later one waits for a second person.
    """
    counting = [place for place in range(len(decisions)) if _counts(decisions[: place + 1])]
    if not counting:
        waits = bool(decisions) and decisions[-1].answer != gate.answer
        return Ruling(gate, in_review=waits or gate.answer == "scope_unclear")
    decided = decisions[counting[-1]]
    waits = counting[-1] < len(decisions) - 1
    changed = decided.basis != basis and decided.answer != gate.answer
    scope = ScopeAnswer(by="person", answer=decided.answer, reasons=gate.reasons)
    return Ruling(scope, in_review=waits or changed)


def _counts(decisions: Sequence[ScopeDecision]) -> bool:
    """Return whether the last decision counts: to publish what the gate does not, two must agree on one basis."""
    last = decisions[-1]
    if last.answer == "out_of_scope" or last.gate == "in_scope":
        return True
    agreeing = takewhile(lambda one: (one.answer, one.basis) == (last.answer, last.basis), reversed(decisions))
    return len({one.author for one in agreeing}) > 1
