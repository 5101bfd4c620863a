"""The timeline of an expression, which looks at few facts, equals its evaluation on each day, which reads them all."""

import json
from datetime import date

import pytest
from hypothesis import given, settings

from services.matching.engine import PatientIndex
from services.matching.engine import Terminology as EngineTerminology
from services.matching.engine.evaluate import compile_criteria
from services.matching.engine.kleene import TruthValues
from services.matching.patients.mapping import to_engine
from services.matching.patients.schemas import Patient
from shared.criteria.model import CriteriaDocument
from tests.oracle.generator import TERMINOLOGY, build
from tests.unit.matching.engine.days import days_to_look_at
from tests.unit.matching.engine.test_properties import EXPRESSIONS, PATIENTS, compiled, opened


def differing(expression, index, source, first):
    """Return the days on which the timeline of an expression differs from its evaluation."""
    timeline = expression.evaluate_over_time(index)
    days = days_to_look_at(index, source, timeline, first=first)
    return [
        (day, timeline.at(day), evaluated)
        for day in days
        if timeline.at(day) != (evaluated := TruthValues.of(expression.evaluate(index, day)))
    ]


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, PATIENTS)
def test_the_timeline_equals_the_evaluation_of_every_day(expr, patient):
    assert not differing(compiled(expr), opened(patient), json.dumps(expr), 500)


def relation(name):
    return {code: concept[name] for code, concept in TERMINOLOGY.items() if name in concept}


def differences(seed, first):
    document, patient, dosing_date = build(seed)
    terminology = EngineTerminology(relation("parents"), relation("same_as"), relation("exclusive_with"))
    as_of = date.fromisoformat(patient["as_of"])
    mapped = to_engine(Patient.model_validate(patient), as_of).patient
    index = PatientIndex(mapped, terminology, as_of, dosing_date)
    for criterion in compile_criteria(CriteriaDocument.model_validate(document), terminology, "FR").criteria:
        source = criterion.source.model_dump_json(by_alias=True, exclude_none=True)
        if different := differing(criterion.expression, index, source, first):
            yield seed, criterion.source.id, source, different[0]


@pytest.mark.parametrize(
    ("seeds", "first"),
    [(range(70_000, 70_200), 50), pytest.param(range(70_200, 76_000), 100, marks=pytest.mark.full)],
    ids=["some", "many"],
)
def test_every_timeline_of_generated_criteria(seeds, first):
    assert not [different for seed in seeds for different in differences(seed, first)]
