"""The oracle itself, checked by hand: time and leaves; each case is a sentence of docs/eligibility.md."""

from datetime import date, timedelta

import pytest

from tests.oracle.by_hand import AS_OF, MET, NOT_MET, UNKNOWN, alt, case, dated, fact, has, measure, patient, state
from tests.oracle.days import add, first_day_within, possible_births, subtract
from tests.oracle.oracle import criterion_states

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
    assert dated(leaf, 400, birth_date=None, age="P3Y") == [
        ("2025-11-22", NOT_MET),
        ("2025-11-23", UNKNOWN),
        ("2026-11-22", MET),
    ]


def test_a_window_includes_the_anniversary_and_ends_on_the_day_after():
    leaf = has("CLEIO:live_vaccine", within="P4W", domain="immunizations")
    complete = [{"domain": "immunizations", "from": "2020-01-01", "to": "2026-12-31"}]
    vaccine = fact("immunization", ["CLEIO:yellow_fever_vaccine"], date="2025-11-10")
    assert dated(leaf, 40, vaccine, domains_complete=complete) == [("2025-11-22", MET), ("2025-12-09", UNKNOWN)]
    lately = fact("immunization", ["CLEIO:yellow_fever_vaccine"], date="2025-10-27")
    assert dated(leaf, 5, lately, domains_complete=complete) == [("2025-11-22", MET), ("2025-11-25", UNKNOWN)]
    earlier = {**lately, "date": "2025-10-26"}
    assert dated(leaf, 5, earlier, domains_complete=complete) == [
        ("2025-11-22", MET),
        ("2025-11-24", NOT_MET),
        ("2025-11-25", UNKNOWN),
    ]


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
    assert dated(leaf, 1500, birth_date="2021-12-20") == [
        ("2025-11-22", NOT_MET),
        ("2025-12-20", MET),
        ("2029-12-20", NOT_MET),
    ]
    birthday = {"type": "age", "max": "P4Y"}
    assert state({**birthday, "max_inclusive": True}, birth_date="2021-11-22")[0] == MET
    assert state(birthday, birth_date="2021-11-22")[0] == NOT_MET
    assert state({"type": "age", "min": "P4Y", "min_inclusive": False}, birth_date="2021-11-22")[0] == NOT_MET


def test_a_registry_age_is_unclear_for_the_year_after():
    leaf = {"type": "age", "max": "P35Y", "max_unclear_until": "P36Y"}
    assert dated(leaf, 500, birth_date="1990-12-01") == [
        ("2025-11-22", MET),
        ("2025-12-01", UNKNOWN),
        ("2026-12-01", NOT_MET),
    ]


def test_age_at_dosing_is_that_of_the_day_plus_the_lead_time_or_of_the_dosing_date():
    document = {
        "lead_time": "P1M",
        "criteria": [{"id": "I1", "kind": "include", "expr": {"type": "age", "min": "P4Y", "at": "dosing"}}],
    }
    child = patient(birth_date="2021-12-22")
    assert criterion_states(case(document, child), AS_OF)["I1"][0] == MET
    assert criterion_states(case(document, child), AS_OF - timedelta(days=1))["I1"][0] == NOT_MET
    assert criterion_states(case(document, child, dosing_date=date(2025, 12, 21)), AS_OF)["I1"][0] == NOT_MET


def test_sex_unknown_is_missing_and_other_needs_a_person():
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
def test_codes_are_inherited_and_denied_downwards(codes, status, expected):
    now, _last_known, _best_case, reason = state(has(), fact(codes=codes, status=status, date="2024-01-01"))
    assert (now, reason) == expected


def test_descendants_false_requires_the_code_itself():
    assert state(has(descendants=False), fact(codes=["ORPHA:111"], date="2024-01-01"))[0] == UNKNOWN
    assert state(has(descendants=False), fact(codes=["MONDO:110"], date="2024-01-01"))[0] == MET


