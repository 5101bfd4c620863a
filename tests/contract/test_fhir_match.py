"""A patient given as a FHIR Bundle is matched, and the trials come back as ResearchStudy."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.fhir_schema import r4_validator
from tests.contract.matching import Line

pytestmark = pytest.mark.anyio

MATCH = "/fhir/ResearchStudy/$match"
AS_OF = {"as_of": "2025-11-22"}
NAME = "Zyxwvutsr"


def bundle(*more: dict[str, Any]) -> dict[str, Any]:
    patient = {
        "resourceType": "Patient",
        "id": "p",
        "gender": "male",
        "birthDate": "2020-12-20",
        "name": [{"family": NAME}],
        "address": [{"postalCode": "59000"}],
    }
    condition = {
        "resourceType": "Condition",
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://www.orpha.net", "code": "98896"}]},
        "verificationStatus": {"coding": [{"code": "confirmed"}]},
        "onsetDateTime": "2023-05-02",
    }
    resources = [patient, condition, *more]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


async def found(client: httpx.AsyncClient, body: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    answer = await client.post(
        MATCH, json=body, params={**AS_OF, **parameters}, headers={"Content-Type": "application/fhir+json"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/fhir+json"
    assert NAME not in answer.text
    document: dict[str, Any] = answer.json()
    return document


async def test_trials_come_back_as_research_studies_best_first(matching_client: httpx.AsyncClient) -> None:
    native = await matching_client.post(
        "/matching/v1/match",
        json={
            "as_of": "2025-11-22",
            "birth_date": "2020-12-20",
            "sex": "male",
            "facts": [{"id": "d", "kind": "condition", "codes": ["ORPHA:98896"], "start": "2023-05-02"}],
        },
    )
    expected = {
        one["id"] for one in native.json()["results"] if not one["illustrative"] and one["verdict"] != "excluded"
    }
    answer = await found(matching_client, bundle())
    studies = [entry for entry in answer["entry"] if entry["search"]["mode"] == "match"]
    assert {one["resource"]["id"] for one in studies} == expected != set()
    assert answer["total"] == len(expected)
    scores = [one["search"]["score"] for one in studies]
    assert scores == sorted(scores, reverse=True)
    reasons = studies[0]["search"]["extension"][0]["extension"]
    assert {"verdict", "recruitment", "criterion"} <= {one["url"] for one in reasons}
    assert {"url": "criteria-illustrative", "valueBoolean": True} in reasons
    # The name of the patient was dropped, and the answer says so.
    issues = [entry["resource"] for entry in answer["entry"] if entry["search"]["mode"] == "outcome"]
    assert len(issues) == 1


async def test_the_request_of_the_codex_services_narrows_the_trials(matching_client: httpx.AsyncClient) -> None:
    everything = await found(matching_client, bundle())
    phases = {
        one["resource"]["phase"]["coding"][0]["code"] for one in everything["entry"] if "phase" in one["resource"]
    }
    phase = min(phases)
    wishes = {"resourceType": "Parameters", "parameter": [{"name": "phase", "valueString": phase}]}
    narrowed = await found(matching_client, bundle(wishes))
    kept = [one["resource"] for one in narrowed["entry"] if one["search"]["mode"] == "match"]
    assert kept
    assert {one["phase"]["coding"][0]["code"] for one in kept} == {phase}
    operation = {
        "resourceType": "Parameters",
        "parameter": [{"name": "patient", "resource": bundle()}, {"name": "phase", "valueString": phase}],
    }
    assert (await found(matching_client, operation))["total"] == narrowed["total"]


async def test_pages_follow_each_other(matching_client: httpx.AsyncClient) -> None:
    total = (await found(matching_client, bundle()))["total"]
    seen: list[str] = []
    cursor = ""
    while True:
        page = await found(matching_client, bundle(), _count=1, **({"cursor": cursor} if cursor else {}))
        seen += [one["resource"]["id"] for one in page["entry"] if one["search"]["mode"] == "match"]
        following = [link["url"] for link in page["link"] if link["relation"] == "next"]
        if not following:
            break
        cursor = following[0].partition("cursor=")[2]
    assert len(set(seen)) == len(seen) == total


async def test_what_is_no_bundle_is_refused(matching_client: httpx.AsyncClient) -> None:
    for body in ({"resourceType": "Patient"}, {"resourceType": "Parameters", "parameter": []}, {}):
        answer = await matching_client.post(MATCH, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "format_not_supported")


async def test_without_the_registry_the_answer_is_503(own_matching_client: httpx.AsyncClient, line: Line) -> None:
    line.up = False
    answer = await own_matching_client.post(MATCH, json=bundle(), params=AS_OF)
    assert (answer.status_code, answer.json()["code"]) == (503, "registry_unavailable")


async def test_the_answer_is_valid_r4(matching_client: httpx.AsyncClient, real_data: Path) -> None:
    r4_validator(real_data, "Bundle").validate(await found(matching_client, bundle()))
