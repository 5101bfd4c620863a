"""The oracle itself, checked by hand: each case is a sentence of docs/eligibility.md."""

import sys
from collections import Counter
from datetime import date, timedelta

import pytest

from tests.oracle.days import add, first_day_within, possible_births, subtract
from tests.oracle.generator import SCALES, TERMINOLOGY, build
from tests.oracle.oracle import Case, Span, criterion_states, leaf_state, listing, settled, timeline, trial, verdict_on
from tests.oracle.record import Record, Terminology

AS_OF = date(2025, 11, 22)
MET, NOT_MET, UNKNOWN = "met", "not_met", "unknown"


def patient(*facts, **fields):
    return {"as_of": AS_OF.isoformat(), "birth_date": "2010-05-01", "sex": "male", "facts": list(facts), **fields}


def fact(kind="condition", codes=("ORPHA:110",), **fields):
    return {"id": "f", "kind": kind, "codes": list(codes), **fields}


def measure(number, day, **fields):
    return fact("observation", ["LOINC:1742-6"], value=number, date=day, **fields)


def state(leaf, *facts, day=AS_OF, **fields):
    return leaf_state(leaf, patient(*facts, **fields), TERMINOLOGY, day, AS_OF, scales=SCALES)


def has(*codes, **fields):
    return {"type": "has", "codes": list(codes or ["ORPHA:110"]), **fields}


def changes(states):
    """The places where a list of daily states changes."""
    return [(index, one) for index, one in enumerate(states) if index == 0 or states[index - 1] != one]


def dated(leaf, days, *facts, **fields):
    told = [state(leaf, *facts, day=AS_OF + timedelta(days=number), **fields)[0] for number in range(days)]
    return [((AS_OF + timedelta(days=index)).isoformat(), one) for index, one in changes(told)]


# --- time -------------------------------------------------------------------------------------------------------------


def test_months_are_clamped_before_days_are_added():
    assert add(date(2024, 1, 31), "P1M") == date(2024, 2, 29)
    assert add(date(2023, 1, 31), "P1M1D") == date(2023, 3, 1)
    assert subtract(date(2025, 3, 31), "P1M") == date(2025, 2, 28)
    assert add(date(2012, 2, 29), "P4Y") == date(2016, 2, 29)
    assert add(date(2012, 2, 29), "P1Y") == date(2013, 2, 28)


def test_the_first_day_within_a_window_is_the_smallest_that_reaches_it():
    for window in ("P1M", "P1Y", "P4W", "P2Y", "P1M15D"):
        for number in range(500):
            day = date(2024, 1, 1) + timedelta(days=number)
            first = first_day_within(day, window)
            assert add(first, window) >= day > add(first - timedelta(days=1), window)


def test_an_age_stands_for_every_birth_date_it_allows():
    births = possible_births("P3Y", AS_OF)
    assert (births[0], births[-1]) == (date(2021, 11, 23), date(2022, 11, 22))
    births = possible_births("P3Y4M", AS_OF)
    assert (births[0], births[-1]) == (date(2022, 6, 23), date(2022, 7, 22))
    leaf = {"type": "age", "min": "P4Y"}
    assert state(leaf, birth_date=None, age="P3Y") == (NOT_MET, NOT_MET, NOT_MET, None)
    assert dated(leaf, 400, birth_date=None, age="P3Y") == [("2025-11-22", NOT_MET), ("2025-11-23", UNKNOWN), ("2026-11-22", MET)]


def test_a_window_holds_until_the_anniversary_and_leaves_on_the_day_after():
    leaf = has("CLEIO:live_vaccine", within="P4W", domain="immunizations")
    complete = [{"domain": "immunizations", "from": "2020-01-01", "to": "2026-12-31"}]
    vaccine = fact("immunization", ["CLEIO:yellow_fever_vaccine"], date="2025-11-10")
    assert dated(leaf, 40, vaccine, domains_complete=complete) == [("2025-11-22", MET), ("2025-12-09", UNKNOWN)]
    lately = fact("immunization", ["CLEIO:yellow_fever_vaccine"], date="2025-10-27")
    assert dated(leaf, 5, lately, domains_complete=complete) == [("2025-11-22", MET), ("2025-11-25", UNKNOWN)]
    earlier = {**lately, "date": "2025-10-26"}
    assert dated(leaf, 5, earlier, domains_complete=complete) == [("2025-11-22", MET), ("2025-11-24", NOT_MET), ("2025-11-25", UNKNOWN)]


