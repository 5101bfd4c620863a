"""The course of an expression, which looks at few facts, is its timeline, which judges every day anew, without what each day rests on."""

from datetime import date

import pytest
from hypothesis import given, settings

from services.matching.engine import Chart
from services.matching.engine import Terminology as EngineTerminology
from services.matching.engine.evaluate import compile_criteria
from services.matching.engine.kleene import Reading
from services.matching.patients.mapping import to_engine
from services.matching.patients.schemas import Patient
from shared.criteria.model import CriteriaDocument
from tests.oracle.generator import TERMINOLOGY, build
from tests.unit.matching.engine.test_properties import EXPRESSIONS, PATIENTS, compiled, opened


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, PATIENTS)
def test_the_course_is_the_timeline_without_what_it_rests_on(expr, patient):
    expression = compiled(expr)
    assert expression.course(opened(patient)) == expression.timeline(opened(patient)).map(Reading.of)


def relation(name):
    return {code: concept[name] for code, concept in TERMINOLOGY.items() if name in concept}


def differences(seed):
    document, patient, dosing_date = build(seed)
    terminology = EngineTerminology(relation("parents"), relation("same_as"), relation("exclusive_with"))
    as_of = date.fromisoformat(patient["as_of"])
    mapped = to_engine(Patient.model_validate(patient), as_of).patient
    chart = Chart(mapped, terminology, as_of, dosing_date)
    for criterion in compile_criteria(CriteriaDocument.model_validate(document), terminology).criteria:
        ours, theirs = criterion.expression.course(chart), criterion.expression.timeline(chart).map(Reading.of)
        if ours != theirs:
            yield seed, criterion.source.id, criterion.source.model_dump_json(by_alias=True, exclude_none=True), ours, theirs


@pytest.mark.parametrize("seeds", [range(70_000, 70_200), pytest.param(range(70_200, 76_000), marks=pytest.mark.full)], ids=["some", "many"])
def test_every_course_of_generated_criteria(seeds):
    assert not [different for seed in seeds for different in differences(seed)]
