"""The coverage by open sites: a geography is loaded, and the answer follows trials, sites and files."""

import csv
import io
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import ADMIN, INTERNAL, client_of
from tests.contract.registry import running_registry
from tests.geography import COMMUNES, DEPARTEMENTS, body_of

pytestmark = pytest.mark.anyio

COVERAGE = "/registry/v1/coverage"
FILES = "/registry/v1/internal/geography/files"
SITE = "/registry/v1/trials/NCT03964792/sites/fr-necker"
SICKLE = "ORPHA:232"


@pytest.fixture
async def registry(stocked_url: str) -> AsyncIterator[FastAPI]:
    async with running_registry(stocked_url) as app:
        yield app


@pytest.fixture
async def anyone(registry: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(registry) as client:
        yield client


async def load(registry: FastAPI, *texts: str, kind: str | None = None) -> httpx.Response:
    async with client_of(registry, token=INTERNAL) as inside:
        return await inside.post(FILES, json=body_of(*texts, kind=kind))


async def test_the_nearest_open_site_of_each_departement(registry: FastAPI, anyone: httpx.AsyncClient) -> None:
    missing = await anyone.get(COVERAGE)
    assert missing.status_code == 409
    assert "cleio geo load" in missing.json()["detail"]
    assert (await load(registry, COMMUNES, DEPARTEMENTS)).status_code == 201
    closed = (await anyone.get(COVERAGE, params={"condition": SICKLE})).json()
    assert [one["code"] for one in closed["diseases_without_site"]] == [SICKLE]
    assert {one["nearest"] for one in closed["items"]} == {None}

    async with client_of(registry, token=ADMIN) as staff:
        await staff.put(SITE, json={"status": "recruiting"}, headers={"If-Match": "*"})
        status = json.dumps({"status": "recruiting"})
        merge = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
        assert (await staff.patch("/registry/v1/trials/NCT03964792", content=status, headers=merge)).status_code == 200
    found = (await anyone.get(COVERAGE, params={"condition": "drépanocytose", "hours": "3"})).json()
    rows = {one["departement"]["code"]: one for one in found["items"]}
    paris, reunion, lozere, alsace = rows["75"], rows["974"], rows["48"], rows["67"]
    assert (paris["sites"], paris["trials"], paris["within_two_hours"]) == (1, 1, 1.0)
    assert paris["nearest"]["identifier"] == "NCT03964792"
    assert paris["nearest"]["confirmation"] == "confirmed"
    assert reunion["nearest"]["travel"]["mode"] == "air"
    assert lozere["nearest"]["travel"]["mode"] == "road"
    assert lozere["nearest"]["travel"]["minutes"] > alsace["nearest"]["travel"]["minutes"] > 180
    assert (alsace["within_two_hours"], alsace["within_hours"]) == (0.0, 0.0)
    people = {code: one["population"] for code, one in rows.items()}
    near = (people["75"] + people["93"]) / sum(people.values())
    assert found["france"]["within_two_hours"] == pytest.approx(near, abs=1e-4)
    assert {one["code"] for one in found["departements_out_of_reach"]} == {"13", "2A", "48", "67", "974", "977"}
    assert "75" not in {one["code"] for one in found["departements_without_site"]}
    assert found["diseases_without_site"] == []
    for age, trials in (("P8Y", 1), ("1826", 1), ("P4Y", 0), ("P36Y", 0)):  # the trial takes 5 to 35 years
        answer = (await anyone.get(COVERAGE, params={"condition": SICKLE, "age": age})).json()
        assert answer["france"]["trials"] == answer["france"]["sites"] == trials, age
    (by_disease,) = (await anyone.get(COVERAGE, params={"departement": "974"})).json()["items"]
    assert (by_disease["condition"]["code"], by_disease["nearest"]["centre"]) == ("ORPHA:275752", "fr-necker")


async def test_caches_ask_and_spreadsheets_run_nothing(registry: FastAPI, anyone: httpx.AsyncClient) -> None:
    names = DEPARTEMENTS.replace("Lozère", '=HYPERLINK(\\"http://example.org\\")')
    assert (await load(registry, COMMUNES, names)).status_code == 201
    first = await anyone.get(COVERAGE, params={"sample": "demo", "condition": SICKLE})
    assert first.headers["cache-control"] == "public, no-cache"
    assert first.json()["france"]["trials"] == 1
    asked = {"If-None-Match": first.headers["etag"]}
    assert (await anyone.get(first.request.url, headers=asked)).status_code == 304
    table = await anyone.get(first.request.url, headers={**asked, "Accept": "text/csv"})
    assert table.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert len(rows) == 1 + len(first.json()["items"])
    assert next(one["departement_name"] for one in rows if one["departement"] == "48").startswith("'=HYPERLINK")
    async with client_of(registry, token=ADMIN) as staff:
        private = await staff.get(first.request.url)
        assert private.headers["cache-control"] == "private, no-cache"

    assert (await load(registry, COMMUNES, DEPARTEMENTS)).status_code == 201
    assert (await anyone.get(first.request.url, headers=asked)).status_code == 200
    async with client_of(registry, token=INTERNAL) as inside:
        assert {one["version"] for one in (await inside.delete(f"{FILES}/last")).json()["files"]} == {2}
        assert (await anyone.get(first.request.url, headers=asked)).status_code == 304
        await inside.delete(f"{FILES}/last")
        assert (await inside.delete(f"{FILES}/last")).json() == {"files": []}
    assert (await anyone.get(COVERAGE)).status_code == 409


async def test_wrong_questions_and_files_are_named(registry: FastAPI, anyone: httpx.AsyncClient) -> None:
    for text, kind in (("a,b\n1,2\n", "communes"), (COMMUNES, "regions"), (COMMUNES[:-30], "communes")):
        answer = await load(registry, text, kind=kind)
        assert answer.status_code == 422, text[:20]
        assert answer.json()["errors"][0]["pointer"].startswith("/files/0/")
    await load(registry, COMMUNES)
    for query, pointer in (
        ("condition=zzzz", "/query/condition"),
        ("condition=drépanocytose adulte", "/query/condition"),
        ("departement=99", "/query/departement"),
        ("departement=29", "/query/departement"),
        ("hours=25", "/query/hours"),
        ("sample=real", "/query/sample"),
        ("age=young", "/query/age"),
    ):
        answer = await anyone.get(f"{COVERAGE}?{query}")
        assert answer.status_code == 400, query
        assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
