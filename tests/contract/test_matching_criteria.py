"""Criteria documents are checked, and evaluated for one patient, over the API of matching."""

import json
from datetime import date
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from services.matching.criteria.endpoints import SMALL_BYTES
from services.matching.criteria.schemas import DryRunAnswer
from tests.contract.matching import BOY, CRITERIA, FACT

pytestmark = pytest.mark.anyio

CHECK = "/matching/v1/criteria/check"
DRY_RUN = "/matching/v1/criteria/dry-run"
SECRET = "Zyxwvutsr"


def changed(index: int, **fields: Any) -> dict[str, Any]:
    lines = [dict(one) for one in CRITERIA["criteria"]]
    lines[index] |= fields
    return {**CRITERIA, "criteria": lines}


async def test_a_good_document_has_no_findings_and_a_doubtful_one_has_located_findings(
    matching_client: httpx.AsyncClient,
) -> None:
    sound = (await matching_client.post(CHECK, json=CRITERIA)).json()
    assert (sound["findings"], sound["errors"]) == ([], 0)
    doubtful = changed(1, expr={"type": "age", "min": "P8Y", "max": "P4Y"})
    result = (await matching_client.post(CHECK, json=doubtful)).json()
    assert result["errors"] == 1
    assert {(one["code"], one["pointer"].split("/expr")[0]) for one in result["findings"]} == {
        ("bounds_contradictory", "/criteria/1")
    }
    unknown = (await matching_client.post(CHECK, json=changed(0, expr={"type": "has", "codes": ["ORPHA:1"]}))).json()
    assert {one["code"] for one in unknown["findings"]} == {"code_unknown"}


async def test_a_large_document_is_checked_like_a_small_one(matching_client: httpx.AsyncClient) -> None:
    exprs = [{"type": "has", "codes": [f"ORPHA:{9_700_000 + 100 * n + m}" for m in range(100)]} for n in range(9)]
    unknown = [{**CRITERIA["criteria"][0], "id": f"X{n}", "role": None, "expr": expr} for n, expr in enumerate(exprs)]
    large = {**CRITERIA, "criteria": [*CRITERIA["criteria"], *unknown]}
    assert len(json.dumps(large)) > SMALL_BYTES
    found = (await matching_client.post(CHECK, json=large)).json()
    assert sum(one["code"] == "code_unknown" for one in found["findings"]) == found["errors"] == 900
    refused = await matching_client.post(CHECK, json={**large, "grade": "x"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/grade")


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (changed(0, kindd="include"), "/criteria/0/kindd"),
        (changed(1, expr={"type": "age", "min": "P4Y", "maxx": "P8Y"}), "/criteria/1/expr/maxx"),
        (changed(1, expr={"type": "aged"}), "/criteria/1/expr/type"),
        ({name: value for name, value in CRITERIA.items() if name != "signed_by"}, ""),
        ({**CRITERIA, "signed_by": " a. MARTIN "}, ""),
    ],
)
async def test_a_malformed_document_is_refused_with_its_place(
    matching_client: httpx.AsyncClient, document: dict[str, Any], pointer: str
) -> None:
    response = await matching_client.post(CHECK, json=document)
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, pointer)
    assert "MARTIN" not in response.text


async def test_a_dry_run_evaluates_a_document_for_a_patient_without_the_indication(
    matching_client: httpx.AsyncClient,
) -> None:
    response = await matching_client.post(DRY_RUN, json={"criteria": CRITERIA, "patient": BOY})
    assert response.status_code == 200, response.text
    answer = TypeAdapter(DryRunAnswer).validate_json(response.content)
    assert (answer.listing, answer.verdict, answer.from_) == ("undetermined", "not_yet", date(2025, 12, 20))
    assert [(one.id, one.role, one.state) for one in answer.criteria] == [
        ("I1", "indication", "unknown"),
        ("I2", None, "not_met"),
    ]
    boy = {**BOY, "birth_date": "2020-12-20", "facts": [FACT]}
    listed = (await matching_client.post(DRY_RUN, json={"criteria": CRITERIA, "patient": boy})).json()
    assert (listed["listing"], listed["verdict"], listed["until"]) == ("listed", "compatible", "2028-12-20")


async def test_a_dry_run_refuses_an_identifiable_patient(matching_client: httpx.AsyncClient) -> None:
    response = await matching_client.post(DRY_RUN, json={"criteria": CRITERIA, "patient": {**BOY, "prénom": SECRET}})
    assert (response.status_code, response.json()["code"]) == (422, "identifier_forbidden")
    assert SECRET not in response.text
    assert response.json()["errors"][0]["pointer"] == "/patient/prénom"
    wrong = await matching_client.post(DRY_RUN, json={"criteria": CRITERIA, "patient": {"sex": "mail"}})
    assert wrong.json()["errors"][0]["pointer"] == "/patient/sex"


