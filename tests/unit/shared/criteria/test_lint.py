"""Each remark of the lint on a document that has the fault, and none on one that does not."""

import pytest

from shared.criteria.lint import RegistryRecord, lint
from shared.criteria.model import CriteriaDocument
from shared.terminology.graph import State, Terminology

TEXT = {"fr": "Garçon.", "en": "Male."}
MALE = {"type": "sex", "value": "male"}
TERMINOLOGY = Terminology(
    {"CLEIO:pregnancy-by-ultrasound": ["CLEIO:pregnancy"]},
    children={"CLEIO:steroid": ["ATC:H02AB07", "ATC:H02AB13"], "CLEIO:biologic": ["ATC:L01FA01"]},
    codes=["CLEIO:other", "CLEIO:creatinine", "CLEIO:ast", "CLEIO:alt", "CLEIO:platelets"],
    states={"CLEIO:pregnancy": State("passing", "P42W"), "CLEIO:stroke": State("event")},
)
AGE = {"type": "age", "min": "P4Y", "max": "P8Y"}


def found(*criteria, terminology=None, record=None, **fields):
    default = {"kind": "include", "text": TEXT, "role": "indication"}
    lines = [{"id": f"c{number}", **default, **criterion} for number, criterion in enumerate(criteria)]
    signed = {"grade": "signed", "authored_by": "A", "signed_by": "B", "signed_at": "2025-11-01T09:00:00Z"}
    document = CriteriaDocument.model_validate({"trial": "T1", **signed, **fields, "criteria": lines})
    return [(finding.pointer, finding.code) for finding in lint(document, terminology, record)]


@pytest.mark.parametrize(
    "expr",
    [
        {"type": "has", "codes": ["CLEIO:pregnancy"], "evidence_within": "P1W"},
        {"type": "has", "codes": ["CLEIO:pregnancy"], "within": "P1M"},
        {"type": "has", "codes": ["CLEIO:stroke"]},
        {"type": "stable", "codes": ["ATC:H02AB"], "for": "P8W"},
        {"type": "stable", "codes": ["ATC:H02AB07"], "for": "P8W", "max": 40, "unit": "mg/d"},
        {
            "type": "stable",
            "codes": ["ATC:H02AB"],
            "for": "P8W",
            "max": 40,
            "unit": "mg/d",
            "equivalent": "prednisone",
        },
        {"type": "washout", "codes": ["ATC:L04AB", "CLEIO:biologic"], "for": "P3M", "half_lives": 5},
        {"type": "washout", "codes": ["CLEIO:other"], "for": "P3M"},
        {
            "type": "since",
            "codes": ["CLEIO:stroke", "CLEIO:pregnancy"],
            "op": "<",
            "value": "P5Y",
            "domain": "conditions",
        },
        {"type": "since", "codes": ["CLEIO:stroke", "CLEIO:pregnancy"], "op": ">=", "value": "P5Y"},
        {"type": "delta", "codes": ["CLEIO:creatinine"], "op": "<=", "value": 0.3, "unit": "mg/dL", "over": "P6M"},
        {"type": "computed", "formula": "bmi", "op": "<", "value": 30},
        {"type": "ratio", "numerator": ["CLEIO:ast"], "denominator": ["CLEIO:alt"], "op": ">", "value": 1},
        {"type": "score", "set": "CLEIO:acr-eular-2013-ssc", "op": ">=", "value": 9},
        {"type": "age", "min": "P2M", "max": "P2Y", "corrected": True},
        {"type": "variant", "gene": "DMD", "types": ["deletion"], "amenable_to": {"skip": 51}},
    ],
)
def test_a_leaf_that_says_what_it_asks_has_no_remarks(expr):
    assert found({"expr": expr}, terminology=TERMINOLOGY) == []