def test_a_fact_after_as_of_never_counts_and_an_open_exposure_goes_on():
    later = fact("procedure", ["CLEIO:gene_therapy"], date="2025-12-01")
    assert dated(has("CLEIO:gene_therapy"), 30, later) == [("2025-11-22", UNKNOWN)]
    drug = fact("medication", ["ATC:H02AB06"], start="2025-11-01")
    assert dated(has("ATC:H02AB", within="P7D"), 400, drug) == [("2025-11-22", MET)]
    planned = {**drug, "end": "2025-12-01"}
    assert dated(has("ATC:H02AB", within="P7D"), 40, planned) == [("2025-11-22", MET), ("2025-12-09", UNKNOWN)]


# --- age and sex ------------------------------------------------------------------------------------------------------


def test_age_is_reached_on_the_birthday_and_the_maximum_is_exclusive():
    leaf = {"type": "age", "min": "P4Y", "max": "P8Y"}
    assert dated(leaf, 1500, birth_date="2021-12-20") == [("2025-11-22", NOT_MET), ("2025-12-20", MET), ("2029-12-20", NOT_MET)]
    birthday = {"type": "age", "max": "P4Y"}
    assert state({**birthday, "max_inclusive": True}, birth_date="2021-11-22")[0] == MET
    assert state(birthday, birth_date="2021-11-22")[0] == NOT_MET
    assert state({"type": "age", "min": "P4Y", "min_inclusive": False}, birth_date="2021-11-22")[0] == NOT_MET


def test_a_registry_age_is_unclear_for_the_year_after():
    leaf = {"type": "age", "max": "P35Y", "max_unclear_until": "P36Y"}
    assert dated(leaf, 500, birth_date="1990-12-01") == [("2025-11-22", MET), ("2025-12-01", UNKNOWN), ("2026-12-01", NOT_MET)]


def test_age_at_dosing_is_that_of_the_day_plus_the_lead_time_or_of_the_dosing_date():
    document = {"lead_time": "P1M", "criteria": [{"id": "I1", "kind": "include", "expr": {"type": "age", "min": "P4Y", "at": "dosing"}}]}
    child = patient(birth_date="2021-12-22")
    assert criterion_states(Case(document, child, TERMINOLOGY), AS_OF)["I1"][0] == MET
    assert criterion_states(Case(document, child, TERMINOLOGY), AS_OF - timedelta(days=1))["I1"][0] == NOT_MET
    assert criterion_states(Case(document, child, TERMINOLOGY, dosing_date=date(2025, 12, 21)), AS_OF)["I1"][0] == NOT_MET


def test_sex_unknown_is_missing_and_other_needs_a_human():
    assert state({"type": "sex", "value": "male"}, sex=None)[3] == "missing"
    assert state({"type": "sex", "value": "male"}, sex="other")[3] == "needs_human"
    assert state({"type": "sex", "value": "female"})[0] == NOT_MET


# --- has --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codes", "status", "expected"),
    [
        (["ORPHA:110"], "present", (MET, None)),
        (["MONDO:110"], "present", (MET, None)),
        (["ORPHA:111"], "present", (MET, None)),
        (["ORPHA:100"], "present", (UNKNOWN, "partial_detail")),
        (["ORPHA:200"], "present", (NOT_MET, None)),
        (["ORPHA:110"], "unconfirmed", (UNKNOWN, "partial_detail")),
        (["ORPHA:110"], "ordered", (UNKNOWN, "partial_detail")),
        (["ORPHA:110"], "entered_in_error", (UNKNOWN, "missing")),
        (["ORPHA:100"], "absent", (NOT_MET, None)),
        (["MONDO:110"], "absent", (NOT_MET, None)),
        (["ORPHA:111"], "absent", (UNKNOWN, "missing")),
    ],
)
def test_codes_carry_downwards_and_are_denied_downwards(codes, status, expected):
    now, _carried, _hope, reason = state(has(), fact(codes=codes, status=status, date="2024-01-01"))
    assert (now, reason) == expected


