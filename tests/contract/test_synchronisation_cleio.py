"""A second installation reads the first one: export, feed, tombstones; nothing goes round in circles."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.registry.model.trial import TrialInput
from tests.conftest import ADMIN
from tests.contract.processes import ServiceProcess
from tests.contract.test_sources import study
from tests.contract.test_synchronisation import listed, sync, synchronising

pytestmark = pytest.mark.anyio

PEER = "cleio:nord"
PATCH = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
NUMBERS = [f"NCT9200{number:04}" for number in range(1, 8)]


@pytest.fixture
async def nord(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the coordination of another installation, a process of its own with the sample."""
    process = await asyncio.to_thread(ServiceProcess, tmp_path / "nord")
    headers = {"Authorization": f"Bearer {ADMIN}"}
    try:
        async with httpx.AsyncClient(base_url=process.url, headers=headers, trust_env=False) as client:
            await send(client, *(study(number) for number in NUMBERS))
            yield client
    finally:
        process.kill()


@pytest.fixture
def sud_url(stocked_file: Path, tmp_path: Path) -> str:
    shutil.copyfile(stocked_file, tmp_path / "sud.db")
    return f"sqlite:///{tmp_path / 'sud.db'}"


async def send(client: httpx.AsyncClient, *records: Any) -> None:
    lines = "\n".join(json.dumps(record) for record in records)
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await client.put("/registry/v1/sources/ctgov/trials", content=lines, headers=headers)
    assert answer.status_code == 200, answer.text


async def drafts(client: httpx.AsyncClient) -> dict[str, Any]:
    """Return what the trials say, with their criteria, by preferred number; without demonstrations."""
    items = (await client.get("/registry/v1/trials", params={"limit": "200"})).json()["items"]
    found = {}
    for one in items:
        if one["sample"] != "demo":
            trial = (await client.get(f"/registry/v1/trials/{one['identifier']}")).json()
            criteria = (await client.get(f"/registry/v1/trials/{one['identifier']}/criteria")).json()
            said = {name: trial[name] for name in TrialInput.model_fields}
            said["sites"] = [(site["centre"], site["status"]) for site in said["sites"]]
            found[one["identifier"]] = [said, criteria.get("cohorts"), trial["published"]]
    return found


async def test_a_second_installation_becomes_equal_to_the_first(sud_url: str, nord: httpx.AsyncClient) -> None:
    async with synchronising(sud_url, **{PEER: {"url": str(nord.base_url)}}) as sud:
        state = await sync(sud, PEER)
        assert (state["fault"], state["last_run"]["whole"], state["quarantine"]) == (None, True, 0)
        assert await drafts(sud) == await drafts(nord)
        # What changes afterwards comes by the feed: a statement, a status, a declaration of a centre, a new trial.
        contact = {"function": {"fr": "Unité d'essais", "en": "Trials unit"}, "email": "essais@example.org"}
        changes = {"titles": {"fr": "Un titre"}, "contact": contact}
        answer = await nord.patch(
            f"/registry/v1/trials/{NUMBERS[0]}", params={"reason": "test"}, json=changes, headers=PATCH
        )
        assert answer.status_code == 200, answer.text
        await send(nord, study(NUMBERS[1], statusModule={"overallStatus": "COMPLETED"}), study("NCT92000020"))
        site = {"status": "recruiting", "slots": []}
        path = f"/registry/v1/trials/{NUMBERS[2]}/sites/fr-necker"
        assert (await nord.put(path, json=site, headers={"If-None-Match": "*"})).status_code == 201
        state = await sync(sud, PEER)
        assert await listed(sud, "quarantine", PEER) == []
        assert (state["last_run"]["whole"], state["last_run"]["counts"]) == (False, {"created": 1, "updated": 3})
        assert await drafts(sud) == await drafts(nord)
        # The export, which may be older than the feed, and the feed after it.
        assert (await sync(sud, PEER, full=True))["last_run"]["whole"]
        assert await drafts(sud) == await drafts(nord)
        # Changed and changed back on one day.
        for status in ("COMPLETED", "RECRUITING"):
            await send(nord, study(NUMBERS[4], statusModule={"overallStatus": status}))
            assert (await sync(sud, PEER))["last_run"]["counts"] == {"updated": 1}
        # Withdrawn there: marked here, and never deleted.
        await send(nord, study(NUMBERS[3], conditionsModule={"conditions": ["Multiple myeloma"]}))
        state = await sync(sud, PEER)
        assert [one["trial"] for one in await listed(sud, "missing", PEER)] == [NUMBERS[3]]
        assert (await sud.get(f"/registry/v1/trials/{NUMBERS[3]}")).status_code == 200
        assert (await sud.post(f"/registry/v1/sources/{PEER}/sync", json={"since": "2026-01-01"})).status_code == 422


async def test_what_came_from_here_is_not_taken_back(sud_url: str, nord: httpx.AsyncClient, tmp_path: Path) -> None:
    """Another installation copied ours: of its trials only what is its own is taken."""
    plans = {"cleio:sud": {"url": str(nord.base_url), "pause_seconds": 0, "retry_seconds": 0.05}}
    est = await asyncio.to_thread(
        ServiceProcess,
        tmp_path / "est",
        sample=False,
        CLEIO_REGISTRY_SYNC=json.dumps(plans),
        CLEIO_OUTBOUND_DEV_HOSTS="127.0.0.0/8",
    )
    try:
        headers = {"Authorization": f"Bearer {ADMIN}"}
        async with httpx.AsyncClient(base_url=est.url, headers=headers, trust_env=False) as client:
            await sync(client, "cleio:sud")
            await send(client, study("NCT92000030"))
            async with synchronising(sud_url, **{PEER: {"url": est.url}}) as sud:
                state = await sync(sud, PEER)
                assert (state["last_run"]["counts"], state["listed"]) == ({"created": 1}, 1)
                assert (await sud.get("/registry/v1/trials/NCT92000030")).json()["origin"]["source"] == PEER
                assert (await sud.get(f"/registry/v1/trials/{NUMBERS[0]}")).status_code == 404
    finally:
        est.kill()
