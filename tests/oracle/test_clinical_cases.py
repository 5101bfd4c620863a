"""Cases that a clinician can read (`cases/clinical.json`): what is right, and why, for the oracle."""

import json
from datetime import date
from pathlib import Path

import pytest

from tests.oracle.by_hand import case as case_of
from tests.oracle.oracle import criterion_states
from tests.oracle.spans import trial

CASES = json.loads((Path(__file__).parent / "cases" / "clinical.json").read_text())
DATES = ("from", "until", "refer_before")


def document_of(one):
    """Return the document of a case: its own, or one of its only criterion."""
    return one.get("document") or {"criteria": [{"id": "C1", **one["criterion"]}]}


def expectations():
    return [
        pytest.param(one, day, expected, id=f"{one['id']}-{day}")
        for one in CASES
        for day, expected in one["expect"].items()
    ]


def answers_of_the_oracle(one, day):
    """Return the state, reason, listing, verdict and dates of a case on one day."""
    case = case_of(document_of(one), {**one["patient"], "as_of": day})
    (state, _last_known, _best_case, reasons) = next(iter(criterion_states(case, case.as_of).values()))
    result = trial(case, 1)
    dates = {name: result[name].isoformat() if result[name] else None for name in DATES}
    return {
        "state": state,
        "reason": ", ".join(sorted(reasons)) or None,
        "listing": result["listing"],
        "verdict": result["verdicts"][0],
        **dates,
    }


@pytest.mark.parametrize(("one", "day", "expected"), expectations())
def test_the_oracle_answers_as_a_clinician_would(one, day, expected):
    answers = answers_of_the_oracle(one, date.fromisoformat(day).isoformat())
    assert {name: answers[name] for name in expected if expected[name] is not None or name in DATES} == {
        name: value for name, value in expected.items() if value is not None or name in DATES
    }, one["why"]