def test_descendants_false_asks_for_the_code_itself():
    assert state(has(descendants=False), fact(codes=["ORPHA:111"], date="2024-01-01"))[0] == UNKNOWN
    assert state(has(descendants=False), fact(codes=["MONDO:110"], date="2024-01-01"))[0] == MET


def test_a_denial_ages_and_is_carried():
    leaf = has("CLEIO:hiv", within="P6M")
    negative = fact("observation", ["CLEIO:hiv"], status="absent", date="2025-05-23")
    assert state(leaf, negative, day=date(2025, 11, 23)) == (NOT_MET, NOT_MET, UNKNOWN, None)
    assert state(leaf, negative, day=date(2025, 11, 24)) == (UNKNOWN, NOT_MET, UNKNOWN, "stale")
    positive = fact("observation", ["CLEIO:hiv"], date="2025-05-24")
    assert state(leaf, negative, positive, day=date(2026, 3, 1)) == (UNKNOWN, UNKNOWN, UNKNOWN, "stale")


def test_a_presence_denied_on_the_same_day_or_later_is_a_conflict():
    yes, no = fact(date="2024-05-01"), fact(status="absent", date="2024-05-01")
    assert state(has(), yes, no)[3] == "conflict"
    assert state(has(), yes, {**no, "date": "2024-04-30"})[0] == MET


def test_a_partial_date_concludes_only_where_all_its_days_agree():
    leaf = has("CLEIO:transplant", within="P1Y")
    assert state(leaf, fact("procedure", ["CLEIO:transplant"], date="2024-12"))[0] == MET
    assert state(leaf, fact("procedure", ["CLEIO:transplant"], date="2024-11"))[3] == "partial_detail"
    assert state(leaf, fact("procedure", ["CLEIO:transplant"], date="2024-10"))[3] == "stale"


@pytest.mark.parametrize(("to", "expected"), [("2025-11-22", NOT_MET), ("2025-11-19", NOT_MET), ("2025-11-18", UNKNOWN)])
def test_a_complete_domain_answers_but_for_a_tenth_of_the_window(to, expected):
    complete = [{"domain": "procedures", "from": "2025-10-23", "to": to}]
    assert state(has("CLEIO:transplant", within="P30D", domain="procedures"), domains_complete=complete)[0] == expected


def test_a_complete_domain_never_leaves_more_than_31_days_open_and_is_joined_where_it_touches():
    leaf = has("CLEIO:transplant", within="P2Y", domain="procedures")
    touching = [
        {"domain": "procedures", "from": "2023-11-22", "to": "2024-11-21"},
        {"domain": "procedures", "from": "2024-11-22", "to": "2025-10-22"},
    ]
    assert state(leaf, domains_complete=touching)[0] == NOT_MET
    assert state(leaf, domains_complete=touching, day=date(2025, 11, 23))[0] == UNKNOWN
    apart = [touching[0], {**touching[1], "from": "2024-11-23"}]
    assert state(leaf, domains_complete=apart)[0] == UNKNOWN
    late = [{"domain": "procedures", "from": "2023-11-23", "to": "2025-11-22"}]
    assert state(leaf, domains_complete=late)[0] == UNKNOWN
    ever = has("CLEIO:transplant", domain="procedures")
    assert state(ever, domains_complete=[{"domain": "procedures", "from": "2010-05-01", "to": "2025-10-22"}])[0] == NOT_MET
    assert state(ever, domains_complete=[{"domain": "procedures", "from": "2010-05-02", "to": "2025-10-22"}])[0] == UNKNOWN
    assert state(ever, birth_date=None, domains_complete=[{"domain": "procedures", "to": "2025-10-22"}])[0] == NOT_MET
    assert state(ever, birth_date=None, domains_complete=[{"domain": "procedures", "to": "2025-10-21"}])[0] == UNKNOWN


