"""Laws for every patient and expression: Kleene's, and what time, order and units must not change."""

import json
import random
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.engine import PatientIndex, Terminology
from services.matching.engine.expression import compile_expression
from services.matching.engine.kleene import MET, NOT_MET, UNKNOWN
from services.matching.engine.terminology import State
from services.matching.patients.mapping import to_engine
from services.matching.patients.schemas import Patient
from shared.criteria.durations import Span
from shared.criteria.model import Criterion
from tests.unit.matching.engine.days import days_to_look_at

AS_OF = date(2025, 3, 1)
TERMINOLOGY = Terminology(
    parents={"CLEIO:a1": ["CLEIO:a"], "CLEIO:a": ["CLEIO:top"], "CLEIO:flu": ["CLEIO:passing"]},
    same_as={"CLEIO:a": ["MONDO:a"]},
    states={
        "CLEIO:permanent": State("permanent"),
        "CLEIO:persists": State("persists"),
        "CLEIO:passing": State("passing", "P8W"),
        "CLEIO:event": State("event"),
    },
    codes=["CLEIO:b", "CLEIO:puffy-fingers", "CLEIO:ssc-skin-beyond-mcp"],
)
MEDICINES = ["ATC:L01FA01", "ATC:L04AX03", "ATC:L01FX99"]
STATED = ["CLEIO:permanent", "CLEIO:persists", "CLEIO:passing", "CLEIO:flu", "CLEIO:event"]
CODES = st.sampled_from(["CLEIO:a", "CLEIO:a1", "CLEIO:top", "MONDO:a", "CLEIO:b", "LOCAL:x", *STATED])
WINDOWS = st.sampled_from([None, "P1M", "P4W", "P6M", "P1Y"])
DAYS = st.one_of(
    st.dates(date(2024, 1, 1), AS_OF).map(date.isoformat),
    st.sampled_from(["2024", "2024-09", "2025", "2024-02-29", "2025-01-31", "2025-02-28", "2025-03-01", None]),
)


def without_none(raw):
    return {key: value for key, value in raw.items() if value is not None}


EVENTS = st.builds(
    lambda code, day, status: without_none({"kind": "condition", "codes": [code], "date": day, "status": status}),
    CODES,
    DAYS,
    st.sampled_from(["present", "present", "absent", "unconfirmed"]),
)
TREATMENTS = st.builds(
    lambda code, start, days: (
        {"kind": "medication", "codes": [code], "start": start.isoformat()}
        | ({} if days is None else {"end": (start + timedelta(days=days)).isoformat()})
    ),
    CODES,
    st.dates(date(2024, 1, 1), AS_OF),
    st.sampled_from([None, 0, 30, 200, 800]),
)
MEDICATIONS = st.one_of(
    st.builds(lambda code, course: {**course, "codes": [code]}, st.sampled_from(MEDICINES), TREATMENTS),
    st.builds(
        lambda code, day, status: without_none({"kind": "medication", "codes": [code], "date": day, "status": status}),
        st.sampled_from(MEDICINES),
        DAYS,
        st.sampled_from(["absent", "absent", "ordered"]),
    ),
)
FEW_DAYS = st.one_of(st.sampled_from(["2024-08-01", "2024-09-10", "2025-01-31", "2025-02-28"]), DAYS)


def measured(code, values, units):
    return st.builds(
        lambda day, value, unit, comparator, status: without_none(
            {"kind": "observation", "codes": [code], "date": day, "value": value, "unit": unit, "status": status}
            | ({} if comparator is None else {"comparator": comparator})
        ),
        FEW_DAYS,
        values,
        st.sampled_from(units),
        st.sampled_from([None, None, None, None, "<"]),
        st.sampled_from([None, None, None, None, "unconfirmed", "ordered"]),
    )


