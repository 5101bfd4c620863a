"""Cases worked out by hand, one for each sentence of `docs/eligibility.md`: states and days of an expression."""

import json
from datetime import date

import pytest

from services.matching.engine import PatientIndex
from services.matching.engine.expression import compile_expression
from services.matching.engine.kleene import TruthValues
from services.matching.patients.mapping import to_engine
from services.matching.patients.schemas import Patient
from shared.criteria.durations import parse
from shared.criteria.model import Criterion
from tests.unit.matching.engine.days import days_to_look_at
from tests.unit.matching.engine.vocabulary import CASES, TERMINOLOGY

FILES = (
    "combinators",
    "person",
    "has",
    "unknown_codes",
    "ageing",
    "states",
    "results",
    "variant",
    "measured",
    "count",
    "stable",
)
AS_OF = "2025-11-22"


def numbered(patient):
    """Add ids f1, f2… to facts; the default kind is condition or observation."""
    facts = [
        {"id": f"f{number}", "kind": "observation" if "value" in fact else "condition", **fact}
        for number, fact in enumerate(patient.get("facts", []), start=1)
    ]
    return {**patient, "facts": facts}


def opened(case):
    as_of = date.fromisoformat(case.get("as_of", AS_OF))
    dosing = case.get("dosing_date")
    patient = to_engine(Patient.model_validate(numbered(case["patient"])), as_of).patient
    return PatientIndex(patient, TERMINOLOGY, as_of, dosing and date.fromisoformat(dosing))


def compiled(case):
    criterion = Criterion.model_validate({"id": "c", "kind": "include", "expr": case["expr"]})
    lead_time = case.get("lead_time")
    return compile_expression(criterion.expr, TERMINOLOGY, lead_time and parse(lead_time))


def states(timeline, name):
    return [[day.isoformat(), state] for day, state in timeline.map(lambda reading: getattr(reading, name).code)]


@pytest.mark.parametrize(
    "case",
    [case for file in FILES for case in json.loads((CASES / f"{file}.json").read_text())],
    ids=lambda case: case["name"],
)
def test_case(case):
    index = opened(case)
    expression = compiled(case)
    timeline = expression.evaluate_over_time(index)
    first = expression.evaluate(index, index.as_of)
    expected = case.get("expect", {})
    for day in days_to_look_at(index, json.dumps(case["expr"]), timeline, first=50):
        assert timeline.at(day) == TruthValues.of(expression.evaluate(index, day)), day
    if "timeline" in case:
        assert states(timeline, "now") == case["timeline"]
    if "last_known" in case:
        assert states(timeline, "last_known") == case["last_known"]
    for key, given in (
        ("state", first.now.code),
        ("last_known", first.last_known.code),
        ("best_case", first.best_case.code),
        ("reasons", sorted(first.reasons)),
        ("evidence", sorted(fact for fact in first.evidence if not fact.startswith("#"))),
    ):
        if key in expected:
            assert given == expected[key], key
    for day, reasons in case.get("reasons_on", {}).items():
        assert sorted(expression.evaluate(index, date.fromisoformat(day)).reasons) == reasons