def test_a_denial_becomes_out_of_date_and_keeps_its_last_value():
    leaf = has("CLEIO:any-infection", within="P6M")
    negative = fact("observation", ["CLEIO:any-infection"], status="absent", date="2025-05-23")
    assert state(leaf, negative, day=date(2025, 11, 23)) == (NOT_MET, NOT_MET, UNKNOWN, None)
    assert state(leaf, negative, day=date(2025, 11, 24)) == (UNKNOWN, NOT_MET, UNKNOWN, "stale")
    positive = fact("observation", ["CLEIO:any-infection"], date="2025-05-24")
    assert state(leaf, negative, positive, day=date(2026, 3, 1)) == (UNKNOWN, UNKNOWN, UNKNOWN, "stale")
    undated = {name: value for name, value in negative.items() if name != "date"}
    assert state(leaf, undated) == (UNKNOWN, NOT_MET, UNKNOWN, "partial_detail")


def test_a_presence_denied_on_the_same_day_or_later_is_a_conflict():
    yes, no = fact(date="2024-05-01"), fact(status="absent", date="2024-05-01")
    assert state(has(), yes, no)[3] == "conflict"
    assert state(has(), yes, {**no, "date": "2024-04-30"})[0] == MET


def test_a_partial_date_decides_only_if_all_its_days_agree():
    leaf = has("CLEIO:transplant", within="P1Y")
    assert state(leaf, fact("procedure", ["CLEIO:transplant"], date="2024-12"))[0] == MET
    assert state(leaf, fact("procedure", ["CLEIO:transplant"], date="2024-11"))[3] == "partial_detail"
    assert state(leaf, fact("procedure", ["CLEIO:transplant"], date="2024-10"))[3] == "stale"


@pytest.mark.parametrize(
    ("to", "expected"), [("2025-11-22", NOT_MET), ("2025-11-19", NOT_MET), ("2025-11-18", UNKNOWN)]
)
def test_a_complete_domain_decides_except_for_a_tenth_of_the_window(to, expected):
    complete = [{"domain": "procedures", "from": "2025-10-23", "to": to}]
    assert state(has("CLEIO:transplant", within="P30D", domain="procedures"), domains_complete=complete)[0] == expected


def test_a_complete_domain_leaves_at_most_31_days_open_and_touching_ones_are_joined():
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
    assert (
        state(ever, domains_complete=[{"domain": "procedures", "from": "2010-05-01", "to": "2025-10-22"}])[0] == NOT_MET
    )
    assert (
        state(ever, domains_complete=[{"domain": "procedures", "from": "2010-05-02", "to": "2025-10-22"}])[0] == UNKNOWN
    )
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
    begun_by_today = fact("medication", ["ATC:H02AB06"], end="2026-06-01")
    assert dated(lasting, 100, begun_by_today) == [("2025-11-22", UNKNOWN), ("2026-02-22", MET)]


def test_a_relative_is_not_the_patient():
    brother = fact("condition", date="2020-01-01", relative="sibling")
    assert state(has(), brother)[3] == "missing"
    assert state(has(relative="sibling"), brother)[0] == MET


# --- measurements -----------------------------------------------------------------------------------------------------


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
    now, _last_known, _best_case, reason = state(
        alt(), measure(number, "2025-11-01", unit=unit, **({"ref_high": high} if high else {}))
    )
    assert (now, reason) == expected


def test_units_convert_exactly_or_not_at_all():
    leaf = {"type": "value", "codes": ["LOINC:1742-6"], "op": "<", "value": 120, "unit": "U/L"}
    assert state(leaf, measure(2, "2025-11-01", unit="ukat/L"))[0] == NOT_MET
    assert state(leaf, measure(1.999, "2025-11-01", unit="ukat/L"))[0] == MET
    assert state(leaf, measure(1, "2025-11-01", unit="mg/dL"))[3] == "unit"
    assert state(leaf, measure(1, "2025-11-01"))[3] == "unit"