RESULTS = measured("CLEIO:platelets", st.integers(40, 60), ["10*9/L", "10*3/uL", "/uL"])
COUNTS = st.one_of(RESULTS, measured("CLEIO:neutrophils", st.integers(0, 60), ["10*9/L", "10*3/uL", "/uL"]))
SIZES = st.one_of(
    measured("CLEIO:body-weight", st.sampled_from([80, 90]), ["kg"]),
    measured("CLEIO:body-height", st.sampled_from([170, 180]), ["cm"]),
    measured("CLEIO:creatinine", st.sampled_from([60, 80]), ["umol/L"]),
    measured("CLEIO:body-mass-index", st.sampled_from([25, 30]), ["kg/m2"]),
)
FINDINGS = st.one_of(
    st.builds(
        lambda code, day, status: without_none({"kind": "condition", "codes": [code], "date": day, "status": status}),
        st.sampled_from(["HP:0011838", "HP:0030880", "HP:0001009", "CLEIO:puffy-fingers", "CLEIO:ssc-skin-beyond-mcp"]),
        DAYS,
        st.sampled_from(["present", "present", "absent", "unconfirmed"]),
    ),
    measured("CLEIO:acr-eular-2013-ssc", st.integers(7, 11), [None]),
)
DECLARED = st.builds(
    lambda domain, since, days: {
        "domain": domain,
        "from": since.isoformat(),
        "to": (since + timedelta(days=days)).isoformat(),
    },
    st.sampled_from(["conditions", "observations", "medications"]),
    st.dates(date(2023, 6, 1), AS_OF),
    st.integers(0, 700),
)
PATIENTS = st.builds(
    lambda person, facts, declared: {
        **person,
        "facts": [{"id": f"f{number}", **fact} for number, fact in enumerate(facts)],
        "domains_complete": declared,
    },
    st.sampled_from(
        [
            {"birth_date": "2021-02-28"},
            {"birth_date": "2021-02-28", "gestation": "P30W"},
            {"birth_date": "2006-10-01", "sex": "female"},
            {"age": "P18Y", "sex": "male"},
        ]
    ),
    # Mostly facts of one kind, so that leaves that combine several find them.
    st.one_of(
        st.lists(one, max_size=6)
        for one in (st.one_of(EVENTS, TREATMENTS, RESULTS), EVENTS, COUNTS, SIZES, FINDINGS, MEDICATIONS)
    ),
    st.lists(DECLARED, max_size=3),
)
HAS = st.builds(
    lambda code, within, evidence_within, domain: without_none(
        {"type": "has", "codes": [code], "within": within, "evidence_within": evidence_within, "domain": domain}
    ),
    CODES,
    WINDOWS,
    st.sampled_from([None, None, "P2M"]),
    st.sampled_from([None, "conditions"]),
)
VALUES = st.builds(
    lambda within, pick, domain: without_none(
        {
            "type": "value",
            "codes": ["CLEIO:platelets"],
            "op": ">=",
            "value": 50,
            "unit": "10*9/L",
            "within": within,
            "pick": pick,
            "domain": domain if pick == "any" else None,
        }
    ),
    WINDOWS,
    st.sampled_from(["latest", "any", "all"]),
    st.sampled_from([None, "observations"]),
)
INEQUALITIES = st.sampled_from(["<", "<=", ">", ">="])
DELTAS = st.builds(
    lambda op, change, over, within: without_none(
        {"type": "delta", "codes": ["CLEIO:platelets"], "op": op, "over": over, "within": within, **change}
    ),
    INEQUALITIES,
    st.sampled_from(
        [{"value": 5, "unit": "10*9/L"}, {"value": -5, "unit": "10*9/L"}, {"value": 9, "basis": "relative"}]
    ),
    st.sampled_from(["P1M", "P6M"]),
    WINDOWS,
)
COMPUTED = st.builds(
    lambda formula, op, within: without_none({"type": "computed", **formula, "op": op, "within": within}),
    st.sampled_from(
        [
            {"formula": "bmi", "value": 27},
            {"formula": "bsa_mosteller", "value": 2},
            {"formula": "egfr_ckd_epi_2021", "value": 120},
            {"formula": "egfr_schwartz_2009", "value": 100},
        ]
    ),
    INEQUALITIES,
    WINDOWS,
)
RATIOS = st.builds(
    lambda op, value, within: without_none(
        {
            "type": "ratio",
            "numerator": ["CLEIO:platelets"],
            "denominator": ["CLEIO:neutrophils"],
            "op": op,
            "value": value,
            "within": within,
        }
    ),
    INEQUALITIES,
    st.sampled_from([1, 2]),
    WINDOWS,
)
SCORES = st.builds(
    lambda op, value, domain: without_none(
        {"type": "score", "set": "CLEIO:acr-eular-2013-ssc", "op": op, "value": value, "domain": domain}
    ),
    INEQUALITIES,
    st.sampled_from([4, 7, 9]),
    st.sampled_from([None, "conditions"]),
)
WASHOUTS = st.builds(
    lambda codes, time, domain: without_none({"type": "washout", "codes": codes, "domain": domain, **time}),
    st.lists(st.one_of(st.sampled_from([*MEDICINES, "ATC:L01F"]), CODES), min_size=1, max_size=2),
    st.sampled_from([{"for": "P3M"}, {"half_lives": 0.5}, {"for": "P3M", "half_lives": 5}]),
    st.sampled_from([None, "medications"]),
)
SINCE = st.builds(
    lambda codes, op, value, domain: without_none(
        {"type": "since", "codes": codes, "op": op, "value": value, "domain": domain}
    ),
    st.lists(CODES, min_size=1, max_size=2),
    INEQUALITIES,
    st.sampled_from(["P0D", "P6M", "P14M"]),
    st.sampled_from([None, "conditions"]),
)
# What these say changes with time only because something grows old.
AGEING = st.one_of(HAS, DELTAS, COMPUTED, RATIOS, SCORES)
LEAVES = st.one_of(
    AGEING,
    WASHOUTS,
    SINCE,
    st.sampled_from(
        [
            {"type": "age", "min": "P4Y1M", "max": "P5Y"},
            {"type": "age", "min": "P4Y1M", "corrected": True},
            {"type": "sex", "value": "male"},
        ]
    ),
    VALUES,
    st.builds(
        lambda code, each, value: {
            "type": "count",
            "codes": [code],
            "op": ">=",
            "value": value,
            "within": "P6M",
            "each": each,
            "domain": "conditions",
        },
        CODES,
        st.sampled_from(["P1M", "P2M", "P6M"]),
        st.integers(0, 2),
    ),
    st.builds(lambda code: {"type": "stable", "codes": [code], "for": "P3M", "domain": "conditions"}, CODES),
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda operands: {"all": operands}),
        st.lists(inner, min_size=1, max_size=3).map(lambda operands: {"any": operands}),
        inner.map(lambda operand: {"not": operand}),
        st.builds(lambda condition, then: {"if": condition, "then": then}, inner, inner),
    ),
    max_leaves=4,
)


