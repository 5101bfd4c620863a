"""The leaves that combine several facts, on examples of trials whose answers were worked out by hand."""

from datetime import date
from fractions import Fraction

import pytest

from services.matching.engine import PatientIndex
from services.matching.engine.equations import compute
from services.matching.engine.expression import compile_expression
from services.matching.engine.kleene import TruthValues
from services.matching.patients.mapping import to_engine
from services.matching.patients.schemas import Patient
from services.registry.terminology.terminology import builtin
from shared.criteria.model import Criterion

TERMINOLOGY = builtin().graph
AS_OF = date(2026, 3, 15)
ADULT = {"birth_date": "1975-06-01", "sex": "female"}
SYSTEMIC_SCLEROSIS = "CLEIO:acr-eular-2013-ssc"


def opened(expr, facts=(), as_of=AS_OF, **patient):
    """Return the compiled expression and the index of a patient."""
    numbered = [
        {"id": f"f{number}", "kind": "observation", **({"date": "2026-03-01"} if "start" not in fact else {}), **fact}
        for number, fact in enumerate(facts, start=1)
    ]
    wire = Patient.model_validate({**ADULT, **patient, "facts": numbered})
    index = PatientIndex(to_engine(wire, as_of).patient, TERMINOLOGY, as_of)
    criterion = Criterion.model_validate({"id": "c", "kind": "include", "expr": expr})
    return compile_expression(criterion.expr, TERMINOLOGY, None), index


def evaluated(expr, facts=(), **patient):
    """Return the evaluation on the day of the match and the timeline, which must begin with it."""
    expression, index = opened(expr, facts, **patient)
    evaluation, timeline = expression.evaluate(index, index.as_of), expression.evaluate_over_time(index)
    assert timeline.at(index.as_of) == TruthValues.of(evaluation)
    return evaluation, timeline


def state_of(expr, facts=(), **patient):
    """Return the state, or the reason where it is unknown."""
    evaluation, _ = evaluated(expr, facts, **patient)
    return ",".join(sorted(evaluation.reasons)) or evaluation.now.code


def changes(expr, facts=(), scenario="last_known", **patient):
    _, timeline = evaluated(expr, facts, **patient)
    return [(day.isoformat(), state.code) for day, state in timeline.map(lambda values: getattr(values, scenario))]


def washout(*codes):
    return {"type": "washout", "codes": list(codes), "for": "P3M", "half_lives": 5, "domain": "medications"}


def course(code, start, end=None):
    return {"kind": "medication", "codes": [code], "start": start} | ({"end": end} if end else {})


COMPLETE = {"domains_complete": [{"domain": "medications", "to": AS_OF.isoformat()}]}


@pytest.mark.parametrize(
    ("medicine", "over_on"),
    [
        ("ATC:L01FA01", "2026-04-30"),  # rituximab: 5 half-lives of 22 days are longer than 3 months
        ("ATC:L04AX03", "2026-04-10"),  # methotrexate: 5 half-lives of 0.6 days are shorter
        ("ATC:J06BA02", "2026-07-04"),  # immunoglobulins are medicines with a half-life too
    ],
)
def test_a_washout_lasts_the_longer_of_days_and_half_lives(medicine, over_on):
    taken = [course(medicine, "2025-06-01", "2026-01-10")]
    assert changes(washout(medicine), taken, **COMPLETE) == [("2026-03-15", "not_met"), (over_on, "met")]


def test_a_washout_begins_with_the_last_dose_and_an_unknown_half_life_may_be_the_longest():
    rituximab = washout("ATC:L01FA01")
    assert changes(rituximab, [course("ATC:L01FA01", "2025-06-01")], **COMPLETE) == [("2026-03-15", "not_met")]
    ended = course("ATC:L01FA01", "2025-06-01", "2025-12-31")
    assert state_of(rituximab, [course("ATC:L01FA01", "2025-01-01", "2025-02-01"), ended], **COMPLETE) == "not_met"
    unnamed = [course("ATC:L01FX99", "2025-06-01", "2025-11-01")]
    assert state_of(washout("ATC:L01FX"), unnamed, **COMPLETE) == "partial_detail"


