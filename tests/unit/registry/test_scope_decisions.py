"""Who decides on the scope of a trial: the gate, or people. Each row of the table is an example."""

import json
from typing import Any

import pytest

from services.registry.merge.scope import ScopeDecision, basis_of, rule
from services.registry.model.trial import Product, ScopeAnswer, TrialInput
from tests.contract.test_registry import a_trial

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


def test_a_decision_of_before_promoter_and_dose_band_still_rests_on_the_same_product() -> None:
    known = {
        "name": "AV-1", "atmp_class": "gene_therapy", "delivery": "in_vivo", "vector": "aav", "serotype": "AAV9",
    }  # fmt: skip
    trial = TrialInput.model_validate_json(json.dumps(a_trial("NCT90000001", product=known)))
    # As version 0.1.0 stored it.
    stored = "0752ea4c14f98008ebfa847ac7e032a35ca58efc66709dad4f4af4411f4bb140"
    assert basis_of(trial) == stored
    now_stated = trial.model_copy(update={"product": Product(**known, promoter="MHCK7")})
    assert basis_of(now_stated) != stored
