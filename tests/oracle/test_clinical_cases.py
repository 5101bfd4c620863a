"""Cases that a clinician can read (`cases/*.json`): what is right, and why, for the oracle and the engine."""

import json
from pathlib import Path

import pytest

from tests.oracle.by_hand import case as case_of
from tests.oracle.engine import asked_of_the_engine
from tests.oracle.oracle import criterion_states
from tests.oracle.spans import trial
from tests.oracle.vocabulary import LABEL

FILES = sorted((Path(__file__).parent / "cases").glob("*.json"))
CASES = [case for file in FILES for case in json.loads(file.read_text())]
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


def answers_of_the_engine(one, day):
    """Return the same as the engine answers it."""
    kept = {"text": LABEL, "kind": "include"}
    document = document_of(one)
    written = {
        "trial": "NCT00000001",
        "version": 1,
        "grade": "signed",
        "authored_by": "Author",
        "signed_by": "Signer",
        "signed_at": "2025-01-01T00:00:00Z",
        **document,
        "criteria": [{**kept, **criterion} for criterion in document["criteria"]],
    }
    if document.get("cohorts"):
        written["cohorts"] = [{**cohort, "label": LABEL} for cohort in document["cohorts"]]
    result = asked_of_the_engine(written, {**one["patient"], "as_of": day})
    dates = [result.dates.start, result.dates.until, result.dates.refer_before]
    first = result.criteria[0] if result.criteria else None
    return {
        "state": first and first.state,
        "reason": first and (", ".join(sorted(first.reasons)) or None),
        "listing": result.listing,
        "verdict": result.best.verdict if result.best else None,
        **{name: found and found.isoformat() for name, found in zip(DATES, dates, strict=True)},
    }


@pytest.mark.parametrize("answers", [answers_of_the_oracle, answers_of_the_engine], ids=["oracle", "engine"])
@pytest.mark.parametrize(("one", "day", "expected"), expectations())
def test_the_answer_is_that_of_a_clinician(one, day, expected, answers):
    found = answers(one, day)
    if found["state"] is None:  # the engine gives no criteria where the trial is not listed
        expected = {"listing": expected["listing"]}
    asked = {name: value for name, value in expected.items() if value is not None or name in DATES}
    assert {name: found[name] for name in asked} == asked, one["why"]