def test_a_washout_needs_to_know_that_no_such_medicine_was_taken():
    denied = {"kind": "medication", "codes": ["ATC:L01FA01"], "status": "absent", "date": "2026-03-10"}
    assert state_of(washout("ATC:L01FA01")) == "missing"
    assert state_of(washout("ATC:L01FA01"), [denied]) == "met"
    assert state_of(washout("ATC:L01FA01"), **COMPLETE) == "met"
    during = course("ATC:L01FA01", "2026-01-01", "2026-03-12")
    assert state_of(washout("ATC:L01FA01"), [during, denied]) == "conflict"
    local = course("LOCAL:17", "2026-01-01", "2026-02-01")
    assert state_of(washout("ATC:L01FA01"), [local], **COMPLETE) == "partial_detail"
    evaluation, _ = evaluated({"not": washout("ATC:L01FA01")}, [local], **COMPLETE)
    assert evaluation.recorded == {"missing"}


ONSET = {"type": "since", "codes": ["HP:0011838", "HP:0002092"], "op": "<=", "value": "P5Y", "domain": "conditions"}


def test_time_counts_from_the_first_of_several_events():
    first = {"kind": "condition", "codes": ["HP:0011838"], "date": "2021-05-01"}
    later = {"kind": "condition", "codes": ["HP:0002092"], "date": "2024-01-01"}
    older = {**first, "date": "2020-12-31"}
    assert changes(ONSET, [later, first]) == [("2026-03-15", "met"), ("2026-05-02", "not_met")]
    assert state_of(ONSET, [later, older]) == "not_met"
    assert state_of({**ONSET, "op": ">="}, [older]) == "met"


def test_an_event_that_is_not_recorded_can_only_be_earlier():
    first = {"kind": "condition", "codes": ["HP:0011838"], "date": "2024-05-01"}
    assert state_of(ONSET) == "missing"
    assert state_of(ONSET, [first]) == "partial_detail"
    assert state_of(ONSET, [{**first, "date": "2019-05-01"}]) == "not_met"
    denied = {"kind": "condition", "codes": ["HP:0002092"], "status": "absent"}
    assert state_of(ONSET, [first, denied]) == "met"
    suspected = {"kind": "condition", "codes": ["HP:0002092"], "status": "unconfirmed", "date": "2023-01-01"}
    assert state_of(ONSET, [first, denied, suspected]) == "partial_detail"
    assert state_of(ONSET, [denied, {**denied, "codes": ["HP:0011838"]}]) == "not_met"
    assert state_of(ONSET, [first, {**first, "status": "absent", "date": "2025-01-01"}]) == "conflict"


SKIN = {"type": "delta", "codes": ["CLEIO:mrss"], "op": ">=", "value": 3, "over": "P6M", "within": "P4W"}


def skin(value, day, **more):
    return {"codes": ["CLEIO:mrss"], "value": value, "date": day, **more}


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ([skin(14, "2025-09-10"), skin(17, "2026-03-10")], "met"),
        ([skin(14, "2025-09-10"), skin(16, "2026-03-10")], "not_met"),
        ([skin(14, "2025-09-09"), skin(17, "2026-03-10")], "missing"),
        ([skin(20, "2025-10-01"), skin(13, "2026-01-01"), skin(16, "2026-03-10")], "met"),
        ([skin(14, "2025-09-10"), skin(17, "2026-03-10"), skin(15, "2026-03-10")], "conflict"),
        ([skin(14, "2025-09-10"), skin(17, "2026-01-10")], "stale"),
        ([skin(14, "2025-09-10"), skin(17, "2026-03")], "partial_detail"),
        ([skin(14, "2025-09-10", comparator="<"), skin(17, "2026-03-10")], "partial_detail"),
        ([skin(14, "2025-09-10"), skin(17, "2026-03-10", unit="mg/L")], "unit"),
        ([skin(17, "2026-03-10")], "missing"),
        ([], "missing"),
    ],
)
def test_a_rise_of_the_skin_score_by_three_within_six_months(facts, state):
    assert state_of(SKIN, facts) == state


