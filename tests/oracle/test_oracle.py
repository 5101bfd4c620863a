"""The oracle itself, checked by hand: verdicts, the two worked patients, and the oracle against itself."""

from collections import Counter
from datetime import date, timedelta

from tests.oracle.by_hand import (
    AS_OF,
    KNOWN,
    MET,
    NOT_MET,
    UNKNOWN,
    alt,
    case,
    changes,
    dated,
    fact,
    has,
    include,
    measure,
    patient,
)
from tests.oracle.generator import build
from tests.oracle.oracle import criterion_states, listing, verdict_on
from tests.oracle.record import Record
from tests.oracle.spans import Span, settled, timeline, trial

# --- verdicts ---------------------------------------------------------------------------------------------------------


def verdicts(criteria, record, days, **fields):
    return changes(timeline({"criteria": criteria, **fields}, record, KNOWN, AS_OF, days))


def test_a_failed_measurement_that_grows_old_never_becomes_an_opening():
    document = {"criteria": [include(alt(within="P3M"), retest="P4W")]}
    result = trial(case(document, patient(measure(200, "2025-11-01", ref_high=35))), 400)
    assert changes(result["verdicts"]) == [(0, "not_now")]
    assert result["best"]["retest"] == date(2025, 11, 29)


def test_too_old_is_excluded_and_too_young_is_not_yet():
    leaf = {"type": "age", "min": "P4Y", "max": "P8Y"}
    result = trial(case({"lead_time": "P10W", "criteria": [include(leaf)]}, patient(birth_date="2021-12-20")), 1600)
    assert [(AS_OF + timedelta(days=at), verdict) for at, verdict in changes(result["verdicts"])] == [
        (AS_OF, "not_yet"),
        (date(2025, 12, 20), "compatible"),
        (date(2029, 12, 20), "excluded"),
    ]
    best = result["best"]
    assert (best["from"], best["until"], best["refer_before"]) == (
        date(2025, 12, 20),
        date(2029, 12, 20),
        date(2029, 10, 11),
    )


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


def test_the_best_cohort_decides_for_the_trial():
    document = {
        "cohorts": [{"id": "1"}, {"id": "2"}],
        "criteria": [
            include({"type": "age", "max": "P2Y"}, cohorts=["1"]),
            {**include({"type": "age", "min": "P2Y"}, cohorts=["2"]), "id": "x"},
        ],
    }
    assert trial(case(document, patient()), 1)["best"]["cohort"] == "2"
    assert trial(case(document, patient()), 1, recruiting={"1"})["best"]["cohort"] == "1"


def test_the_listing_rule():
    criteria = [include(has(), role="indication")]
    answers = [
        (),
        (fact(date="2020"),),
        (fact(codes=["ORPHA:100"], date="2020"),),
        (fact(codes=["ORPHA:200"], date="2020"),),
    ]
    assert [listing(case({"criteria": criteria}, patient(*facts))) for facts in answers] == [
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
    leaf = {
        "type": "count",
        "codes": ["CLEIO:severe_crisis"],
        "op": ">=",
        "value": 2,
        "within": "P2Y",
        "each": "P1Y",
        "domain": "encounters",
    }
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
        include(
            {
                "type": "count",
                "codes": ["CLEIO:severe_crisis"],
                "op": ">=",
                "value": 2,
                "within": "P2Y",
                "each": "P1Y",
                "domain": "encounters",
            }
        ),
        include(alt(within="P3M")),
        {"id": "E1", "kind": "exclude", "expr": has("CLEIO:gene_therapy", domain="procedures")},
    ]
    girl = patient(
        *crises(),
        measure(60, "2025-10-20", unit="U/L", ref_high=35),
        domains_complete=[{"domain": "encounters", "from": "2015-01-01", "to": "2025-11-22"}],
    )
    one = case({"criteria": criteria}, girl)
    assert [states[0] for states in criterion_states(one, AS_OF).values()] == [MET, MET, MET, UNKNOWN]
    assert trial(one, 1)["verdicts"] == ["possible"]