def test_where_compares_attributes_and_a_duration_runs_to_the_end_or_the_day():
    leaf = has("ATC:H02AB", where={"outcome": ["failed"]})
    assert state(leaf, fact("medication", ["ATC:H02AB06"], start="2024-01-01", outcome="failed"))[0] == MET
    assert state(leaf, fact("medication", ["ATC:H02AB06"], start="2024-01-01"))[3] == "partial_detail"
    assert state(leaf, fact("medication", ["ATC:H02AB06"], start="2024-01-01", outcome="good"))[3] == "missing"
    lasting = has("ATC:H02AB", where={"duration": "P3M"})
    drug = fact("medication", ["ATC:H02AB06"], start="2025-09-01")
    assert dated(lasting, 20, drug) == [("2025-11-22", UNKNOWN), ("2025-12-01", MET)]


def test_a_relative_is_not_the_patient():
    brother = fact("condition", date="2020-01-01", relative="sibling")
    assert state(has(), brother)[3] == "missing"
    assert state(has(relative="sibling"), brother)[0] == MET


# --- measurements -----------------------------------------------------------------------------------------------------


def alt(**fields):
    return {"type": "value", "codes": ["LOINC:1742-6"], "op": "<", "value": 3, "basis": "xULN", **fields}


@pytest.mark.parametrize(
    ("number", "unit", "high", "expected"),
    [
        (104.65, "U/L", 35, (MET, None)),
        (105, "U/L", 35, (NOT_MET, None)),
        (105.35, "U/L", 35, (NOT_MET, None)),
        (1.734, "ukat/L", 0.58, (MET, None)),
        (1.74, "ukat/L", 0.58, (NOT_MET, None)),
        (60, "U/L", None, (UNKNOWN, "no_reference_range")),
    ],
)
def test_a_multiple_of_the_upper_limit_is_exact(number, unit, high, expected):
    now, _carried, _hope, reason = state(alt(), measure(number, "2025-11-01", unit=unit, **({"ref_high": high} if high else {})))
    assert (now, reason) == expected


def test_units_convert_exactly_or_not_at_all():
    leaf = {"type": "value", "codes": ["LOINC:1742-6"], "op": "<", "value": 120, "unit": "U/L"}
    assert state(leaf, measure(2, "2025-11-01", unit="ukat/L"))[0] == NOT_MET
    assert state(leaf, measure(1.999, "2025-11-01", unit="ukat/L"))[0] == MET
    assert state(leaf, measure(1, "2025-11-01", unit="mg/dL"))[3] == "unit"
    assert state(leaf, measure(1, "2025-11-01"))[3] == "unit"


def test_the_latest_measurement_counts_until_it_is_stale_and_then_is_carried():
    leaf = alt(within="P3M")
    bad, good = measure(200, "2025-09-01", ref_high=35), measure(60, "2025-08-22", ref_high=35)
    assert state(leaf, bad, good) == (NOT_MET, NOT_MET, UNKNOWN, None)
    assert state(leaf, bad, good, day=date(2025, 12, 2)) == (UNKNOWN, NOT_MET, UNKNOWN, "stale")
    assert state(leaf, good) == (MET, MET, UNKNOWN, None)
    assert state(leaf, good, day=date(2025, 11, 23)) == (UNKNOWN, MET, UNKNOWN, "stale")
    assert state(leaf, {**good, "date": "2025-09-01"}, bad)[3] == "conflict"
    assert state(leaf, {**good, "date": "2025-10"}, bad)[3] == "partial_detail"


def test_any_and_all_measurements():
    bad, good = measure(200, "2025-09-01", ref_high=35), measure(60, "2025-10-01", ref_high=35)
    assert state(alt(pick="any"), bad, good)[0] == MET
    assert state(alt(pick="all"), bad, good)[0] == NOT_MET
    assert state(alt(pick="any"), bad)[3] == "missing"
    assert state(alt(pick="any", domain="observations"), bad, domains_complete=[{"domain": "observations", "to": "2025-11-22"}])[0] == NOT_MET