def compiled(expr):
    return compile_expression(
        Criterion.model_validate({"id": "c", "kind": "include", "expr": expr}).expr, TERMINOLOGY, Span(0, 70)
    )


def opened(patient):
    return PatientIndex(to_engine(Patient.model_validate(patient), AS_OF).patient, TERMINOLOGY, AS_OF)


def truth_values(evaluation):
    return evaluation.now, evaluation.last_known, evaluation.best_case


def evaluated(expr, patient):
    """Return the timeline of an expression, and its evaluations on the days on which anything may change."""
    expression, index = compiled(expr), opened(patient)
    timeline = expression.evaluate_over_time(index)
    return timeline, {
        day: expression.evaluate(index, day) for day in days_to_look_at(index, json.dumps(expr), timeline)
    }


@settings(max_examples=60, deadline=None)
@given(st.lists(EXPRESSIONS, min_size=1, max_size=3), PATIENTS)
def test_de_morgan(operands, patient):
    index = opened(patient)
    negated = compiled({"not": {"all": operands}}).evaluate(index, AS_OF)
    assert truth_values(negated) == truth_values(
        compiled({"any": [{"not": operand} for operand in operands]}).evaluate(index, AS_OF)
    )


@settings(max_examples=60, deadline=None)
@given(EXPRESSIONS, PATIENTS, st.randoms(use_true_random=False))
def test_the_order_of_facts_does_not_matter(expr, patient, order: random.Random):
    shuffled = {**patient, "facts": order.sample(patient["facts"], len(patient["facts"]))}
    assert evaluated(expr, patient) == evaluated(expr, shuffled)