def test_the_boy_with_duchenne_opens_when_he_is_four_washed_out_and_twelve_weeks_stable():
    def none(code, **fields):
        return {"id": f"E{code}", "kind": "exclude", "expr": has(code, **fields)}

    criteria = [
        include({"type": "age", "min": "P4Y", "max": "P8Y"}),
        include({"type": "sex", "value": "male"}),
        include({"type": "variant", "gene": "DMD", "exons": {"within": [18, 79]}, "closed": True}),
        include({"type": "titre", "codes": ["CLEIO:anti-aav9"], "op": "<", "reciprocal": 400, "within": "P6M"}),
        include({"type": "stable", "codes": ["ATC:H02AB"], "for": "P12W", "domain": "medications"}),
        none("CLEIO:live_vaccine", within="P4W", domain="immunizations"),
        none("CLEIO:gene_therapy", domain="procedures"),
        none("CLEIO:hiv-positive"),
    ]
    boy = patient(
        fact(
            "variant",
            [],
            date="2024-03-01",
            variant={"gene": "DMD", "type": "deletion", "exon_from": 45, "exon_to": 52},
        ),
        fact("medication", ["ATC:H02AB06"], start="2025-10-10"),
        fact("immunization", ["CLEIO:live_vaccine"], date="2025-11-10"),
        fact("observation", ["CLEIO:hiv-positive"], status="absent", date="2025-10-01"),
        birth_date="2021-12-20",
        domains_complete=[
            {"domain": domain, "from": "2021-12-20", "to": "2025-11-22"}
            for domain in ("immunizations", "procedures", "medications")
        ],
    )
    one = case({"criteria": criteria}, boy)
    result = trial(one, 400)
    assert changes(result["verdicts"]) == [(0, "not_yet"), (41, "possible")]
    assert (result["best"]["from"], result["best"]["until"]) == (date(2026, 1, 2), date(2029, 12, 20))
    failing = [name for name, states in criterion_states(one, AS_OF).items() if states[0] == NOT_MET]
    assert len(failing) == 3


# --- the oracle against itself ----------------------------------------------------------------------------------------


def test_the_bounds_of_a_partial_date_are_those_of_trying_every_day():
    for text in ("2024-02", "2024"):
        for within in (None, "P1M", "P1Y"):
            for number in range(0, 800, 7):
                day = date(2024, 1, 1) + timedelta(days=number)
                record = Record({"facts": []}, date(2026, 12, 31), KNOWN.terminology)
                answers = set()
                for inner in range(366):
                    one = date(2024, 1, 1) + timedelta(days=inner)
                    if one.isoformat().startswith(text):
                        answers.add(record.begins_in_window({"date": one.isoformat()}, within, day))
                expected = answers.pop() if len(answers) == 1 else "maybe"
                assert record.begins_in_window({"date": text}, within, day) == expected


def test_after_the_settled_day_nothing_changes_and_each_day_alone_agrees():
    for seed in range(6):
        document, record, dosing_date = build(seed)
        one = case(document, record, dosing_date=dosing_date)
        cohort = (document.get("cohorts") or [{"id": "all"}])[0]["id"]
        short, long = Span(one, cohort), Span(one, cohort, settled(one) + timedelta(days=300))
        assert long.verdicts(len(long.days)) == short.verdicts(len(long.days))
        for place in (0, 3, 50, 200):
            assert verdict_on(one, cohort, long.days[place], long.days[-1]) == long.verdicts(place + 1)[place]


def test_the_generator_makes_every_verdict_and_reason():
    verdicts_seen, states, reasons, listings = Counter(), Counter(), Counter(), Counter()
    for seed in range(250):
        document, record, dosing_date = build(seed)
        one = case(document, record, dosing_date=dosing_date)
        for now, _last_known, _best_case, why in criterion_states(one, one.as_of).values():
            states[now] += 1
            reasons.update(why)
        listings[listing(one)] += 1
        if seed in {0, 1, 2, 4, 15}:  # one of each verdict
            verdicts_seen.update(trial(one, 2)["verdicts"])
    assert set(verdicts_seen) == {"compatible", "possible", "not_yet", "not_now", "excluded"}
    assert set(reasons) == {
        "missing",
        "stale",
        "unit",
        "no_reference_range",
        "partial_detail",
        "conflict",
        "needs_human",
    }
    assert set(listings) == {"listed", "undetermined", "not_indicated"}
    assert min(states.values()) > 100


def test_a_cohort_without_criteria_is_never_more_than_possible():
    document = {
        "cohorts": [{"id": "1"}, {"id": "2"}],
        "criteria": [include({"type": "age", "max": "P2Y"}, cohorts=["1"])],
    }
    result = trial(case(document, patient()), 1)
    assert [one["verdict"] for one in result["cohorts"]] == ["excluded", "possible"]


def test_the_retest_waits_for_every_fact_of_the_evidence():
    failing = {"any": [alt(within="P3M"), has("CLEIO:live_vaccine", within="P6M")]}
    facts = [
        measure(200, "2025-11-01", ref_high=35),
        fact("immunization", ["CLEIO:live_vaccine"], status="absent", date="2025-11-10"),
    ]
    result = trial(case({"criteria": [include(failing, retest="P4W")]}, patient(*facts)), 1)
    assert (result["best"]["verdict"], result["best"]["retest"]) == ("not_now", date(2025, 12, 8))