def test_the_latest_measurement_counts_until_it_is_stale_and_then_keeps_its_last_value():
    leaf = alt(within="P3M")
    bad, good = measure(200, "2025-09-01", ref_high=35), measure(60, "2025-08-22", ref_high=35)
    assert state(leaf, bad, good) == (NOT_MET, NOT_MET, UNKNOWN, None)
    assert state(leaf, bad, good, day=date(2025, 12, 2)) == (UNKNOWN, NOT_MET, UNKNOWN, "stale")
    assert state(leaf, good) == (MET, MET, UNKNOWN, None)
    assert state(leaf, good, day=date(2025, 11, 23)) == (UNKNOWN, MET, UNKNOWN, "stale")
    assert state(leaf, {**good, "date": "2025-09-01"}, bad)[3] == "conflict"
    assert state(leaf, {**good, "date": "2025-10"}, bad)[0] == MET
    assert state(leaf, {**good, "date": "2025-09"}, bad)[3] == "partial_detail"


def test_any_and_all_measurements():
    bad, good = measure(200, "2025-09-01", ref_high=35), measure(60, "2025-10-01", ref_high=35)
    assert state(alt(pick="any"), bad, good)[0] == MET
    assert state(alt(pick="all"), bad, good)[0] == NOT_MET
    assert state(alt(pick="any"), bad)[3] == "missing"
    assert (
        state(
            alt(pick="any", domain="observations"),
            bad,
            domains_complete=[{"domain": "observations", "to": "2025-11-22"}],
        )[0]
        == NOT_MET
    )


def test_a_measurement_soon_after_a_transfusion_is_dropped():
    leaf = {
        "type": "value",
        "codes": ["LOINC:1742-6"],
        "op": ">",
        "value": 50,
        "not_after": [{"codes": ["CLEIO:blood-transfusion"], "for": "P7D", "domain": "procedures"}],
    }
    complete = [{"domain": "procedures", "from": "2020-01-01", "to": "2025-11-22"}]
    given = fact("procedure", ["CLEIO:blood-transfusion"], date="2025-10-25")
    assert state(leaf, measure(60, "2025-11-01"), given, domains_complete=complete)[3] == "missing"
    assert state(leaf, measure(60, "2025-11-02"), given, domains_complete=complete)[0] == MET
    assert state(leaf, measure(60, "2025-11-02"))[3] == "partial_detail"


@pytest.mark.parametrize(
    ("value", "comparator", "expected"),
    [
        (399, None, MET),
        (400, None, NOT_MET),
        (400, "<", MET),
        (400, "<=", UNKNOWN),
        (400, ">=", NOT_MET),
        (100, ">", UNKNOWN),
    ],
)
def test_titres_are_compared_as_reciprocals(value, comparator, expected):
    leaf = {"type": "titre", "codes": ["CLEIO:anti-aav9"], "op": "<", "reciprocal": 400, "assay": "elisa"}
    found = fact(
        "observation",
        ["CLEIO:anti-aav9"],
        value=value,
        date="2025-11-01",
        assay="elisa",
        **({"comparator": comparator} if comparator else {}),
    )
    assert state(leaf, found)[0] == expected
    assert state(leaf, {**found, "assay": "neutralisation"})[3] == "partial_detail"


def test_a_group_of_levels_counts_only_if_all_its_levels_would():
    leaf = {"type": "ordinal", "scale": "CLEIO:mgfa", "min": "IIa", "max": "IVa"}
    assert [
        state(leaf, fact("observation", ["CLEIO:mgfa"], value=level, date="2025-11-01"))[0]
        for level in ("I", "II", "IV", "IVb", "V", "x")
    ] == [
        NOT_MET,
        MET,
        UNKNOWN,
        NOT_MET,
        NOT_MET,
        UNKNOWN,
    ]


def test_answers_and_contradictory_answers():
    leaf = {"type": "human", "question": "q", "role": "clinician", "within": "P1M"}
    yes = {"id": "a", "kind": "answer", "question": "q", "answer": "yes", "date": "2025-11-01"}
    assert state(leaf, yes) == (MET, MET, UNKNOWN, None)
    assert state(leaf, yes, day=date(2025, 12, 2)) == (UNKNOWN, MET, UNKNOWN, "stale")
    assert state(leaf, yes, {**yes, "answer": "no"})[3] == "conflict"
    assert state(leaf)[3] == "needs_human"


# --- variant ----------------------------------------------------------------------------------------------------------


