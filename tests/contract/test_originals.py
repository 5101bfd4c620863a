"""Source records are kept as they came, without persons, and are read again by a better reader."""

import json
import zlib
from dataclasses import replace
from importlib import resources
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from services.registry.scope import diseases
from services.registry.scope.diseases import DiseaseSigns
from services.registry.sources import ctgov_reader
from services.registry.sources.ctgov import StudyReading, read_study
from tests.contract.test_registry import events_since, now
from tests.contract.test_sources import send, study

pytestmark = pytest.mark.anyio

REREAD = "/registry/v1/sources/ctgov/reread"
CANCER = {"conditions": ["Multiple myeloma"]}
CONTACTS = {"centralContacts": [{"name": "Dr DUPONT", "role": "CONTACT", "phone": "+33 1 00 00 00 00"}]}


async def kept(app: FastAPI, number: str = "NCT90000001") -> list[dict[str, Any]]:
    """Return the stored forms of a record, oldest first."""
    statement = "SELECT dated, content FROM source_versions WHERE source_id = :id ORDER BY version"
    async with app.state.database.read(as_service=True) as connection:
        rows = (await connection.execute(text(statement), {"id": number})).all()
    return [{"dated": row.dated, "record": json.loads(zlib.decompress(row.content))} for row in rows]


