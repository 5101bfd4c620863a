"""What matching refuses, with its place and without its value; nothing of a patient in logs and metrics."""

import json
import logging

import httpx
import pytest

from tests.contract.matching import BOY, FACT, MATCH

pytestmark = pytest.mark.anyio

NIR = "1 85 05 78 006 084 91"
SECRET = "Zyxwvutsr"


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (json.dumps({**BOY, "wheight": 12}), 422, "invalid_body", "/wheight"),
        (json.dumps({**BOY, "birth_date": 20211220}), 422, "invalid_body", "/birth_date"),
        (json.dumps({**BOY, "facts": [{**FACT, "codes": SECRET}]}), 422, "invalid_body", "/facts/0/codes"),
        (json.dumps({**BOY, "sex": SECRET}), 422, "invalid_body", "/sex"),
        (json.dumps({**BOY, "birth_date": "2026-01-01"}), 422, "invalid_body", ""),
        (json.dumps({"birth_date": "2199-01-01"}), 422, "invalid_body", "/birth_date"),
        (json.dumps({**BOY, "facts": [FACT, FACT]}), 422, "invalid_body", ""),
        ('{"facts": [{"id": "f", "value": NaN}]}', 400, "malformed_json", "/facts/0/value"),
        ('{"sex": "male", "sex": "female"}', 400, "malformed_json", ""),
        ('{"a":' * 40 + "1" + "}" * 40, 400, "malformed_json", ""),
        ("[1]", 400, "malformed_json", ""),
        ("", 400, "malformed_json", ""),
        ('{"as_of": "2025-11-22"', 400, "malformed_json", ""),
        (json.dumps({"sex": "x" * 3_000_000}), 413, "too_large", None),
        (json.dumps({**BOY, "name": SECRET}), 422, "identifier_forbidden", "/name"),
        (json.dumps({**BOY, "facts": [{**FACT, "Note": SECRET}]}), 422, "identifier_forbidden", "/facts/0/Note"),
        (json.dumps({**BOY, "facts": [{**FACT, "id": NIR}]}), 422, "identifier_forbidden", "/facts/0/id"),
        (json.dumps({**BOY, NIR: 1}), 422, "identifier_forbidden", ""),
        (
            json.dumps({**BOY, "facts": [{**FACT, "id": f"{SECRET}@hopital.fr"}]}),
            422,
            "identifier_forbidden",
            "/facts/0/id",
        ),
        (
            json.dumps({"resourceType": "Patient", "name": SECRET}),
            422,
            "format_not_supported",
            "/resourceType",
        ),
        (
            json.dumps({"resourceType": "Bundle", "type": SECRET, "entry": [{"name": SECRET}]}),
            422,
            "format_not_supported",
            "/type",
        ),
        (
            json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"name": SECRET}]}),
            422,
            "invalid_body",
            "",
        ),
        (
            json.dumps(
                {
                    "resourceType": "Bundle",
                    "type": "collection",
                    "entry": [{"resource": {"resourceType": "Patient", "birthDate": "2199-01-01"}}],
                }
            ),
            422,
            "invalid_body",
            "/entry/0/resource/birthDate",
        ),
        (
            json.dumps({"resourceType": "Bundle", "type": "collection", "entry": SECRET}),
            422,
            "invalid_body",
            "/entry",
        ),
        (
            json.dumps({"metaData": {"phenopacketSchemaVersion": SECRET}}),
            422,
            "invalid_body",
            "/metaData/phenopacketSchemaVersion",
        ),
        (
            json.dumps({"metaData": {"phenopacketSchemaVersion": "2.0"}, "diseases": SECRET}),
            422,
            "invalid_body",
            "/diseases",
        ),
        (
            json.dumps(
                {
                    "metaData": {"phenopacketSchemaVersion": "2.0"},
                    "phenotypicFeatures": [{"type": {"id": "HP:0001250"}, "excluded": SECRET}],
                }
            ),
            422,
            "invalid_body",
            "/phenotypicFeatures/0/excluded",
        ),
        (
            json.dumps({"metaData": {"phenopacketSchemaVersion": "2.0"}, "subject": {"id": SECRET, "name": SECRET}}),
            422,
            "invalid_body",
            "",
        ),
    ],
)
async def test_an_invalid_body_is_refused_with_its_place_and_without_its_value(
    matching_client: httpx.AsyncClient,
    caplog: pytest.LogCaptureFixture,
    body: str,
    status: int,
    code: str,
    pointer: str | None,
) -> None:
    with caplog.at_level(logging.DEBUG):
        response = await matching_client.post(MATCH, content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in response.json()["errors"]][:1] == ([] if pointer is None else [pointer])
    for secret in (SECRET, NIR, "xxxx"):
        assert secret not in response.text
        assert secret not in caplog.text


async def test_the_media_type_of_fhir_requires_a_resource(matching_client: httpx.AsyncClient) -> None:
    content = json.dumps({**BOY, "place": "62"})
    for media_type in ("application/fhir+json", "Application/FHIR+JSON; charset=utf-8"):
        response = await matching_client.post(MATCH, content=content, headers={"Content-Type": media_type})
        assert (response.status_code, response.json()["code"]) == (422, "format_not_supported")
        assert [error["pointer"] for error in response.json()["errors"]] == ["/header/content-type"]
    xml = await matching_client.post(MATCH, content="<Bundle/>", headers={"Content-Type": "application/fhir+xml"})
    assert xml.status_code == 415


async def test_nothing_of_a_patient_is_logged_or_measured(
    matching_client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    patient = {
        "birth_date": "2011-07-13",
        "place": "2A",
        "facts": [{"id": "fact-of-mine", "kind": "condition", "codes": ["ORPHA:98896"]}],
    }
    with caplog.at_level(logging.DEBUG):
        assert (await matching_client.post(MATCH, json=patient)).status_code == 200
    logged = " ".join(str(vars(record)) for record in caplog.records if record.name.startswith(("shared", "services")))
    logged += (await matching_client.get("/metrics")).text
    assert MATCH in logged
    for secret in ("2011-07-13", "fact-of-mine", "2A", "98896"):
        assert secret not in logged