def test_a_change_that_must_stay_small_is_one_from_every_earlier_measurement():
    capacity = {"type": "delta", "codes": ["CLEIO:fvc"], "op": ">", "value": -10, "basis": "relative", "over": "P1Y"}
    litres = [
        {"codes": ["CLEIO:fvc"], "value": value, "unit": unit, "date": day}
        for value, unit, day in ((3, "L", "2025-05-01"), (2800, "mL", "2025-12-01"), (2.75, "L", "2026-03-01"))
    ]
    assert state_of(capacity, litres) == "met"
    assert state_of(capacity, [*litres, {**litres[0], "value": 3.1}]) == "not_met"
    assert state_of(capacity, [litres[2], {**litres[0], "value": 0}]) == "partial_detail"


BMI = {"type": "computed", "formula": "bmi", "op": "<", "value": 30}


def weight(value=80, unit="kg", day="2026-03-01", **more):
    return {"codes": ["CLEIO:body-weight"], "value": value, "unit": unit, "date": day, **more}


def height(value=170, unit="cm", day="2026-03-01", **more):
    return {"codes": ["CLEIO:body-height"], "value": value, "unit": unit, "date": day, **more}


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ([weight(), height()], "met"),
        ([weight(86.7), height()], "not_met"),
        ([weight(86699, "g"), height(1.7, "m")], "met"),
        ([weight()], "missing"),
        ([weight(unit=None), height()], "unit"),
        ([weight(), height(value=0)], "partial_detail"),
        ([weight(), weight(95), height()], "conflict"),
        ([weight(), weight(81), height()], "met"),
        ([weight(), weight(95, day="2026-03-10", status="unconfirmed"), height()], "partial_detail"),
        ([weight(day="2026-03"), height()], "partial_detail"),
    ],
)
def test_body_mass_index_from_weight_and_height(facts, state):
    facts = [{name: value for name, value in fact.items() if value is not None} for fact in facts]
    assert state_of(BMI, facts) == state


def test_the_height_of_a_child_must_be_as_recent_as_the_weight():
    facts = [weight(), height(day="2026-01-31")]
    assert state_of(BMI, facts) == "met"
    assert state_of(BMI, facts, birth_date="2009-01-01") == "stale"
    assert state_of(BMI, [weight(), height(day="2026-02-01")], birth_date="2009-01-01") == "met"


def test_a_recorded_index_counts_where_it_is_not_older():
    recorded = {"codes": ["CLEIO:body-mass-index"], "value": 31, "unit": "kg/m2"}
    assert state_of(BMI, [{**recorded, "date": "2020-01-01"}]) == "not_met"
    assert state_of(BMI, [weight(), height(), {**recorded, "date": "2026-03-01"}]) == "not_met"
    assert state_of(BMI, [weight(), height(), {**recorded, "date": "2026-02-28"}]) == "met"
    assert state_of(BMI, [weight(), height(), {**recorded, "date": "2026"}]) == "partial_detail"


def test_a_recorded_index_that_decides_leaves_the_window_as_stale():
    recorded = {"codes": ["CLEIO:body-mass-index"], "value": 31, "unit": "kg/m2", "date": "2026-01-01"}
    assert state_of({**BMI, "within": "P2M"}, [recorded, weight(day="2025-12-01")]) == "stale"
    assert state_of({**BMI, "within": "P1M"}, [weight(day="2025-12-01"), height(), height(value=0)]) == "partial_detail"


def test_an_old_input_keeps_failing_and_the_older_recorded_value_opens_nothing():
    expr = {**BMI, "within": "P2M"}
    recorded = {"codes": ["CLEIO:body-mass-index"], "value": 25, "unit": "kg/m2", "date": "2026-02-28"}
    facts = [weight(95), height(day="2026-02-01"), recorded]
    assert changes(expr, facts) == [("2026-03-15", "not_met")]
    assert changes(expr, facts, "now") == [("2026-03-15", "not_met"), ("2026-04-02", "unknown")]
    assert evaluated(expr, facts)[0].evidence == {"f1", "f2"}