def test_a_good_document_has_no_remarks():
    record = RegistryRecord(minimum_age="P4Y", maximum_age="P7Y", sex="male")
    assert found({"expr": MALE}, {"expr": AGE}, record=record) == []


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ({"type": "age", "min": "P8Y", "max": "P4Y"}, ("/criteria/0/expr", "bounds_contradictory")),
        (
            {"type": "age", "max": "P8Y", "max_unclear_until": "P8Y"},
            ("/criteria/0/expr/max_unclear_until", "bounds_contradictory"),
        ),
        ({"type": "age", "max": "P8Y", "at": "dosing"}, ("/criteria/0/expr/at", "lead_time_missing")),
        (
            {"type": "has", "codes": ["CLEIO:pregnancy"]},
            ("/criteria/0/expr/evidence_within", "evidence_window_missing"),
        ),
        (
            {"type": "has", "codes": ["CLEIO:pregnancy-by-ultrasound"]},
            ("/criteria/0/expr/evidence_within", "evidence_window_missing"),
        ),
        (
            {"type": "stable", "codes": ["ATC:H02AB"], "for": "P8W", "max": 40, "unit": "mg/d"},
            ("/criteria/0/expr/codes/0", "dose_of_class"),
        ),
        (
            {"type": "stable", "codes": ["ATC:H02AB07", "CLEIO:steroid"], "for": "P8W", "max": 40, "unit": "mg/d"},
            ("/criteria/0/expr/codes/1", "dose_of_class"),
        ),
        (
            {"type": "value", "codes": ["CLEIO:x"], "op": "<", "value": 1, "unit": "furlong"},
            ("/criteria/0/expr/unit", "unit_unknown"),
        ),
        (
            {"type": "value", "codes": ["CLEIO:alt"], "op": "<", "value": 1, "unit": "g/L"},
            ("/criteria/0/expr/unit", "unit_unfit"),
        ),
        (
            {"type": "value", "codes": ["CLEIO:platelets"], "op": ">=", "value": 50},
            ("/criteria/0/expr/unit", "unit_unfit"),
        ),
        (
            {"type": "ordinal", "scale": "CLEIO:mgfa", "min": "IV", "max": "II"},
            ("/criteria/0/expr", "bounds_contradictory"),
        ),
        (
            {"type": "variant", "gene": "DMD", "exons": {"within": [79, 18]}},
            ("/criteria/0/expr/exons", "bounds_contradictory"),
        ),
        (
            {
                "all": [
                    {"type": "value", "codes": ["CLEIO:n"], "op": op, "value": value}
                    for op, value in ((">", 29), ("<", 16))
                ]
            },
            ("/criteria/0/expr", "bounds_contradictory"),
        ),
        (
            {
                "all": [
                    {"type": "computed", "formula": "bmi", "op": op, "value": value}
                    for op, value in ((">", 30), ("<=", 18))
                ]
            },
            ("/criteria/0/expr", "bounds_contradictory"),
        ),
        (
            {"type": "ratio", "numerator": ["CLEIO:ast"], "denominator": ["CLEIO:no"], "op": ">", "value": 1},
            ("/criteria/0/expr/denominator/0", "code_unknown"),
        ),
        (
            {"type": "ratio", "numerator": ["CLEIO:ast"], "denominator": ["CLEIO:ast"], "op": ">", "value": 1},
            ("/criteria/0/expr/denominator", "ratio_of_itself"),
        ),
        (
            {"type": "ratio", "numerator": ["CLEIO:ast"], "denominator": ["CLEIO:platelets"], "op": ">", "value": 1},
            ("/criteria/0/expr/denominator", "ratio_not_comparable"),
        ),
        (
            {"type": "ratio", "numerator": ["CLEIO:ast"], "denominator": ["CLEIO:alt"], "op": ">=", "value": 0},
            ("/criteria/0/expr/value", "bound_without_effect"),
        ),
        (
            {"type": "computed", "formula": "bmi", "op": ">=", "value": 0.3},
            ("/criteria/0/expr/value", "bound_without_effect"),
        ),
        (
            {"type": "score", "set": "CLEIO:acr-eular-2013-ssc", "op": ">=", "value": 90},
            ("/criteria/0/expr/value", "bound_without_effect"),
        ),
        (
            {"type": "delta", "codes": ["CLEIO:alt"], "op": ">", "value": 3, "unit": "g/L", "over": "P6M"},
            ("/criteria/0/expr/unit", "unit_unfit"),
        ),
        (
            {"type": "delta", "codes": ["CLEIO:x"], "op": ">=", "value": 0, "over": "P6M"},
            ("/criteria/0/expr/value", "change_not_asked"),
        ),
        (
            {"type": "delta", "codes": ["CLEIO:x"], "op": "<", "value": -120, "over": "P6M", "basis": "relative"},
            ("/criteria/0/expr/value", "bound_without_effect"),
        ),
        (
            {"type": "washout", "codes": ["CLEIO:biologic", "CLEIO:other"], "half_lives": 5},
            ("/criteria/0/expr/codes/1", "half_life_unknown"),
        ),
        (
            {"type": "since", "codes": ["CLEIO:stroke", "CLEIO:pregnancy"], "op": "<", "value": "P5Y"},
            ("/criteria/0/expr/domain", "first_event_unknown"),
        ),
        ({"type": "age", "min": "P4Y", "corrected": True}, ("/criteria/0/expr/corrected", "corrected_late")),
        (
            {"type": "variant", "gene": "DMD", "types": ["duplication"], "amenable_to": {"skip": 51}},
            ("/criteria/0/expr/amenable_to", "skipping_without_deletion"),
        ),
    ],
)
def test_a_leaf_that_cannot_be_intended(expr, expected):
    assert expected in found({"expr": expr}, terminology=TERMINOLOGY)


