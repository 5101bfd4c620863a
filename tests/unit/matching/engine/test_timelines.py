"""The timeline of an expression, which looks at few facts, equals its evaluation on each day, which reads them all."""

import json
from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.engine import PatientIndex
from services.matching.engine.evaluate import compile_criteria
from services.matching.engine.kleene import TruthValues
from services.matching.patients.mapping import to_engine
from services.matching.patients.schemas import Patient
from shared.criteria.model import CriteriaDocument
from tests.oracle.engine import ENGINE_TERMINOLOGY
from tests.oracle.generator import build
from tests.unit.matching.engine.days import days_to_look_at
from tests.unit.matching.engine.test_properties import (
    DECLARED,
    EXPRESSIONS,
    PATIENTS,
    VALUES,
    compiled,
    opened,
    without_none,
)


def differing(expression, index, source, first):
    """Return the days on which the timeline of an expression differs from its evaluation."""
    timeline = expression.evaluate_over_time(index)
    days = days_to_look_at(index, source, timeline, first=first)
    return [
        (day, timeline.at(day), evaluated)
        for day in days
        if timeline.at(day) != (evaluated := TruthValues.of(expression.evaluate(index, day)))
    ]


@settings(max_examples=60, deadline=None)
@given(EXPRESSIONS, PATIENTS)
def test_the_timeline_equals_the_evaluation_of_every_day(expr, patient):
    assert not differing(compiled(expr), opened(patient), json.dumps(expr), 500)


OPEN_DAYS = st.sampled_from([None, None, "2024", "2025", "2025-02", "2025-01-31", "2025-02-20", "2025-03-01"])
OPEN_RESULTS = st.lists(
    st.tuples(OPEN_DAYS, st.sampled_from([49, 50]), st.sampled_from(["present", "present", "unconfirmed"])), max_size=5
)


@settings(max_examples=120, deadline=None)
@given(VALUES, OPEN_RESULTS, st.lists(DECLARED, max_size=2))
def test_the_timeline_of_results_with_open_dates_equals_their_evaluation_of_every_day(expr, results, declared):
    measured = {"kind": "observation", "codes": ["CLEIO:platelets"], "unit": "10*9/L"}
    facts = [
        without_none({**measured, "id": f"f{number}", "date": day, "value": value, "status": status})
        for number, (day, value, status) in enumerate(results)
    ]
    index = opened({"birth_date": "2021-02-28", "facts": facts, "domains_complete": declared})
    assert not differing(compiled(expr), index, json.dumps(expr), 500)


def with_open_dates(patient, dice):
    """Return the patient with most dates left out or cut to the year, and one more fact like each of them."""

    def opened_dates(fact):
        kept = dict(fact)
        for name in ("date", "start", "end"):
            if name in kept and (left := dice.choice([None, None, kept[name][:4], kept[name]])) != kept[name]:
                kept.pop(name)
                kept |= {} if left is None else {name: left}
        return kept

    facts = [opened_dates(fact) for fact in patient["facts"]]
    more = [{**fact, "id": f"more_{fact['id']}"} for fact in patient["facts"]]
    return {**patient, "facts": [*facts, *more]}


def differences(seed, first, *, open_dates):
    document, patient, dosing_date = build(seed)
    if open_dates:
        patient = with_open_dates(patient, Random(seed))
    as_of = date.fromisoformat(patient["as_of"])
    mapped = to_engine(Patient.model_validate(patient), as_of).patient
    index = PatientIndex(mapped, ENGINE_TERMINOLOGY, as_of, dosing_date)
    for criterion in compile_criteria(CriteriaDocument.model_validate(document), ENGINE_TERMINOLOGY, "FR").criteria:
        source = criterion.source.model_dump_json(by_alias=True, exclude_none=True)
        if different := differing(criterion.expression, index, source, first):
            yield seed, criterion.source.id, source, different[0]


@pytest.mark.parametrize("open_dates", [False, True], ids=["as generated", "with open dates"])
@pytest.mark.parametrize(
    ("seeds", "first"),
    [(range(70_000, 70_080), 50), pytest.param(range(70_080, 76_000), 100, marks=pytest.mark.full)],
    ids=["some", "many"],
)
def test_every_timeline_of_generated_criteria(seeds, first, open_dates):
    assert not [different for seed in seeds for different in differences(seed, first, open_dates=open_dates)]