@pytest.mark.parametrize(
    ("formula", "inputs", "age", "is_female", "value"),
    [
        ("egfr_ckd_epi_2021", {"creatinine": Fraction(1)}, 50, True, 68.6),
        ("egfr_ckd_epi_2021", {"creatinine": Fraction(1)}, 50, False, 91.7),
        ("egfr_ckd_epi_2021", {"creatinine": Fraction("0.6")}, 30, True, 123.8),
        ("egfr_schwartz_2009", {"height": Fraction(110), "creatinine": Fraction("0.4")}, 5, True, 113.6),
        ("bsa_mosteller", {"height": Fraction(170), "weight": Fraction(70)}, 40, True, 1.8181),
    ],
)
def test_formulas_give_their_published_values(formula, inputs, age, is_female, value):
    assert float(compute(formula, inputs, age, is_female=is_female)) == pytest.approx(value, rel=5e-4)


GFR = {"type": "computed", "formula": "egfr_ckd_epi_2021", "op": ">=", "value": 60}
CREATININE = {"codes": ["CLEIO:creatinine"], "value": 88.4, "unit": "umol/L"}


def test_the_glomerular_filtration_rate_needs_age_and_sex():
    assert state_of(GFR, [CREATININE]) == "met"
    assert state_of(GFR, [CREATININE], sex=None) == "missing"
    assert state_of(GFR, [CREATININE], sex="other") == "needs_human"
    assert state_of(GFR, [CREATININE], birth_date=None) == "missing"
    assert state_of(GFR, [CREATININE], birth_date="2010-01-01") == "partial_detail"
    # 59.9 at 50 years, 60.3 at 49
    high = {**CREATININE, "value": 99}
    assert [state_of(GFR, [high], birth_date=birth) for birth in ("1975-06-01", "1976-06-01", "1976")] == [
        "not_met",
        "met",
        "partial_detail",
    ]


OCULAR = {
    "type": "ratio",
    "numerator": ["CLEIO:mg-adl-ocular"],
    "denominator": ["CLEIO:mg-adl"],
    "op": "<",
    "value": 0.5,
}


def points(code, value, day, **more):
    return {"codes": [f"CLEIO:mg-adl{code}"], "value": value, "date": day, **more}


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ([points("-ocular", 3, "2026-03-01"), points("", 7, "2026-03-01")], "met"),
        ([points("-ocular", 3, "2026-03-01"), points("", 6, "2026-03-01")], "not_met"),
        ([points("-ocular", 3, "2026-03-01"), points("", 7, "2026-03-02")], "missing"),
        ([points("-ocular", 3, "2026-03-01"), points("", 7, "2026-03")], "partial_detail"),
        ([points("-ocular", 0, "2026-03-01"), points("", 0, "2026-03-01")], "partial_detail"),
        ([points("-ocular", 3, "2026-03-01"), points("", 7, "2026-03-01"), points("", 6, "2026-03-01")], "conflict"),
        (
            [
                points("-ocular", 3, "2026-03-01"),
                points("", 7, "2026-03-01"),
                points("", 5, "2026-03-10", status="unconfirmed"),
            ],
            "partial_detail",
        ),
    ],
)
def test_the_ocular_share_of_a_score_of_one_day(facts, state):
    assert state_of(OCULAR, facts) == state


def test_a_ratio_of_a_day_long_ago_is_stale_and_keeps_its_state():
    facts = [points("-ocular", 3, "2026-02-01"), points("", 6, "2026-02-01")]
    expr = {**OCULAR, "within": "P2M"}
    assert changes(expr, facts, "now") == [("2026-03-15", "not_met"), ("2026-04-02", "unknown")]
    assert changes(expr, facts) == [("2026-03-15", "not_met")]


CLASSIFIED = {"type": "score", "set": SYSTEMIC_SCLEROSIS, "op": ">=", "value": 9, "domain": "conditions"}


def findings(*codes, **more):
    return [{"kind": "condition", "codes": [code], "date": "2024-01-01", **more} for code in codes]


