"""CDS Hooks 2.0: an EHR asks for cards, as its client would."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ISSUER, client_of
from tests.contract.network import Services, running_services

pytestmark = pytest.mark.anyio

CALL = "/cds-services/trials"
FAR = "203.0.113.9"
NAME = "Zyxwvutsr"


def hook(**prefetch: Any) -> dict[str, Any]:
    """Return a call of patient-view, with members of an EHR's own."""
    patient = {
        "resourceType": "Patient",
        "id": "p-17",
        "gender": "male",
        "birthDate": "2020-12-20",
        "name": [{"family": NAME}],
    }
    condition = {
        "resourceType": "Condition",
        "subject": {"reference": "Patient/p-17"},
        "code": {"coding": [{"system": "http://www.orpha.net", "code": "98896"}]},
        "onsetDateTime": "2023-05-02",
    }
    conditions = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": condition}]}
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "fhirServer": "https://ehr.example/fhir",
        "context": {"userId": "Practitioner/1", "patientId": "p-17", "encounterId": "e-1"},
        "prefetch": {"patient": patient, "conditions": conditions, "procedures": None, **prefetch},
        "extension": {"example.ehr": True},
    }


async def test_the_catalogue_names_the_prefetch(matching_client: httpx.AsyncClient) -> None:
    (service,) = (await matching_client.get("/cds-services")).json()["services"]
    assert (service["hook"], service["id"]) == ("patient-view", "trials")
    assert "{{context.patientId}}" in service["prefetch"]["patient"]


async def test_no_browser_may_call_by_default(matching_client: httpx.AsyncClient) -> None:
    asked = {"Origin": "https://ehr.example", "Access-Control-Request-Method": "POST"}
    for answer in (await matching_client.options(CALL, headers=asked), await matching_client.get("/cds-services")):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_cards_name_trials_and_nothing_of_the_patient(matching_client: httpx.AsyncClient) -> None:
    answer = await matching_client.post(CALL, json=hook(), headers={"Accept-Language": "en"})
    assert answer.status_code == 200, answer.text
    cards = answer.json()["cards"]
    assert 1 <= len(cards) <= 3
    for card in cards:
        assert len(card["summary"]) < 140
        assert card["indicator"] == "info"
        assert card["source"]["label"] == "CLEIO"
    assert "Advanced therapy trials to consider" in cards[0]["summary"]
    assert NAME not in answer.text
    assert "p-17" not in answer.text
    french = (await matching_client.post(CALL, json=hook())).json()["cards"]
    assert "Essais de thérapie innovante" in french[0]["summary"]


async def test_without_the_patient_the_prefetch_is_missing(matching_client: httpx.AsyncClient) -> None:
    for given in (hook(patient=None), {**hook(), "prefetch": None}):
        answer = await matching_client.post(CALL, json=given)
        assert (answer.status_code, answer.json()["code"]) == (412, "prefetch_missing")
    other = await matching_client.post(CALL, json={**hook(), "hook": "order-select"})
    assert other.status_code == 422


async def test_feedback_is_counted(matching_client: httpx.AsyncClient) -> None:
    item = {"card": "4e0a3a1e", "outcome": "accepted", "outcomeTimestamp": "2025-11-22T10:00:00Z"}
    overridden = {**item, "outcome": "overridden", "overrideReason": {"userComment": NAME}}
    answer = await matching_client.post(f"{CALL}/feedback", json={"feedback": [item, item, overridden]})
    assert answer.status_code == 200
    shown = (await matching_client.get("/metrics")).text
    assert 'cleio_cds_cards_total{outcome="accepted"} 2.0' in shown
    assert NAME not in shown


@pytest.fixture
async def services(stocked_file: Path, tmp_path: Path) -> AsyncIterator[Services]:
    shutil.copyfile(stocked_file, tmp_path / "registry.db")
    async with running_services(f"sqlite:///{tmp_path / 'registry.db'}", tmp_path) as services:
        yield services


async def test_an_ehr_elsewhere_signs_each_call(services: Services) -> None:
    signer = await services.network.signer(await services.network.organisation(), "system", scopes=["match.execute"])
    address = f"{ISSUER}{CALL}"

    async def status(token: str | None) -> int:
        async with client_of(services.apps["matching"], token=token, address=FAR) as ehr:
            return (await ehr.post(CALL, json=hook())).status_code

    assert await status(None) == 401
    token = signer.assertion(aud=address, sub=None)
    assert await status(token) == 200
    assert await status(token) == 401, "a token is valid once"
    assert await status(signer.assertion(aud=f"{ISSUER}/cds-services/other")) == 401
    assert await status(signer.assertion(aud=address, iss="not-registered")) == 401
    assert await status(signer.assertion(aud=address, exp=1)) == 401
    # Such a token opens nothing else.
    async with client_of(services.apps["matching"], token=signer.assertion(aud=address), address=FAR) as ehr:
        assert (await ehr.post("/matching/v1/match", json={"as_of": "2025-11-22"})).status_code == 401


async def test_a_client_without_the_scope_is_refused(services: Services) -> None:
    signer = await services.network.signer(await services.network.organisation(), "system", scopes=["trial.read"])
    async with client_of(services.apps["matching"], token=signer.assertion(aud=f"{ISSUER}{CALL}"), address=FAR) as ehr:
        assert (await ehr.post(CALL, json=hook())).status_code == 403