async def test_each_criterion_says_what_was_asked_what_was_found_and_the_limit(
    matching_client: httpx.AsyncClient,
) -> None:
    asked = {"type": "value", "codes": ["LOINC:1742-6"], "op": "<=", "value": 40, "unit": "U/L", "within": "P3M"}
    found = {"id": "alt", "kind": "observation", "codes": ["LOINC:1742-6"], "value": 75.5, "unit": "U/L"}
    patient = {**BOY, "facts": [{**found, "date": "2025-11-01"}]}
    answer = await matching_client.post(DRY_RUN, json={"criteria": changed(1, expr=asked), "patient": patient})
    criterion = answer.json()["criteria"][1]
    assert criterion["state"] == "not_met"
    assert criterion["asks"]["en"].endswith("≤ 40 U/L, within the past 3 months")
    (detail,) = criterion["details"]
    assert detail["limits"] == [{"op": "<=", "value": 40, "unit": "U/L", "basis": "absolute"}]
    assert [(one["fact"], one["value"], one["unit"], one["date"]) for one in detail["found"]] == [
        ("alt", 75.5, "U/L", "2025-11-01")
    ]


async def test_a_formula_shows_its_inputs_and_its_value(matching_client: httpx.AsyncClient) -> None:
    asked = {"type": "computed", "formula": "bmi", "op": "<", "value": 30}
    weight = {"id": "kg", "kind": "observation", "codes": ["LOINC:29463-7"], "value": 18, "unit": "kg"}
    height = {"id": "cm", "kind": "observation", "codes": ["LOINC:8302-2"], "value": 105, "unit": "cm"}
    bmi = {"id": "bmi", "kind": "observation", "codes": ["LOINC:39156-5"], "value": 16, "unit": "kg/m2"}
    facts = [{**one, "date": "2025-11-01"} for one in (weight, height)]
    for more, ids, computed in (
        ([], ["cm", "kg"], {"value": 16.326531, "unit": "kg/m2"}),
        ([{**bmi, "date": "2025-11-02"}], ["bmi"], None),
    ):
        body = {"criteria": changed(1, expr=asked), "patient": {**BOY, "facts": [*facts, *more]}}
        (detail,) = (await matching_client.post(DRY_RUN, json=body)).json()["criteria"][1]["details"]
        assert detail["state"] == "met"
        assert [one["fact"] for one in detail["found"]] == ids
        assert detail["computed"] == computed


async def test_a_fall_and_a_ratio_are_shown(matching_client: httpx.AsyncClient) -> None:
    change = {"type": "delta", "codes": ["CLEIO:alt"], "op": "<", "value": 0, "basis": "relative", "over": "P6M"}
    ratio = {"type": "ratio", "numerator": ["CLEIO:ast"], "denominator": ["CLEIO:alt"], "op": ">", "value": 1}
    facts = [
        {"id": name, "kind": "observation", "codes": [code], "value": value, "unit": "U/L", "date": date}
        for name, code, value, date in (
            ("old", "CLEIO:alt", 90, "2025-09-01"),
            ("alt", "CLEIO:alt", 60, "2025-11-01"),
            ("ast", "CLEIO:ast", 100, "2025-11-01"),
        )
    ]
    for asked, computed in (
        (change, {"value": -33.333333, "unit": "%"}),
        (ratio, {"value": 1.6666667, "unit": None}),
    ):
        body = {"criteria": changed(1, expr=asked), "patient": {**BOY, "facts": facts}}
        (detail,) = (await matching_client.post(DRY_RUN, json=body)).json()["criteria"][1]["details"]
        assert (detail["state"], detail["computed"]) == ("met", computed)


async def test_a_corrected_age_reads_the_gestation(matching_client: httpx.AsyncClient) -> None:
    asked = {"type": "age", "min": "P4Y11M", "corrected": True}
    born = {"as_of": "2025-11-22", "birth_date": "2020-12-20"}
    for patient, state in (
        (born, "unknown"),
        ({**born, "gestation": "P40W"}, "met"),
        ({**born, "gestation": "P30W4D"}, "not_met"),
    ):
        body = {"criteria": changed(1, expr=asked), "patient": patient}
        criterion = (await matching_client.post(DRY_RUN, json=body)).json()["criteria"][1]
        assert criterion["state"] == state
        assert ("#gestation" in criterion["evidence"]) == ("gestation" in patient)


@pytest.mark.parametrize("value", ["positive", 12.5])
async def test_a_falsified_result_is_shown_with_what_falsified_it(
    matching_client: httpx.AsyncClient, value: str | float
) -> None:
    asked = {"type": "has", "codes": ["CLEIO:hiv-positive"]}
    result = {"id": "hiv", "kind": "observation", "codes": ["LOINC:7917-8"], "value": value, "date": "2022-02-01"}
    patient = {**BOY, "birth_date": "2021-12-20", "facts": [result]}
    answer = await matching_client.post(DRY_RUN, json={"criteria": changed(1, expr=asked), "patient": patient})
    (detail,) = answer.json()["criteria"][1]["details"]
    (found,) = detail["found"]
    assert (detail["state"], found["value"]) == ("unknown", value)
    assert found["not_counted"]["en"] == "antibodies of the mother against HIV and hepatitis C in an infant"
    assert found["not_counted"]["fr"] == "anticorps de la mère contre le VIH et l'hépatite C chez un nourrisson"
