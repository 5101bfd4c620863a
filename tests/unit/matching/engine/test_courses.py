"""The course of an expression, which looks at few facts, is what the judgement of each day says, which looks at all of them."""

import json
from datetime import date

import pytest
from hypothesis import given, settings

from services.matching.engine import PatientIndex
from services.matching.engine import Terminology as EngineTerminology
from services.matching.engine.evaluate import compile_criteria
from services.matching.engine.kleene import Reading
from services.matching.patients.mapping import to_engine
from services.matching.patients.schemas import Patient
from shared.criteria.model import CriteriaDocument
from tests.oracle.generator import TERMINOLOGY, build
from tests.unit.matching.engine.days import days_to_look_at
from tests.unit.matching.engine.test_properties import EXPRESSIONS, PATIENTS, compiled, opened


def differing(expression, chart, asked, first):
    """The days on which the course of an expression is not what the judgement of that very day says."""
    course = expression.course(chart)
    days = days_to_look_at(chart, asked, course, first=first)
    return [
        (day, course.at(day), judged)
        for day in days
        if course.at(day) != (judged := Reading.of(expression.judge(chart, day)))
    ]


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, PATIENTS)
def test_the_course_is_the_judgement_of_every_day(expr, patient):
    assert not differing(compiled(expr), opened(patient), json.dumps(expr), 500)


def relation(name):
    return {code: concept[name] for code, concept in TERMINOLOGY.items() if name in concept}


def differences(seed, first):
    document, patient, dosing_date = build(seed)
    terminology = EngineTerminology(relation("parents"), relation("same_as"), relation("exclusive_with"))
    as_of = date.fromisoformat(patient["as_of"])
    mapped = to_engine(Patient.model_validate(patient), as_of).patient
    chart = PatientIndex(mapped, terminology, as_of, dosing_date)
    for criterion in compile_criteria(CriteriaDocument.model_validate(document), terminology).criteria:
        asked = criterion.source.model_dump_json(by_alias=True, exclude_none=True)
        if different := differing(criterion.expression, chart, asked, first):
            yield seed, criterion.source.id, asked, different[0]


@pytest.mark.parametrize(
    ("seeds", "first"),
    [(range(70_000, 70_200), 50), pytest.param(range(70_200, 76_000), 100, marks=pytest.mark.full)],
    ids=["some", "many"],
)
def test_every_course_of_generated_criteria(seeds, first):
    assert not [different for seed in seeds for different in differences(seed, first)]