def test_an_assay_excludes_only_what_it_detects():
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
    assert (
        state({**leaf, "closed": False}, fact("variant", [], variant={**deletion, "exon_from": 46}))[3]
        == "partial_detail"
    )
    assert state(leaf, fact("variant", [], variant={**deletion, "significance": "uncertain"}))[3] == "partial_detail"
    assert state(leaf, fact("variant", [], variant={**deletion, "significance": "benign"}))[0] == UNKNOWN
    assert state(leaf, fact("variant", [], variant={"gene": "SMN1"}))[3] == "missing"


# --- stable -----------------------------------------------------------------------------------------------------------


def test_a_stable_dose_is_unchanged_long_enough_and_within_its_bounds():
    leaf = {"type": "stable", "codes": ["ATC:H02AB06"], "for": "P12W", "max": 10, "unit": "mg/d"}
    leaf["domain"] = "medications"
    drug = fact("medication", ["ATC:H02AB06"], start="2025-10-10", dose={"value": 10, "unit": "mg/d"})
    assert dated(leaf, 60, drug) == [("2025-11-22", NOT_MET), ("2026-01-02", MET)]
    before = {**drug, "start": "2025-01-01", "end": "2025-10-09"}
    assert state(leaf, before, drug)[0] == MET
    assert state(leaf, {**before, "dose": {"value": 5, "unit": "mg/d"}}, drug)[0] == NOT_MET
    assert state(leaf, {**drug, "start": "2025-01-01", "dose": {"value": 11, "unit": "mg/d"}})[0] == NOT_MET
    assert state(leaf, {**drug, "start": "2025-01-01", "dose": {"value": 1, "unit": "mL/d"}})[3] == "unit"
    assert state(leaf, {**drug, "start": "2025"})[3] == "partial_detail"
    assert (
        state(leaf, domains_complete=[{"domain": "medications", "from": "2025-08-30", "to": "2025-11-22"}])[0]
        == NOT_MET
    )


# --- the finer sentences ----------------------------------------------------------------------------------------------


def test_a_presence_is_a_conflict_only_if_every_one_of_them_is_contradicted():
    old, new, no = (
        fact(date="2022-01-01"),
        fact(codes=["ORPHA:111"], date="2025-01-01"),
        fact(status="absent", date="2023-01-01"),
    )
    assert state(has(), old, no)[3] == "conflict"
    assert state(has(), old, no, new)[0] == MET
    sub, no_sub = (
        fact(codes=["ORPHA:111"], date="2022-01-01"),
        fact(codes=["ORPHA:111"], status="absent", date="2023-01-01"),
    )
    assert state(has(), sub, no_sub)[3] == "conflict"
    assert state(has(), sub, {**no_sub, "codes": ["ORPHA:112"]})[0] == MET


def test_an_exclusive_condition_of_a_relative_or_a_more_general_code_has_no_effect():
    leaf = has("ORPHA:200")
    assert state(leaf, fact(codes=["ORPHA:111"], date="2020"))[0] == NOT_MET
    assert state(leaf, fact(codes=["ORPHA:100"], date="2020"))[0] == UNKNOWN
    assert state(leaf, fact(codes=["ORPHA:111"], date="2020", relative="sibling"))[0] == UNKNOWN
    assert state(leaf, fact(codes=["ORPHA:111"], date="2020", status="unconfirmed"))[0] == UNKNOWN


def count(op, value, **fields):
    return {"type": "count", "codes": ["CLEIO:severe_crisis"], "op": op, "value": value, "within": "P1Y", **fields}


def test_days_are_counted_once_and_an_undecided_event_may_or_may_not_count():
    complete = [{"domain": "encounters", "from": "2020-01-01", "to": "2025-11-22"}]
    crisis = fact("event", ["CLEIO:severe_crisis"], date="2025-11-01")
    leaf = count("<", 2, domain="encounters")
    assert state(leaf, crisis, crisis, domains_complete=complete)[0] == MET
    assert state(leaf, crisis, {**crisis, "status": "unconfirmed"}, domains_complete=complete)[0] == MET
    assert (
        state(leaf, crisis, {**crisis, "date": "2025-10-31", "status": "unconfirmed"}, domains_complete=complete)[3]
        == "partial_detail"
    )
    assert state(leaf, crisis, {**crisis, "date": "2025-10"}, domains_complete=complete)[0] == NOT_MET
    assert state(leaf, crisis, {**crisis, "date": "2024-11"}, domains_complete=complete)[3] == "partial_detail"
    assert state(leaf, crisis, {**crisis, "date": "2025-11"}, domains_complete=complete)[3] == "partial_detail"
    assert (
        state(leaf, crisis, {**crisis, "codes": ["CLEIO:crisis"], "date": "2025-10-01"}, domains_complete=complete)[3]
        == "partial_detail"
    )
    assert state(leaf, crisis)[3] == "missing"
    assert state(count(">=", 2), crisis, {**crisis, "date": "2024-11-21"})[3] == "stale"