def test_codes_are_checked_against_the_terminology():
    leaf = {"type": "has", "codes": ["CLEIO:a", "CLEIO:b"]}
    assert found({"expr": leaf}, terminology=Terminology(codes=["CLEIO:a"])) == [
        ("/criteria/0/expr/codes/1", "code_unknown")
    ]


def test_lines_of_the_document():
    cohorts = [{"id": "1", "label": TEXT}, {"id": "2", "label": TEXT}]
    assert found({"expr": MALE, "cohorts": ["1"]}, cohorts=cohorts) == [("/cohorts/1", "cohort_without_criteria")]
    assert found({"expr": MALE}, {"expr": MALE}) == [
        ("/criteria/0", "criterion_duplicate"),
        ("/criteria/1", "criterion_duplicate"),
    ]
    assert found({"expr": MALE}, grade="registry") == [("/grade", "unsigned")]
    assert found({"expr": MALE, "role": None}) == [("/criteria", "indication_missing")]
    assert found({"expr": MALE, "text": None}) == [("/criteria/0/text", "text_missing")]


def test_exclusion_phrased_as_inclusion():
    denied = {"fr": "Pas de greffe antérieure.", "en": "No previous transplant."}
    transplant = {"type": "has", "codes": ["CLEIO:hsct"]}
    assert found({"expr": transplant, "text": denied}) == [("/criteria/0/kind", "exclusion_as_inclusion")]
    assert found({"expr": {"not": transplant}, "text": denied}) == []
    assert found({"expr": {"not": transplant}, "kind": "exclude"}) == [("/criteria/0/expr", "negation_doubled")]


def test_a_washout_is_an_inclusion():
    washout = {"type": "washout", "codes": ["ATC:L01FA01"], "for": "P3M"}
    denied = {"fr": "Pas de rituximab dans les 3 mois.", "en": "No rituximab within 3 months."}
    assert found({"expr": washout, "text": denied}) == []
    assert found({"expr": washout, "kind": "exclude"}) == [("/criteria/0/kind", "washout_excluded")]


def test_against_the_registry_record():
    assert found({"expr": AGE}, record=RegistryRecord(minimum_age="P5Y")) == [("/criteria", "age_mismatch")]
    assert found({"expr": MALE}, record=RegistryRecord(sex="all")) == [("/criteria", "sex_mismatch")]
    assert found({"expr": AGE}, record=RegistryRecord(sex="female")) == [("/criteria", "sex_mismatch")]
