"""What an answer says of the leaves that combine several facts: the question, the limits, and the facts wanted."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from services.matching.answers.details import limits_of
from services.matching.answers.questions import wanted_facts
from services.matching.answers.schemas import LimitAnswer, WantedFact
from services.matching.engine import question_code
from shared.criteria.expressions import Expression, Leaf
from shared.criteria.leaves import Age, Variant

WEIGHT = {"kind": "observation", "codes": ["CLEIO:body-weight"], "value": "number", "unit": "kg"}
CREATININE = {"kind": "observation", "codes": ["CLEIO:creatinine"], "value": "number", "unit": "mg/dL", "within": "P1M"}
# (leaf, code of the question, limits as (op, value, unit, basis), what is wanted)
CASES: list[tuple[dict[str, Any], str, list[tuple[Any, ...]], list[dict[str, Any]]]] = [
    (
        {"type": "washout", "codes": ["ATC:L01FA01"], "for": "P3M", "half_lives": 5, "domain": "medications"},
        "washout:ATC:L01FA01",
        [(">=", "P3M", None, "last_dose"), (">=", 5, None, "half_lives")],
        [
            {
                "kind": "medication",
                "codes": ["ATC:L01FA01"],
                "statuses": ["present", "absent"],
                "value": "last_day",
                "within": "P3M",
                "domain": "medications",
            }
        ],
    ),
    (
        {"type": "washout", "codes": ["ATC:L04AB"], "half_lives": 2.5},
        "washout:ATC:L04AB",
        [(">=", 2.5, None, "half_lives")],
        [{"kind": "medication", "codes": ["ATC:L04AB"], "value": "last_day", "within": "P35D"}],
    ),
    (
        {"type": "since", "codes": ["HP:0002015", "HP:0001324"], "op": "<=", "value": "P5Y"},
        "since:HP:0001324+HP:0002015",
        [("<=", "P5Y", None, "first_event")],
        [
            {"kind": "observation", "codes": [code], "statuses": ["present", "absent"], "value": "first_day"}
            for code in ("HP:0002015", "HP:0001324")
        ],
    ),
    (
        {"type": "delta", "codes": ["CLEIO:mrss"], "op": ">=", "value": 3, "over": "P6M", "within": "P1M"},
        "delta:CLEIO:mrss",
        [(">=", 3, None, "change")],
        [
            {
                "codes": ["CLEIO:mrss"],
                "value": "number",
                "within": "P1M",
                "over": "P6M",
                "comparisons": [{"op": ">=", "value": 3, "basis": "change"}],
            }
        ],
    ),
    (
        {"type": "computed", "formula": "bmi", "op": "<", "value": 30},
        "computed:bmi",
        [("<", 30, "kg/m2", "absolute")],
        [WEIGHT, {"codes": ["CLEIO:body-height"], "unit": "m"}],
    ),
    (
        {"type": "computed", "formula": "egfr_ckd_epi_2021", "op": ">=", "value": 60, "within": "P1M"},
        "computed:egfr_ckd_epi_2021",
        [(">=", 60, "mL/min/{1.73_m2}", "absolute")],
        [CREATININE, {"field": "birth_date", "kind": None}, {"field": "sex", "values": ["male", "female"]}],
    ),
    (
        {"type": "ratio", "numerator": ["CLEIO:ast"], "denominator": ["CLEIO:alt"], "op": ">", "value": 1.5},
        "ratio:CLEIO:ast/CLEIO:alt",
        [(">", 1.5, None, "ratio")],
        [{"codes": ["CLEIO:ast"], "value": "number"}, {"codes": ["CLEIO:alt"], "value": "number"}],
    ),
    (
        {"type": "score", "set": "CLEIO:acr-eular-2013-ssc", "op": ">=", "value": 9},
        "score:CLEIO:acr-eular-2013-ssc",
        [(">=", 9, None, "points")],
        [{"codes": ["CLEIO:acr-eular-2013-ssc"], "value": "number", "kind": "observation"}],
    ),
]


@pytest.mark.parametrize(("raw", "code", "limits", "facts"), CASES)
def test_a_leaf_of_several_facts(
    raw: dict[str, Any], code: str, limits: list[tuple[Any, ...]], facts: list[dict[str, Any]]
) -> None:
    leaf: Leaf = TypeAdapter(Expression).validate_python(raw)
    assert question_code(leaf) == code
    given = limits_of(leaf)
    assert [tuple(LimitAnswer.model_validate(one).model_dump().values()) for one in given] == limits
    wanted = wanted_facts([leaf], has_lead_time=True)
    for one in wanted:
        WantedFact.model_validate(one)
    assert [{name: one[name] for name in part} for one, part in zip(wanted, facts, strict=True)] == facts


def test_a_corrected_age_asks_for_the_gestation() -> None:
    leaf = Age(type="age", min="P2M", corrected=True)
    assert question_code(leaf) == "corrected_age"
    assert [one["field"] for one in wanted_facts([leaf], has_lead_time=True)] == ["birth_date", "gestation"]


def test_exon_skipping_asks_for_the_exons() -> None:
    leaf = Variant.model_validate({"type": "variant", "gene": "DMD", "amenable_to": {"skip": 51}})
    (wanted,) = wanted_facts([leaf], has_lead_time=True)
    assert wanted["variant"]["amenable_to"] == {"skip": 51}
    WantedFact.model_validate(wanted)
