"""Which criteria documents are accepted and refused, and where an error points."""

import json

import pytest
from pydantic import ValidationError

from shared.criteria.model import CriteriaDocument

MALE = {"type": "sex", "value": "male"}
SIGNED = {
    "grade": "signed",
    "authored_by": "Anne Martin",
    "signed_by": "Bruno Petit",
    "signed_at": "2025-11-01T09:00:00Z",
}


def document(expr=MALE, criterion=None, **fields):
    one = {"id": "c", "kind": "include", "expr": expr, **(criterion or {})}
    return {"trial": "NCT00000001", "grade": "registry", "criteria": [one], **fields}


def refused(raw):
    with pytest.raises(ValidationError) as raised:
        CriteriaDocument.model_validate(raw)
    return [
        ("/" + "/".join(map(str, error["loc"])) if error["loc"] else "", error["type"])
        for error in raised.value.errors()
    ]


def nested(levels):
    expr = MALE
    for _ in range(levels - 1):
        expr = {"not": expr}
    return expr


@pytest.mark.parametrize(
    ("expr", "errors"),
    [
        ({"type": "trend"}, [("/criteria/0/expr/type", "leaf_type_unknown")]),
        ({"type": "washout", "codes": ["ATC:L01FA01"]}, [("/criteria/0/expr", "washout_without_time")]),
        (
            {"type": "since", "codes": ["CLEIO:x"], "op": "=", "value": "P5Y"},
            [("/criteria/0/expr/op", "literal_error")],
        ),
        (
            {
                "type": "delta",
                "codes": ["CLEIO:x"],
                "op": ">",
                "value": 5,
                "over": "P6M",
                "basis": "relative",
                "unit": "%",
            },
            [("/criteria/0/expr", "unit_of_ratio")],
        ),
        (
            {"type": "computed", "formula": "mdrd", "op": ">", "value": 60},
            [("/criteria/0/expr/formula", "literal_error")],
        ),
        (
            {"type": "ratio", "numerator": ["CLEIO:x"], "denominator": [], "op": "<", "value": 1},
            [("/criteria/0/expr/denominator", "too_short")],
        ),
        ({"type": "score", "set": "CLEIO:x", "op": ">=", "value": 9}, [("/criteria/0/expr", "score_unknown")]),
        (
            {"type": "variant", "gene": "SMN1", "amenable_to": {"skip": 51}},
            [("/criteria/0/expr", "exon_skipping_gene")],
        ),
        (
            {"type": "age", "max": "P1Y", "max_unclear_until": "P2Y", "corrected": True},
            [("/criteria/0/expr", "age_unclear_corrected")],
        ),
        (
            {"all": [MALE, {"not": {"type": "sex", "value": "x"}}]},
            [("/criteria/0/expr/all/1/not/value", "literal_error")],
        ),
        ({"all": []}, [("/criteria/0/expr/all", "too_short")]),
        ({"some": [MALE]}, [("/criteria/0/expr", "expression_form")]),
        ("male", [("/criteria/0/expr", "expression_form")]),
        ({**MALE, "extra": 1}, [("/criteria/0/expr/extra", "extra_forbidden")]),
        ({"at_least": 2, "of": [MALE]}, [("/criteria/0/expr", "at_least_unreachable")]),
        ({"type": "age"}, [("/criteria/0/expr", "age_unbounded")]),
        ({"type": "has", "codes": []}, [("/criteria/0/expr/codes", "too_short")]),
        (
            {"type": "has", "codes": ["CLEIO:x"], "relative": "sibling", "domain": "conditions"},
            [("/criteria/0/expr", "domain_of_relative")],
        ),
        (
            {"type": "count", "codes": ["CLEIO:x"], "op": ">=", "value": 2, "within": "P2Y", "each": "P5M"},
            [("/criteria/0/expr", "each_not_whole")],
        ),
        ({"type": "ordinal", "scale": "CLEIO:mgfa", "in": ["VII"]}, [("/criteria/0/expr", "level_unknown")]),
        (nested(13), [("/criteria/0/expr", "expression_too_deep")]),
    ],
)
def test_an_error_points_into_the_intended_form(expr, errors):
    assert refused(document(expr)) == errors