def test_an_event_of_the_day_is_in_the_first_sub_window():
    today = fact("event", ["CLEIO:severe_crisis"], date="2025-11-22")
    before = {**today, "date": "2025-05-21"}
    assert state(count(">=", 1, each="P6M"), today, before)[0] == MET
    assert state(count(">=", 1, each="P6M"), today, {**before, "date": "2025-05-22"})[0] == UNKNOWN


def test_an_affected_measurement_is_dropped_even_beside_a_denial():
    leaf = {
        "type": "value",
        "codes": ["LOINC:1742-6"],
        "op": ">=",
        "value": 120,
        "not_after": [{"codes": ["CLEIO:blood-transfusion"], "for": "P4W"}],
    }
    given = fact("procedure", ["CLEIO:blood-transfusion"], date="2025-11-04")
    denied = {**given, "status": "absent", "date": "2025-11-12"}
    assert state(leaf, measure(180, "2025-11-18"), given, denied)[3] == "missing"
    assert state(leaf, measure(180, "2025-11-18"), denied)[0] == MET


def test_an_unconfirmed_result_decides_nothing_but_keeps_an_older_one_from_deciding():
    unsure = measure(200, "2025-11-01", ref_high=35, status="unconfirmed")
    assert state(alt(), unsure)[3] == "partial_detail"
    assert state(alt(), unsure, measure(60, "2025-10-01", ref_high=35))[3] == "partial_detail"
    assert state(alt(), unsure, measure(60, "2025-11-02", ref_high=35))[0] == MET
    assert state(alt(), {**unsure, "status": "ordered"}, measure(60, "2025-10-01", ref_high=35))[0] == MET
    assert state(alt(within="P1M"), unsure, measure(60, "2025-10-01", ref_high=35))[3] == "stale"
    complete = [{"domain": "observations", "to": "2025-11-22"}]
    low = measure(200, "2025-10-01", ref_high=35)
    assert state(alt(pick="any", domain="observations"), low, unsure, domains_complete=complete)[3] == "partial_detail"


def test_an_unclear_medication_keeps_a_complete_domain_from_deciding():
    leaf = {"type": "stable", "codes": ["ATC:H02AB"], "for": "P12W", "domain": "medications"}
    complete = [{"domain": "medications", "to": "2025-11-22"}]
    for drug in (
        fact("medication", ["ATC:H02"], start="2025-01-01"),
        fact("medication", ["ATC:H02AB"], start="2025-01-01", status="unconfirmed"),
        fact("medication", ["ATC:H02AB"]),
    ):
        assert state(leaf, drug, domains_complete=complete)[3] == "partial_detail"
    assert (
        state(leaf, fact("medication", ["ATC:H02AB"], start="2025-01-01", end="2025-11-21"), domains_complete=complete)[
            0
        ]
        == NOT_MET
    )


def test_absent_variants_count_only_for_their_origin_and_type():
    leaf = {"type": "variant", "gene": "DMD", "types": ["deletion"]}
    absent = fact("variant", [], status="absent", variant={"gene": "DMD", "assay": "mlpa"})
    assert state({**leaf, "origin": "somatic"}, absent)[0] == UNKNOWN
    assert state(leaf, {**absent, "variant": {"gene": "DMD", "assay": "mlpa", "type": "duplication"}})[0] == UNKNOWN
    assert (
        state(leaf, {**absent, "variant": {"gene": "DMD", "assay": "mlpa", "exon_from": 3, "exon_to": 7}})[0] == UNKNOWN
    )
