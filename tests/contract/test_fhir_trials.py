"""Published trials over FHIR R4."""

from pathlib import Path

import httpx
import jsonschema_rs
import pytest
from fastapi import FastAPI

from tests.conftest import client_of
from tests.contract.fhir_schema import r4_validator

pytestmark = pytest.mark.anyio

STUDIES = "/fhir/ResearchStudy"


async def test_a_trial_reads_as_a_research_study(registry: FastAPI) -> None:
    async with client_of(registry) as anyone:
        answer = await anyone.get(f"{STUDIES}/NCT03745287")
        trial = (await anyone.get("/registry/v1/trials/NCT03745287")).json()
    assert answer.headers["content-type"] == "application/fhir+json"
    study = answer.json()
    assert study["resourceType"] == "ResearchStudy"
    assert study["title"] == trial["titles"]["en"]
    assert {one["value"] for one in study["identifier"]} == {one["value"] for one in trial["identifiers"]}
    assert study["phase"]["coding"][0]["code"] == trial["phase"]
    assert {"system": "http://www.orpha.net", "code": "275752"} in study["condition"][0]["coding"]


async def test_demonstration_trials_are_not_in_fhir(registry: FastAPI) -> None:
    async with client_of(registry) as anyone:
        assert (await anyone.get(f"{STUDIES}/CLEIO-DEMO-0001")).status_code == 404
        found = (await anyone.get(STUDIES, params={"_id": "CLEIO-DEMO-0001,NCT03745287"})).json()
    assert [entry["resource"]["identifier"][0]["value"] for entry in found["entry"]] == ["NCT03745287"]


async def test_a_search_is_read_page_by_page(registry: FastAPI) -> None:
    seen: list[str] = []
    async with client_of(registry) as anyone:
        path: str | None = f"{STUDIES}?_count=5"
        while path is not None:
            page = (await anyone.get(httpx.URL(path).raw_path.decode())).json()
            seen += [entry["resource"]["id"] for entry in page.get("entry", [])]
            path = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
        everything = (await anyone.get("/registry/v1/trials?limit=200&sample=none")).json()["items"]
    assert seen == [trial["id"] for trial in everything]
    assert len(seen) > 5


async def test_every_resource_is_valid_r4(registry: FastAPI, real_data: Path) -> None:
    types = ("Bundle", "CapabilityStatement", "ResearchStudy")
    validators = {name: r4_validator(real_data, name) for name in types}
    async with client_of(registry) as anyone:
        bundle = (await anyone.get(f"{STUDIES}?_count=100")).json()
        capability = (await anyone.get("/fhir/metadata")).json()
    for resource in (bundle, capability, *(entry["resource"] for entry in bundle["entry"])):
        validators[resource["resourceType"]].validate(resource)
    with pytest.raises(jsonschema_rs.ValidationError):
        validators["ResearchStudy"].validate({**bundle["entry"][0]["resource"], "title": ["not", "a", "text"]})
