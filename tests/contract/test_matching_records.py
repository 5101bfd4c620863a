"""Records of patients over the API: what is understood, what is reported, and many patients at once."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.matching.evaluations.schemas import MatchAnswer
from tests.contract.matching import BOY, DEMO, FACT, MATCH, example, found

pytestmark = pytest.mark.anyio

DRY_RUN = "/matching/v1/criteria/dry-run"
FHIR = {"Content-Type": "application/fhir+json"}
NDJSON = {"Content-Type": "application/x-ndjson"}
CASES = json.loads((Path(__file__).parent / "record_cases.json").read_text(encoding="utf-8"))
SECRET = "Zyxwvutsr"
DUCHENNE: dict[str, Any] = {
    "resourceType": "Condition",
    "subject": {"reference": "Patient/p"},
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"coding": [{"system": "http://www.orpha.net", "code": "98896"}], "text": SECRET},
}


def bundle(*resources: dict[str, Any], **patient: Any) -> dict[str, Any]:
    own = {"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "2019-03-14", **patient}
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in (own, *resources)]}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
async def test_a_record_is_understood(matching_client: httpx.AsyncClient, case: dict[str, Any]) -> None:
    criterion = {"id": "C", "kind": "include", "text": {"fr": "cas", "en": "case"}, "expr": case["expr"]}
    signed = {"grade": "signed", "authored_by": "A", "signed_by": "B", "signed_at": "2025-01-01T00:00:00Z"}
    sent = {"criteria": {"trial": "CASE-1", **signed, "criteria": [criterion]}, "patient": case["patient"]}
    response = await matching_client.post(DRY_RUN, params=case.get("query", {}), json=sent)
    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["criteria"][0]["state"] == case["expect"], case["why"]
    warned = [[one["pointer"], one["reason"]] for one in answer["warnings"]]
    assert [one for one in case["warnings"] if one not in warned] == []
    if not case["warnings"]:
        assert {reason for _, reason in warned} <= {"unknown_code", "entered_in_error"}


async def test_a_bundle_is_matched_and_its_identity_is_dropped(matching_client: httpx.AsyncClient) -> None:
    body = bundle(DUCHENNE, name=[{"family": SECRET}], identifier=[{"value": "1 85 05 78 006 084 91"}])
    response = await matching_client.post(f"{MATCH}?as_of=2025-11-22", content=json.dumps(body), headers=FHIR)
    assert response.status_code == 200, response.text
    answer = response.json()
    MatchAnswer.model_validate_json(response.content)
    diagnosis = next(one for one in found(answer, DEMO)["criteria"] if one["role"] == "indication")
    assert (diagnosis["state"], diagnosis["evidence"]) == ("met", ["entry/1/resource"])
    assert [(one["pointer"], one["reason"]) for one in answer["warnings"]] == [
        ("/entry/0/resource", "identity_dropped")
    ]
    assert SECRET not in response.text
    assert "006" not in response.text


async def test_a_large_chart_is_read_and_a_large_native_patient_is_refused(matching_client: httpx.AsyncClient) -> None:
    claims = [{"resourceType": "Claim", "text": {"div": "x" * 20_000}}] * 30
    response = await matching_client.post(f"{MATCH}?as_of=2025-11-22", json=bundle(DUCHENNE, *claims))
    assert response.status_code == 200, response.text
    assert [(one["reason"], one["count"]) for one in response.json()["warnings"]] == [("resource_not_read", 30)]
    assert (await matching_client.post(MATCH, json={**BOY, "sex": "x" * 300_000})).status_code == 413
    assert (await matching_client.post(MATCH, json=bundle(*claims * 8))).status_code == 413


async def test_many_patients_are_answered_line_by_line(matching_client: httpx.AsyncClient) -> None:
    patients = [
        example("sickle-cell-girl"),
        {**BOY, "name": SECRET},
        bundle(DUCHENNE),
        {"phenotypicFeatures": [{"type": {"id": "HP:0001250"}, "exclude": True}]},
        {**BOY, "facts": [FACT]},
    ]
    lines = [json.dumps(one) for one in patients]
    body = "\n".join([*lines[:3], "", "no json", *lines[3:]])
    response = await matching_client.post(MATCH, content=body, headers=NDJSON)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/x-ndjson")
    assert response.headers["cache-control"] == "no-store"
    answers = [json.loads(line) for line in response.text.splitlines()]
    assert [(one["line"], one["status"]) for one in answers] == [
        (1, 200), (2, 422), (3, 200), (5, 400), (6, 422), (7, 200),
    ]  # fmt: skip
    problems = [one["problem"] for one in answers if "problem" in one]
    assert [one["code"] for one in problems] == ["identifier_forbidden", "malformed_json", "invalid_body"]
    assert SECRET not in response.text
    alone = await matching_client.post(MATCH, json=patients[0])
    assert answers[0]["answer"] == alone.json()


async def test_a_batch_has_limits(matching_client: httpx.AsyncClient) -> None:
    too_long = json.dumps(bundle({"resourceType": "Claim", "text": {"div": "x" * 1_100_000}}))
    response = await matching_client.post(MATCH, content=f"{too_long}\n{{}}", headers=NDJSON)
    assert [json.loads(line)["status"] for line in response.text.splitlines()] == [413, 200]
    too_many = await matching_client.post(MATCH, content="{}\n" * 1001, headers=NDJSON)
    assert too_many.status_code == 413
    paged = await matching_client.post(f"{MATCH}?cursor=7eb5791e79eb1d05-1", content="{}", headers=NDJSON)
    assert [one["code"] for one in paged.json()["errors"]] == ["not_for_batch"]


@pytest.mark.parametrize("name", ["phenopacket", "bundle", "duchenne-boy"])
async def test_a_patient_that_was_read_has_the_trials_of_the_record(
    matching_client: httpx.AsyncClient, name: str
) -> None:
    body = example(name)
    read = await matching_client.post("/matching/v1/patients/read", json=body)
    assert read.status_code == 200, read.text
    native = read.json()["patient"]
    assert not {"resourceType", "subject", "name"} & native.keys()
    of_body, of_patient = [(await matching_client.post(MATCH, json=one)).json() for one in (body, native)]
    assert of_patient["results"] == of_body["results"] != []
    warned = {(one["pointer"], one["reason"]) for one in read.json()["warnings"]}
    assert warned <= {(one["pointer"], one["reason"]) for one in of_body["warnings"]}