def test_nine_points_classify_a_systemic_sclerosis():
    nine = findings("HP:0011838", "HP:0030880", "HP:0001009")  # sclerodactyly 4, Raynaud 3, telangiectasia 2
    assert state_of(CLASSIFIED, nine) == "met"
    assert state_of(CLASSIFIED, findings("CLEIO:ssc-skin-beyond-mcp")) == "met"
    assert state_of(CLASSIFIED, nine[:2]) == "partial_detail"
    assert state_of(CLASSIFIED) == "missing"
    # Puffy fingers are in the group of sclerodactyly: they add nothing.
    known = {"domains_complete": [{"domain": "conditions", "to": AS_OF.isoformat()}]}
    assert state_of(CLASSIFIED, [*nine[:2], *findings("CLEIO:puffy-fingers")], **known) == "not_met"
    seven = {**CLASSIFIED, "value": 7}
    evaluation, _ = evaluated(seven, [*nine[:2], *findings("HP:0001009", status="unconfirmed")])
    assert evaluation.evidence == {"f1", "f2"}  # what is not known decides nothing


def test_the_value_that_was_compared_is_shown():
    bmi = [weight(86.7), height()]
    shares = [points("-ocular", 3, "2026-03-01"), points("", 6, "2026-03-01")]
    rise = [skin(14, "2025-09-10"), skin(15, "2025-12-10"), skin(17, "2026-03-10")]
    recorded = {"codes": ["CLEIO:body-mass-index"], "value": 31, "unit": "kg/m2", "date": "2026-03-05"}
    known = {"domains_complete": [{"domain": "conditions", "to": AS_OF.isoformat()}]}

    def shown(expr, facts, **patient):
        expression, index = opened(expr, facts, **patient)
        return expression.shown(index, AS_OF)

    assert (shown(BMI, bmi), shown(BMI, [*bmi, recorded]), shown(BMI, [*bmi, weight(95)])) == (30, None, None)
    assert (shown(OCULAR, shares), shown(SKIN, rise)) == (Fraction(1, 2), 3)
    raynaud = findings("HP:0030880")
    assert (shown(CLASSIFIED, raynaud), shown(CLASSIFIED, raynaud, **known)) == (None, 3)


def test_a_recorded_total_decides_and_what_grows_old_opens_nothing():
    total = {"codes": [SYSTEMIC_SCLEROSIS], "value": 8, "date": "2020-01-01"}
    assert state_of(CLASSIFIED, [*findings("CLEIO:ssc-skin-beyond-mcp"), total]) == "not_met"
    known = {"domains_complete": [{"domain": "conditions", "to": AS_OF.isoformat()}]}
    assert changes(CLASSIFIED, [], **known) == [("2026-03-15", "not_met")]


@pytest.mark.parametrize(
    ("first", "last", "state"),
    [(48, 50, "met"), (45, 50, "met"), (52, 52, "met"), (47, 50, "met"), (48, 51, "not_met"), (49, 49, "not_met")],
)
def test_deletions_that_skipping_of_exon_51_corrects(first, last, state):
    expr = {"type": "variant", "gene": "DMD", "amenable_to": {"skip": 51}, "closed": True}
    variant = {"gene": "DMD", "type": "deletion", "exon_from": first, "exon_to": last}
    assert state_of(expr, [{"kind": "variant", "variant": variant}]) == state
    assert state_of(expr, [{"kind": "variant", "variant": {"gene": "DMD", "type": "deletion"}}]) == "partial_detail"
    assert state_of(expr, [{"kind": "variant", "variant": {**variant, "type": "duplication"}}]) == "partial_detail"


def test_the_corrected_age_counts_from_the_due_date():
    two_months = {"type": "age", "min": "P2M", "corrected": True}
    born = {"birth_date": "2025-12-01"}  # at 30 weeks: due on 2026-02-09
    assert changes(two_months, gestation="P30W0D", **born) == [("2026-03-15", "not_met"), ("2026-04-09", "met")]
    assert state_of(two_months, gestation="P37W", **born) == "met"
    assert state_of(two_months, **born) == "partial_detail"
    evaluation, _ = evaluated(two_months, gestation="P30W", **born)
    assert evaluation.evidence == {"#birth", "#gestation"}