def test_a_measurement_soon_after_a_transfusion_is_dropped():
    leaf = {
        "type": "value",
        "codes": ["LOINC:1742-6"],
        "op": ">",
        "value": 50,
        "not_after": [{"codes": ["CLEIO:transfusion"], "for": "P7D", "domain": "procedures"}],
    }
    complete = [{"domain": "procedures", "from": "2020-01-01", "to": "2025-11-22"}]
    given = fact("procedure", ["CLEIO:transfusion"], date="2025-10-25")
    assert state(leaf, measure(60, "2025-11-01"), given, domains_complete=complete)[3] == "missing"
    assert state(leaf, measure(60, "2025-11-02"), given, domains_complete=complete)[0] == MET
    assert state(leaf, measure(60, "2025-11-02"))[3] == "partial_detail"


@pytest.mark.parametrize(
    ("value", "comparator", "expected"),
    [(399, None, MET), (400, None, NOT_MET), (400, "<", MET), (400, "<=", UNKNOWN), (400, ">=", NOT_MET), (100, ">", UNKNOWN)],
)
def test_titres_are_compared_as_reciprocals(value, comparator, expected):
    leaf = {"type": "titre", "codes": ["CLEIO:anti_aav"], "op": "<", "reciprocal": 400, "assay": "elisa"}
    found = fact(
        "observation", ["CLEIO:anti_aav"], value=value, date="2025-11-01", assay="elisa", **({"comparator": comparator} if comparator else {})
    )
    assert state(leaf, found)[0] == expected
    assert state(leaf, {**found, "assay": "neutralisation"})[3] == "partial_detail"


def test_a_group_of_levels_counts_only_when_all_its_levels_would():
    leaf = {"type": "ordinal", "scale": "CLEIO:mgfa", "min": "IIa", "max": "IVa"}
    assert [state(leaf, fact("observation", ["CLEIO:mgfa"], value=level, date="2025-11-01"))[0] for level in ("I", "II", "IV", "IVb", "V", "x")] == [
        NOT_MET,
        MET,
        UNKNOWN,
        NOT_MET,
        NOT_MET,
        UNKNOWN,
    ]


def test_answers_and_their_clashes():
    leaf = {"type": "human", "question": "q", "role": "clinician", "within": "P1M"}
    yes = {"id": "a", "kind": "answer", "question": "q", "answer": "yes", "date": "2025-11-01"}
    assert state(leaf, yes) == (MET, MET, UNKNOWN, None)
    assert state(leaf, yes, day=date(2025, 12, 2)) == (UNKNOWN, MET, UNKNOWN, "stale")
    assert state(leaf, yes, {**yes, "answer": "no"})[3] == "conflict"
    assert state(leaf)[3] == "needs_human"


# --- variant ----------------------------------------------------------------------------------------------------------


def test_an_assay_closes_only_what_it_sees():
    leaf = {"type": "variant", "gene": "DMD", "types": ["deletion", "nonsense"]}
    absent = fact("variant", [], status="absent", variant={"gene": "DMD", "assay": "mlpa"})
    assert state(leaf, absent)[3] == "partial_detail"
    assert state({**leaf, "types": ["deletion"]}, absent)[0] == NOT_MET
    assert state(leaf, absent, {**absent, "variant": {"gene": "DMD", "assay": "panel"}})[0] == NOT_MET