async def reread(admin: httpx.AsyncClient, **query: str) -> dict[str, Any]:
    answer = await admin.post(REREAD, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def recognise_duchenne_as_cancer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Change the rules by which records are read."""
    document = json.loads((resources.files("services.registry.scope") / "disease_signs.json").read_text("utf-8"))
    document["categories"][0]["phrases"].append("duchenne muscular dystrophy")
    monkeypatch.setattr(diseases, "table", lambda: DiseaseSigns(document))


async def test_every_form_of_a_record_that_differs_is_kept_without_persons(
    app: FastAPI, admin: httpx.AsyncClient
) -> None:
    first = {**study(contactsLocationsModule=CONTACTS), "derivedSection": {"conditionBrowseModule": {"meshes": []}}}
    dated = {"overallStatus": "COMPLETED", "lastUpdatePostDateStruct": {"date": "2026-03-01"}}
    next_release = {**first, "derivedSection": {**first["derivedSection"], "miscInfoModule": {"versionHolder": "2"}}}
    await send(admin, first)
    await send(admin, json.loads(json.dumps(first, sort_keys=True)), next_release)
    await send(admin, study(statusModule=dated))
    await send(admin, first)
    without = json.loads(
        json.dumps(first).replace('"name": "Dr DUPONT", ', "").replace(', "phone": "+33 1 00 00 00 00"', "")
    )
    forms = await kept(app)
    assert [one["dated"] for one in forms] == [None, "2026-03-01", None]
    assert [one["record"] for one in forms] == [without, study(statusModule=dated), without]
    assert list(forms[0]["record"]["protocolSection"]) == list(first["protocolSection"])


async def test_records_that_are_no_trials_are_kept_too(app: FastAPI, admin: httpx.AsyncClient) -> None:
    same = {"nctId": "NCT90000003", "briefTitle": "AAV gene therapy", "secondaryIdInfos": [{"id": "2019-001234-12"}]}
    report = await send(
        admin,
        study("NCT90000002", conditionsModule=CANCER),
        study("NCT90000003", identificationModule=same),
        study("NCT90000004", identificationModule={**same, "nctId": "NCT90000004"}),
    )
    assert [one["result"] for one in report["results"]] == ["refused", "created", "possible_duplicate"]
    for number in ("NCT90000002", "NCT90000003", "NCT90000004"):
        assert [
            one["record"]["protocolSection"]["identificationModule"]["nctId"] for one in await kept(app, number)
        ] == [number]
    await send(admin, study("NCT90000005"), dry_run="true")
    assert await kept(app, "NCT90000005") == []


async def test_stored_records_are_read_again_in_parts_when_the_rules_change(
    admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [f"NCT9000000{number}" for number in range(1, 6)]
    await send(admin, *(study(number) for number in numbers))
    assert await reread(admin) == {"results": [], "counts": {}, "left": 0, "next": None}
    recognise_duchenne_as_cancer(monkeypatch)
    cursor = await now(admin)

    tried = await reread(admin, dry_run="true", limit="2")
    assert [(one["source_id"], one["result"]) for one in tried["results"]] == [
        (numbers[0], "refused"),
        (numbers[1], "refused"),
    ]
    assert (tried["counts"], tried["left"], tried["next"]) == ({"refused": 2}, 3, numbers[1])
    assert (await reread(admin, dry_run="true", after=tried["next"]))["counts"] == {"refused": 3}
    assert await events_since(admin, cursor) == []

    assert (await reread(admin, limit="2"))["left"] == 3
    # Interrupted here: what was read is not read again.
    rest = await reread(admin)
    assert [one["source_id"] for one in rest["results"]] == numbers[2:]
    assert (rest["left"], rest["next"]) == (0, None)
    assert [event["type"] for event in await events_since(admin, cursor)] == ["trial.withdrawn"] * 5
    assert (await reread(admin))["counts"] == {}


async def test_a_damaged_record_stops_no_other(
    app: FastAPI, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(admin, study("NCT90000001"), study("NCT90000002"))
    async with app.state.database.transaction(as_service=True) as connection:
        await connection.execute(
            text("UPDATE source_versions SET content = :content WHERE source_id = 'NCT90000001'"), {"content": b"x"}
        )
    recognise_duchenne_as_cancer(monkeypatch)
    found = {one["source_id"]: one for one in (await reread(admin))["results"]}
    assert found["NCT90000001"]["errors"][0]["code"] == "damaged_record"
    assert found["NCT90000002"]["result"] == "refused"
    await send(admin, study("NCT90000001", statusModule={"overallStatus": "COMPLETED"}))
    assert (await reread(admin))["counts"] == {}, "the newest form is read"


async def test_a_better_reading_names_the_fields_that_it_changes(
    admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(admin, study())

    def read_better(*given: Any) -> StudyReading:
        reading = read_study(*given)
        return replace(reading, trial=reading.trial.model_copy(update={"acronym": "READ"}))

    monkeypatch.setattr(ctgov_reader, "read_study", read_better)
    monkeypatch.setattr(ctgov_reader, "READER_VERSION", 999)
    [changed] = (await reread(admin))["results"]
    assert (changed["result"], changed["trial"], changed["changed"]) == ("updated", "NCT90000001", ["acronym"])
    assert (await admin.get("/registry/v1/trials/NCT90000001")).json()["acronym"] == "READ"


async def test_a_record_that_waits_is_tried_again(admin: httpx.AsyncClient) -> None:
    def named(number: str) -> dict[str, Any]:
        identification = {"nctId": number, "briefTitle": "AAV", "secondaryIdInfos": [{"id": "2019-001234-12"}]}
        return study(number, identificationModule=identification)

    await send(admin, named("NCT90000001"), named("NCT90000002"))
    assert (await reread(admin))["counts"] == {"possible_duplicate": 1}
    # A person decides that the second one is a trial of its own.
    draft = {
        "identifiers": [{"type": "nct", "value": "NCT90000002"}],
        "conditions": [{"text": "Duchenne Muscular Dystrophy"}],
        "product": {"atmp_class": "gene_therapy"},
    }
    path = "/registry/v1/trials/NCT90000002"
    assert (await admin.put(path, json=draft, headers={"If-None-Match": "*"})).status_code == 201
    [line] = (await reread(admin))["results"]
    assert (line["result"], line["trial"], line["errors"][0]["code"]) == (
        "updated",
        "NCT90000002",
        "shared_number",
    )
    assert (await reread(admin))["counts"] == {}