@settings(max_examples=60, deadline=None)
@given(EXPRESSIONS, PATIENTS)
def test_units_do_not_matter(expr, patient):
    scale = {"10*9/L": ("/uL", 1000), "10*3/uL": ("10*9/L", 1), "/uL": ("10*3/uL", 0.001)}

    def rewritten(fact):
        if fact.get("unit") not in scale:
            return fact
        unit, factor = scale[fact["unit"]]
        return {**fact, "unit": unit, "value": round(fact["value"] * factor, 3)}

    assert evaluated(expr, patient) == evaluated(
        expr, {**patient, "facts": [rewritten(fact) for fact in patient["facts"]]}
    )


@settings(max_examples=60, deadline=None)
@given(HAS, PATIENTS, EVENTS.filter(lambda fact: fact["status"] == "present"))
def test_one_more_present_fact_never_changes_what_is_met(expr, patient, fact):
    more = {**patient, "facts": [*patient["facts"], {"id": "more", **fact}]}
    expression = compiled(expr)
    if expression.evaluate(opened(patient), AS_OF).now == MET:
        assert expression.evaluate(opened(more), AS_OF).now == MET


@settings(max_examples=60, deadline=None)
@given(EXPRESSIONS, PATIENTS)
def test_last_known_refines_now_and_every_unknown_leaf_has_a_reason(expr, patient):
    _timeline, evaluations = evaluated(expr, patient)
    for evaluation in evaluations.values():
        assert evaluation.now in (UNKNOWN, evaluation.last_known)
        assert evaluation.best_case in (UNKNOWN, evaluation.last_known)
        assert (evaluation.now == UNKNOWN) == bool(evaluation.reasons)


@settings(max_examples=60, deadline=None)
@given(AGEING, PATIENTS)
def test_what_grows_old_opens_nothing(expr, patient):
    timeline, _ = evaluated(expr, patient)
    if timeline.values[0].now == NOT_MET:
        assert {values.last_known for values in timeline.values} == {NOT_MET}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["CLEIO:passing", "CLEIO:flu"]), WINDOWS, PATIENTS)
def test_a_passing_state_without_an_end_opens_nothing(code, within, patient):
    expr = without_none({"type": "has", "codes": [code], "within": within})
    begun = {"id": "begun", "kind": "condition", "codes": [code], "date": "2025-02-20"}
    others = [fact for fact in patient["facts"] if fact.get("status") != "absent"]  # a denial would end it
    timeline, _ = evaluated(expr, {**patient, "facts": [*others, begun]})
    if timeline.values[0].now == MET:
        assert {values.last_known for values in timeline.values} == {MET}


@settings(max_examples=60, deadline=None)
@given(HAS, PATIENTS, EVENTS.filter(lambda fact: fact["status"] != "absent"))
def test_a_code_that_nobody_understands_never_decides(expr, patient, fact):
    more = {**patient, "facts": [*patient["facts"], {"id": "more", **fact, "codes": ["LOCAL:y"]}]}
    before, after = (compiled(expr).evaluate(opened(one), AS_OF).now for one in (patient, more))
    assert after in {before, UNKNOWN}
    assert before in {after, NOT_MET}
