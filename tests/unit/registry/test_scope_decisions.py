"""Who decides on the scope of a trial: the gate, or people. Each row of the table is an example."""

from typing import Any

import pytest

from services.registry.merge.scope import ScopeDecision, rule
from services.registry.model.trial import ScopeAnswer

VERDICTS = {"in": "in_scope", "out": "out_of_scope", "?": "scope_unclear"}

# The gate now; decisions as author, answer, the gate's answer then, what it was decided on; scope, by, in review.
CASES: dict[str, tuple[str, list[str], str, str, bool]] = {
    "nobody decided": ("in", [], "in", "gate", False),
    "the gate does not know": ("?", [], "?", "gate", True),
    "the gate refuses": ("out", [], "out", "gate", False),
    "one person alone does not publish what the gate leaves open": ("?", ["A in ? x"], "?", "gate", True),
    "two people do where the gate does not know": ("?", ["A in ? x", "B in ? x"], "in", "person", False),
    "one person is enough to keep what the gate accepts": ("?", ["A in in x"], "in", "person", False),
    "one person takes back what the gate accepts": ("in", ["A out in x"], "out", "person", False),
    "one person alone does not publish what the gate refuses": ("out", ["A in out x"], "out", "gate", True),
    "nor the same person twice": ("out", ["A in out x", "A in out x"], "out", "gate", True),
    "nor two people who decided on different things": ("out", ["A in out w", "B in out x"], "out", "gate", True),
    "two people do": ("out", ["A in out x", "B in out x"], "in", "person", False),
    "a gate that agrees by now ends the waiting": ("in", ["A in out x"], "in", "gate", False),
    "the last decision counts": ("?", ["A in ? x", "B out ? x"], "out", "person", False),
    "a first voice against the gate leaves the earlier decision": (
        "out", ["A out in x", "B in out x"], "out", "person", True,
    ),
    "voices before a contrary decision do not count": (
        "out", ["A in out x", "B out out x", "C in out x"], "out", "person", True,
    ),
    "the gate changes, the trial does not": ("out", ["A in ? x", "B in ? x"], "in", "person", False),
    "the trial changes, and the gate says otherwise": ("out", ["A in ? w", "B in ? w"], "in", "person", True),
    "the trial changes, and the gate agrees": ("in", ["A in ? w", "B in ? w"], "in", "person", False),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_decision_goes_before_the_gate(case: str) -> None:
    gate, given, answer, by, in_review = CASES[case]
    verdicts: dict[str, Any] = VERDICTS
    decisions = [
        ScopeDecision(verdicts[said], author, verdicts[then], basis)
        for author, said, then, basis in (one.split() for one in given)
    ]
    ruling = rule(ScopeAnswer(answer=verdicts[gate], reasons=[]), "x", decisions)
    assert (ruling.scope.answer, ruling.scope.by, ruling.in_review) == (verdicts[answer], by, in_review)