def test_a_variant_is_compared_attribute_by_attribute():
    leaf = {"type": "variant", "gene": "DMD", "types": ["deletion"], "exons": {"overlaps": [[42, 45]]}, "closed": True}
    deletion = {"gene": "DMD", "type": "deletion", "exon_from": 45, "exon_to": 52}
    assert state(leaf, fact("variant", [], variant=deletion))[0] == MET
    assert state(leaf, fact("variant", [], variant={**deletion, "exon_from": 46}))[0] == NOT_MET
    assert state({**leaf, "closed": False}, fact("variant", [], variant={**deletion, "exon_from": 46}))[3] == "partial_detail"
    assert state(leaf, fact("variant", [], variant={**deletion, "significance": "uncertain"}))[3] == "partial_detail"
    assert state(leaf, fact("variant", [], variant={**deletion, "significance": "benign"}))[0] == UNKNOWN
    assert state(leaf, fact("variant", [], variant={"gene": "SMN1"}))[3] == "missing"


# --- stable -----------------------------------------------------------------------------------------------------------


def test_a_stable_dose_is_long_enough_unchanged_and_within_its_bounds():
    leaf = {"type": "stable", "codes": ["ATC:H02AB"], "for": "P12W", "max": 10, "unit": "mg/d", "domain": "medications"}
    drug = fact("medication", ["ATC:H02AB06"], start="2025-10-10", dose={"value": 10, "unit": "mg/d"})
    assert dated(leaf, 60, drug) == [("2025-11-22", NOT_MET), ("2026-01-02", MET)]
    before = {**drug, "start": "2025-01-01", "end": "2025-10-09"}
    assert state(leaf, before, drug)[0] == MET
    assert state(leaf, {**before, "dose": {"value": 5, "unit": "mg/d"}}, drug)[0] == NOT_MET
    assert state(leaf, {**drug, "start": "2025-01-01", "dose": {"value": 11, "unit": "mg/d"}})[0] == NOT_MET
    assert state(leaf, {**drug, "start": "2025-01-01", "dose": {"value": 1, "unit": "mL/d"}})[3] == "unit"
    assert state(leaf, {**drug, "start": "2025"})[3] == "partial_detail"
    assert state(leaf, domains_complete=[{"domain": "medications", "from": "2025-08-30", "to": "2025-11-22"}])[0] == NOT_MET


# --- verdicts ---------------------------------------------------------------------------------------------------------


def include(expr, **fields):
    return {"id": f"I{len(str(expr))}", "kind": "include", "expr": expr, **fields}


def verdicts(criteria, told, days, **fields):
    return changes(timeline({"criteria": criteria, **fields}, told, TERMINOLOGY, AS_OF, days, scales=SCALES))


def test_a_failed_measurement_that_grows_old_never_becomes_an_opening():
    document = {"criteria": [include(alt(within="P3M"), retest="P4W")]}
    told = trial(Case(document, patient(measure(200, "2025-11-01", ref_high=35)), TERMINOLOGY), 400)
    assert changes(told["verdicts"]) == [(0, "not_now")]
    assert told["best"]["retest"] == date(2025, 11, 29)


def test_too_old_is_excluded_and_too_young_is_not_yet():
    leaf = {"type": "age", "min": "P4Y", "max": "P8Y"}
    told = trial(Case({"lead_time": "P10W", "criteria": [include(leaf)]}, patient(birth_date="2021-12-20"), TERMINOLOGY), 1600)
    assert [(AS_OF + timedelta(days=at), verdict) for at, verdict in changes(told["verdicts"])] == [
        (AS_OF, "not_yet"),
        (date(2025, 12, 20), "compatible"),
        (date(2029, 12, 20), "excluded"),
    ]
    best = told["best"]
    assert (best["from"], best["until"], best["refer_before"]) == (date(2025, 12, 20), date(2029, 12, 20), date(2029, 10, 11))


def test_registry_grade_consent_and_discretion():
    young = [include({"type": "age", "max": "P18Y"})]
    assert verdicts(young, patient(), 1) == [(0, "compatible")]
    assert verdicts(young, patient(), 1, grade="registry") == [(0, "possible")]
    consent = include({"type": "human", "question": "q", "role": "clinician"}, stage="consent")
    assert verdicts([*young, consent], patient(), 1) == [(0, "compatible")]
    assert verdicts([*young, {**consent, "stage": "screening"}], patient(), 1) == [(0, "possible")]
    judged = {**consent, "stage": "screening", "expr": {**consent["expr"], "role": "investigator"}}
    assert verdicts([*young, judged], patient(), 1) == [(0, "compatible")]
    no = {"id": "a", "kind": "answer", "question": "q", "answer": "no", "date": "2025-11-01"}
    assert verdicts([*young, judged], patient(no), 1) == [(0, "not_now")]
    assert verdicts([include({"type": "age", "min": "P18Y"}, discretion=True)], patient(), 1) == [(0, "possible")]