def test_twelve_levels_are_allowed():
    CriteriaDocument.model_validate(document(nested(12)))


def test_five_hundred_leaves_and_no_more():
    many = [{"id": f"c{number}", "kind": "include", "expr": {"all": [MALE] * 100}} for number in range(5)]
    CriteriaDocument.model_validate(document(criteria=many))
    assert refused(document(criteria=[*many, {"id": "more", "kind": "include", "expr": MALE}])) == [
        ("", "leaves_too_many")
    ]


def test_the_messages_repeat_no_value():
    with pytest.raises(ValidationError) as raised:
        CriteriaDocument.model_validate(document({"type": "jeanne@example.org"}))
    assert "jeanne" not in json.dumps(raised.value.errors(include_input=False, include_url=False))


def test_grade_signed_needs_two_people():
    CriteriaDocument.model_validate(document(**SIGNED))
    assert refused(document(**{**SIGNED, "signed_by": " anne  MARTIN"})) == [("", "signed_by_author")]
    for key in ("authored_by", "signed_by", "signed_at"):
        assert refused(document(**{name: value for name, value in SIGNED.items() if name != key})) == [
            ("", "signature_missing")
        ]


def test_signed_criteria_are_inclusions_or_exclusions():
    CriteriaDocument.model_validate(document(criterion={"kind": "unclear"}, grade="registry"))
    assert refused(document(criterion={"kind": "unclear"}, **SIGNED)) == [("", "kind_unclear")]


@pytest.mark.parametrize(("number", "codes"), [("10001234565", []), ("10001234566", ["check_digit"])])
def test_the_rpps_number_of_the_signer_has_its_check_digit(number, codes):
    given = document(**SIGNED, signed_by_rpps=number)
    found = [] if number.endswith("5") else refused(given)
    assert [code for _, code in found] == codes
    assert refused(document(**SIGNED, signed_by_rpps=number[:-1]))[0][1] == "string_pattern_mismatch"


def test_ids_are_unique_and_cohorts_exist():
    one = {"id": "c", "kind": "include", "expr": MALE}
    assert refused(document(criteria=[one, one])) == [("", "id_duplicate")]
    assert refused(document(criterion={"cohorts": ["1"]})) == [("", "cohort_unknown")]


def test_a_document_is_the_same_after_writing_and_reading():
    raw = document(
        {"if": MALE, "then": {"any": [MALE]}, "else": {"type": "stable", "codes": ["ATC:H02AB"], "for": "P12W"}}
    )
    read = CriteriaDocument.model_validate(raw)
    assert CriteriaDocument.model_validate_json(read.model_dump_json(exclude_none=True)) == read
    assert set(read.model_dump(exclude_none=True)["criteria"][0]["expr"]) == {"if", "then", "else"}


def test_the_schema_names_every_form():
    schema = CriteriaDocument.model_json_schema()
    forms = {option["$ref"].rsplit("/", 1)[-1] for option in schema["$defs"]["Expression"]["anyOf"]}
    assert {
        "AllOf",
        "AnyOf",
        "AtLeast",
        "Not",
        "If",
        "Age",
        "Sex",
        "Has",
        "Variant",
        "Value",
        "Titre",
        "Ordinal",
        "Count",
        "Stable",
        "Human",
        "Washout",
        "Since",
        "Delta",
        "Computed",
        "Ratio",
        "Score",
    } == forms
    assert all(schema["$defs"][form]["additionalProperties"] is False for form in forms)
    fields = [(form, name, one) for form in forms for name, one in schema["$defs"][form]["properties"].items()]
    assert [(form, name) for form, name, one in fields if "description" not in one] == []
