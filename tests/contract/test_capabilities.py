"""Capabilities of centres over HTTP: what is stated, who sees the evidence, and the alarms before it ends."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.registry.capabilities.alarms import report_some
from tests.conftest import client_of, token_of
from tests.contract.test_registry import events_since, now

pytestmark = pytest.mark.anyio

CENTRE = "/registry/v1/centres/fr-strasbourg"
APHERESIS = f"{CENTRE}/capabilities/apheresis"
ANY, NEW = {"If-Match": "*"}, {"If-None-Match": "*"}
TODAY = datetime.now(UTC).date()
STATED = {
    "scope": "paediatric", "evidence": "ARS-GE 2026-114", "issuer": "ARS Grand Est", "finess_et": "670783273",
    "valid_from": "2026-01-01", "note": "two machines",
}  # fmt: skip
HIDDEN = ("evidence", "issuer", "finess_et", "note")


@pytest.fixture
async def centre(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, token=token_of("centre", "editor", centre="fr-strasbourg")) as client:
        yield client


async def stated(
    client: httpx.AsyncClient, code: str, *, centre: str = CENTRE, status: int = 201, **given: Any
) -> dict[str, Any]:
    body = {"scope": "both", **given}
    headers = ANY if status == 200 else NEW
    answer = await client.put(f"{centre}/capabilities/{code}", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def in_days(days: int) -> str:
    return (TODAY + timedelta(days=days)).isoformat()


async def test_a_centre_states_what_it_can_do_and_only_insiders_see_the_evidence(
    app: FastAPI, admin: httpx.AsyncClient, public: httpx.AsyncClient, centre: httpx.AsyncClient
) -> None:
    cursor = await now(public)
    written = await centre.put(APHERESIS, json={**STATED, "valid_until": in_days(400)}, headers=NEW)
    assert (written.status_code, written.headers["etag"], written.json()["state"]) == (201, '"v1"', "valid")
    for kind, sees in (("hospital", False), ("network", False), ("sponsor", True), ("authority", True)):
        async with client_of(app, token=token_of(kind, "editor")) as reader:  # type: ignore[arg-type]
            found = (await reader.get(APHERESIS)).json()
        assert {found[name] for name in HIDDEN} == ({STATED[name] for name in HIDDEN} if sees else {None}), kind
    (shown,) = (await public.get(f"{CENTRE}/capabilities")).json()["items"]
    assert (shown["scope"], shown["valid_until"], shown["evidence"]) == ("paediatric", in_days(400), None)
    async with client_of(app, token=token_of("centre", "editor", centre="fr-necker")) as other:
        assert (await other.get(APHERESIS)).json()["evidence"] is None
        assert (await other.get(f"{APHERESIS}/history")).status_code == 404
        assert (await other.put(APHERESIS, json=STATED, headers=ANY)).status_code == 403

    assert (await centre.put(APHERESIS, json=STATED, headers=NEW)).status_code == 412
    assert (await centre.put(APHERESIS, json=STATED, headers={"If-Match": '"v2"'})).status_code == 412
    assert (await centre.put(APHERESIS, json=STATED, headers={"If-Match": '"v1"'})).status_code == 200
    assert (await admin.delete(APHERESIS, headers=ANY)).status_code == 204
    assert (await public.get(APHERESIS)).status_code == 404
    assert (await centre.put(APHERESIS, json=STATED, headers=NEW)).json()["version"] == 4
    history = (await centre.get(f"{APHERESIS}/history")).json()["items"]
    assert [(one["version"], one["removed"], one["stated"]["evidence"]) for one in history] == [
        (4, False, STATED["evidence"]), (3, True, None), (2, False, STATED["evidence"]), (1, False, STATED["evidence"]),
    ]  # fmt: skip
    events = [one["type"] for one in await events_since(public, cursor)]
    assert events == ["capability.changed", "capability.changed", "capability.removed", "capability.changed"]


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"scope": "adult"}, "/evidence"),
        ({"scope": "adult", "held": False, "planned_from": "2020-01-01"}, "/planned_from"),
        ({"scope": "adult", "evidence": "x", "valid_from": "2026-02-01", "valid_until": "2026-01-01"}, ""),
        ({"scope": "adult", "evidence": "x", "planned_from": "2031-01-01"}, ""),
        ({"scope": "adult", "evidence": "x", "note": "write to a.martin@chu.fr"}, "/note"),
        ({"scope": "all", "evidence": "x"}, "/scope"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_place(
    refused_admin: httpx.AsyncClient, given: dict[str, Any], pointer: str
) -> None:
    answer = await refused_admin.put(APHERESIS, json=given, headers=NEW)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert (await refused_admin.get(APHERESIS)).status_code == 404


async def test_alarms_come_once_at_90_30_and_0_days_to_the_centre_and_the_coordination(
    app: FastAPI, admin: httpx.AsyncClient, public: httpx.AsyncClient, centre: httpx.AsyncClient
) -> None:
    cursors = {client: await now(client) for client in (public, centre, admin)}
    await stated(centre, "jacie", evidence="FACT 1", valid_until=in_days(100))
    await stated(centre, "icu", evidence="ARS 2", valid_until=in_days(20))
    sent = []
    for days in (0, 10, 20, 70, 100, 101, 200):
        later = datetime.combine(TODAY + timedelta(days=days), datetime.min.time(), UTC)
        sent.append(sum(await asyncio.gather(*(report_some(app.state.database, later) for _ in range(2)))))
    assert sent == [0, 1, 1, 1, 1, 0, 0]
    for client, sees in ((public, False), (centre, True), (admin, True)):
        found = [
            (one["data"]["code"], one["data"]["days"])
            for one in await events_since(client, cursors[client])
            if one["type"] == "capability.expiring"
        ]
        assert found == ([("jacie", "90"), ("icu", "0"), ("jacie", "30"), ("jacie", "0")] if sees else [])