def test_the_best_cohort_speaks_for_the_trial():
    document = {
        "cohorts": [{"id": "1"}, {"id": "2"}],
        "criteria": [include({"type": "age", "max": "P2Y"}, cohorts=["1"]), {**include({"type": "age", "min": "P2Y"}, cohorts=["2"]), "id": "x"}],
    }
    assert trial(Case(document, patient(), TERMINOLOGY), 1)["best"]["cohort"] == "2"
    assert trial(Case(document, patient(), TERMINOLOGY), 1, recruiting={"1"})["best"]["cohort"] == "1"


def test_the_listing_rule():
    criteria = [include(has(), role="indication")]
    answers = [(), (fact(date="2020"),), (fact(codes=["ORPHA:100"], date="2020"),), (fact(codes=["ORPHA:200"], date="2020"),)]
    assert [listing(Case({"criteria": criteria}, patient(*facts), TERMINOLOGY)) for facts in answers] == [
        "undetermined",
        "listed",
        "listed",
        "not_indicated",
    ]


# --- the two worked patients ------------------------------------------------------------------------------------------


def crises():
    days = ["2024-01-10", "2024-05-02", "2025-02-01", "2025-08-19", "2025-09-30"]
    return [fact("event", ["CLEIO:severe_crisis"], date=day) for day in days]


def test_the_girl_with_sickle_cell_disease_and_her_crises_day_by_day():
    leaf = {"type": "count", "codes": ["CLEIO:severe_crisis"], "op": ">=", "value": 2, "within": "P2Y", "each": "P1Y", "domain": "encounters"}
    complete = [{"domain": "encounters", "from": "2015-01-01", "to": "2025-11-22"}]
    assert dated(leaf, 280, *crises(), domains_complete=complete) == [
        ("2025-11-22", MET),
        ("2026-01-11", NOT_MET),
        ("2026-02-02", MET),
        ("2026-05-03", NOT_MET),
        ("2026-08-20", UNKNOWN),
    ]


def test_the_girl_with_sickle_cell_disease_is_possible():
    criteria = [
        include({"type": "age", "min": "P12Y", "max": "P35Y", "max_inclusive": True}),
        include({"type": "count", "codes": ["CLEIO:severe_crisis"], "op": ">=", "value": 2, "within": "P2Y", "each": "P1Y", "domain": "encounters"}),
        include(alt(within="P3M")),
        {"id": "E1", "kind": "exclude", "expr": has("CLEIO:gene_therapy", domain="procedures")},
    ]
    girl = patient(
        *crises(),
        measure(60, "2025-10-20", unit="U/L", ref_high=35),
        domains_complete=[{"domain": "encounters", "from": "2015-01-01", "to": "2025-11-22"}],
    )
    case = Case({"criteria": criteria}, girl, TERMINOLOGY)
    assert [one[0] for one in criterion_states(case, AS_OF).values()] == [MET, MET, MET, UNKNOWN]
    assert trial(case, 1)["verdicts"] == ["possible"]


def test_the_boy_with_duchenne_opens_when_he_is_four_washed_out_and_twelve_weeks_stable():
    def none(code, **fields):
        return {"id": f"E{code}", "kind": "exclude", "expr": has(code, **fields)}

    criteria = [
        include({"type": "age", "min": "P4Y", "max": "P8Y"}),
        include({"type": "sex", "value": "male"}),
        include({"type": "variant", "gene": "DMD", "exons": {"within": [18, 79]}, "closed": True}),
        include({"type": "titre", "codes": ["CLEIO:anti_aav"], "op": "<", "reciprocal": 400, "within": "P6M"}),
        include({"type": "stable", "codes": ["ATC:H02AB"], "for": "P12W", "domain": "medications"}),
        none("CLEIO:live_vaccine", within="P4W", domain="immunizations"),
        none("CLEIO:gene_therapy", domain="procedures"),
        none("CLEIO:hiv"),
    ]
    boy = patient(
        fact("variant", [], date="2024-03-01", variant={"gene": "DMD", "type": "deletion", "exon_from": 45, "exon_to": 52}),
        fact("medication", ["ATC:H02AB06"], start="2025-10-10"),
        fact("immunization", ["CLEIO:live_vaccine"], date="2025-11-10"),
        fact("observation", ["CLEIO:hiv"], status="absent", date="2025-10-01"),
        birth_date="2021-12-20",
        domains_complete=[{"domain": domain, "from": "2021-12-20", "to": "2025-11-22"} for domain in ("immunizations", "procedures", "medications")],
    )
    case = Case({"criteria": criteria}, boy, TERMINOLOGY)
    told = trial(case, 400)
    assert changes(told["verdicts"]) == [(0, "not_yet"), (41, "possible")]
    assert (told["best"]["from"], told["best"]["until"]) == (date(2026, 1, 2), date(2029, 12, 20))
    failing = [name for name, states in criterion_states(case, AS_OF).items() if states[0] == NOT_MET]
    assert len(failing) == 3


# --- the oracle against itself ----------------------------------------------------------------------------------------


def test_the_bounds_of_a_partial_date_are_those_of_trying_every_day():
    for text in ("2024-02", "2024"):
        for within in (None, "P1M", "P1Y"):
            for number in range(0, 800, 7):
                day = date(2024, 1, 1) + timedelta(days=number)
                record = Record({"facts": []}, date(2026, 12, 31))
                answers = set()
                for inner in range(366):
                    one = date(2024, 1, 1) + timedelta(days=inner)
                    if one.isoformat().startswith(text):
                        answers.add(record.in_window({"date": one.isoformat()}, within, day))
                expected = answers.pop() if len(answers) == 1 else "maybe"
                assert record.in_window({"date": text}, within, day) == expected


def test_after_the_settled_day_nothing_changes_and_looking_at_each_day_anew_agrees():
    for seed in range(12):
        document, told, dosing_date = build(seed)
        case = Case(document, told, Terminology(TERMINOLOGY), dosing_date=dosing_date, scales=SCALES)
        cohort = (document.get("cohorts") or [{"id": "all"}])[0]["id"]
        short, long = Span(case, cohort), Span(case, cohort, settled(case) + timedelta(days=300))
        assert long.verdicts(len(long.days)) == short.verdicts(len(long.days))
        for place in (0, 3, 50, 200):
            assert verdict_on(case, cohort, long.days[place], long.days[-1]) == long.verdicts(place + 1)[place]


def test_the_generator_makes_every_verdict_and_reason(capsys):
    verdicts_seen, states, reasons, listings = Counter(), Counter(), Counter(), Counter()
    for seed in range(250):
        document, told, dosing_date = build(seed)
        case = Case(document, told, Terminology(TERMINOLOGY), dosing_date=dosing_date, scales=SCALES)
        for now, _carried, _hope, why in criterion_states(case, case.as_of).values():
            states[now] += 1
            reasons.update(why)
        listings[listing(case)] += 1
        if seed < 60:
            verdicts_seen.update(trial(case, 2)["verdicts"])
    with capsys.disabled():
        sys.stdout.write(f"\n{dict(verdicts_seen)} {dict(states)} {dict(reasons)} {dict(listings)}\n")
    assert set(verdicts_seen) == {"compatible", "possible", "not_yet", "not_now", "excluded"}
    assert set(reasons) == {"missing", "stale", "unit", "no_reference_range", "partial_detail", "conflict", "needs_human"}
    assert set(listings) == {"listed", "undetermined", "not_indicated"}
    assert min(states.values()) > 100
