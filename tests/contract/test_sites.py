"""Sites over HTTP: a declaration is a version of the site, which every reader sees, and not of the trial."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from services.registry.app import METADATA, MIGRATIONS
from services.registry.trials.sites.stale import report_some
from shared.persistence import open_database
from shared.persistence.migrations import upgrade
from tests.conftest import ADMIN, client_of, token_of
from tests.contract.registry import running_registry
from tests.contract.test_merge import NECKER, NUMBER, STRASBOURG, TRIAL, at, dated, items
from tests.contract.test_migrated_trials import downgrade
from tests.contract.test_registry import events_since, now
from tests.contract.test_sources import send

pytestmark = pytest.mark.anyio

SITE = f"{TRIAL}/sites/fr-strasbourg"
EXISTING, NEW = {"If-Match": "*"}, {"If-None-Match": "*"}
COHORTS = {"cohorts": [{"id": name, "label": {"fr": name, "en": name}} for name in "AB"]}


@pytest.fixture
async def centre(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, token=token_of("centre", "editor", "system", centre="fr-strasbourg")) as client:
        yield client


async def declare(client: httpx.AsyncClient, site: str, **given: Any) -> dict[str, Any]:
    known = (await client.get(site.rpartition("/")[0])).json()["items"]
    headers = EXISTING if site.rpartition("/")[2] in {one["centre"] for one in known} else NEW
    answer = await client.put(site, json={"status": "recruiting", **given}, headers=headers)
    assert answer.status_code in {200, 201}, answer.text
    return dict(answer.json())


def statuses(trial: dict[str, Any]) -> dict[str, str]:
    return {one["centre"]: one["status"] for one in trial["sites"]}


async def exported(client: httpx.AsyncClient) -> dict[str, Any]:
    lines = [json.loads(line) for line in (await client.get("/registry/v1/export")).text.splitlines()]
    return next(one for one in lines if one["kind"] == "trial" and one["trial"]["identifier"] == NUMBER)


async def test_every_reader_sees_a_declaration_and_the_trial_stays_as_it_was(
    app: FastAPI, admin: httpx.AsyncClient, public: httpx.AsyncClient, centre: httpx.AsyncClient
) -> None:
    await send(admin, dated("2025-01-01", **at(NECKER, STRASBOURG)))
    before, history = await public.get(TRIAL), (await admin.get(f"{TRIAL}/history")).json()
    cursor = await now(public)
    declared = await declare(centre, SITE, status="suspended")
    await declare(admin, f"{TRIAL}/sites/fr-toulouse")
    expected = {"fr-necker": "recruiting", "fr-strasbourg": "suspended", "fr-toulouse": "recruiting"}

    for reader in (public, admin):
        after = await reader.get(TRIAL)
        assert (after.headers["etag"], statuses(after.json())) == (before.headers["etag"], expected)
        assert {**after.json(), "sites": []} == {**before.json(), "sites": []}
        for query in (f"q={NUMBER}", f"ids={NUMBER}&fields=sites"):
            (listed,) = (await reader.get(f"/registry/v1/trials?{query}")).json()["items"]
            assert listed["sites"] == after.json()["sites"]
        (plain,) = [
            one
            for one in (await reader.get("/registry/v1/trials?limit=200")).json()["items"]
            if one["identifier"] == NUMBER
        ]
        assert plain == after.json()
        lines = await reader.get(f"/registry/v1/trials?ids={NUMBER}", headers={"Accept": "application/x-ndjson"})
        assert json.loads(lines.text) == after.json()
    site = next(one for one in after.json()["sites"] if one["centre"] == "fr-strasbourg")
    assert (site["confirmed_at"], site["stale"]) == (declared["confirmed_at"], False)
    assert (await admin.get(f"{TRIAL}/history")).json() == history
    async with client_of(app, token=token_of("network", "system")) as partner:
        line = await exported(partner)
    assert (line["version"], line["trial"]) == (before.json()["version"], after.json())
    study = (await public.get(f"/fhir/ResearchStudy/{NUMBER}")).json()
    states = [
        {part["url"]: next(value for name, value in part.items() if name != "url") for part in extension["extension"]}
        for one in study["site"]
        for extension in one.get("extension", ())
    ]
    assert {one["centre"]: one["status"] for one in states} == expected
    found = (await public.get("/registry/v1/trials?centre=fr-strasbourg&open=true&limit=200")).json()["items"]
    assert NUMBER not in {one["identifier"] for one in found}

    events = [(one["type"], one["data"]["centre"], one["data"]["status"]) for one in await events_since(public, cursor)]
    assert events == [("site.closed", "fr-strasbourg", "suspended"), ("site.opened", "fr-toulouse", "recruiting")]
    # A change of the trial now concerns the readers of the centre that declared itself.
    cursor = await now(public)
    await send(admin, dated("2025-02-01", **at(NECKER, STRASBOURG)))
    assert [
        one["type"]
        for one in await events_since(public, f"{cursor}&centre=fr-toulouse")
        if one["type"] != "trial.removed"
    ] == ["trial.updated"]


async def test_what_was_read_and_sent_back_states_nothing_of_sites(admin: httpx.AsyncClient) -> None:
    await send(admin, dated("2025-01-01", **at(NECKER, STRASBOURG)))
    await declare(admin, SITE, status="suspended")
    await declare(admin, f"{TRIAL}/sites/fr-toulouse")
    read = (await admin.get(TRIAL)).json()
    own = ("id", "identifier", "version", "updated_at", "criteria", "scope", "published", "state", "origin")
    draft = {name: value for name, value in read.items() if name not in own}
    draft["sites"] = [{"centre": one["centre"], "status": one["status"]} for one in read["sites"]]
    answer = await admin.put(TRIAL, json=draft, headers=EXISTING)
    assert (answer.status_code, answer.json()) == (200, read)
    assert await items(admin, "statements") == []


async def test_the_history_of_a_site_says_what_was_known_before_and_after(
    admin: httpx.AsyncClient, public: httpx.AsyncClient, centre: httpx.AsyncClient
) -> None:
    await send(admin, dated("2025-01-01", **at(STRASBOURG)))
    await declare(centre, SITE, slots=[{"cohort": "all", "open": 2}])
    await send(admin, dated("2025-02-01", contactsLocationsModule={}))
    path = f"{SITE}/history"
    page = (await admin.get(f"{path}?limit=2")).json()
    last = (await admin.get(page["next"] and f"{path}?limit=2&cursor={page['next']}")).json()
    assert last["next"] is None
    third, second, first = [*page["items"], *last["items"]]
    assert [(one["version"], one["by"], one["author"]) for one in (first, second, third)] == [
        (1, "source", None), (2, "declaration", "centre-of-the-tests/centre-client"), (3, "source", None),
    ]  # fmt: skip
    assert (first["before"], first["after"]["source_status"]) == (None, "recruiting")
    assert second["before"] == first["after"]
    assert second["after"]["slots"] == [{"cohort": "all", "open": 2, "status": None}]
    assert (third["after"]["status"], third["after"]["source_status"]) == ("recruiting", None)
    shown = (await public.get(path)).json()["items"]
    assert [(one["version"], one["author"], one["after"]["slots"]) for one in shown] == [
        (number, None, None) for number in (3, 2, 1)
    ]
    assert (await public.get(f"{TRIAL}/sites/fr-lille/history")).status_code == 404


async def test_a_cohort_may_have_a_status_of_its_own_which_everyone_sees(
    admin: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    await send(admin, dated("2025-01-01", **at(STRASBOURG)))
    headers = {**EXISTING, "Content-Type": "application/merge-patch+json"}
    assert (await admin.patch(TRIAL, content=json.dumps(COHORTS), headers=headers)).status_code == 200
    await declare(admin, SITE, slots=[{"cohort": "A", "open": 0, "status": "suspended"}, {"cohort": "B", "open": 1}])
    (site,) = await items(public, "sites")
    assert (site["status"], site["slots"]) == ("recruiting", None)
    assert site["cohorts"] == [{"cohort": "A", "status": "suspended"}]


async def test_one_event_for_each_staleness_whichever_replica_reports_it(
    app: FastAPI, admin: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    database, later = app.state.database, datetime.now(UTC) + timedelta(days=31)
    while await report_some(database, later):
        pass
    await send(admin, dated("2025-01-01", **at(NECKER, STRASBOURG)))
    cursor = await now(public)
    for _ in range(2):
        version = (await declare(admin, SITE))["version"]
        assert await report_some(database, datetime.now(UTC)) == 0
        assert sum(await asyncio.gather(*(report_some(database, later) for _ in range(3)))) == 1
        # What a source says afterwards confirms nothing.
        await send(admin, dated(f"2025-0{version}-01", **at(NECKER, STRASBOURG)))
        assert await report_some(database, later) == 0
    events = [one for one in await events_since(public, cursor) if one["type"] == "site.stale"]
    assert [(one["data"]["centre"], one["data"]["status"], one["data"]["version"]) for one in events] == [
        ("fr-strasbourg", "recruiting", 2), ("fr-strasbourg", "recruiting", 3),
    ]  # fmt: skip


async def test_the_migration_keeps_what_readers_see(stocked_url: str) -> None:
    async with running_registry(stocked_url) as app, client_of(app, token=ADMIN) as admin:
        await send(admin, dated("2025-01-01", **at(NECKER, STRASBOURG)))
        await declare(admin, SITE, status="suspended", slots=[{"cohort": "all", "open": 1}])
        before = (await admin.get(TRIAL)).json()
    database = open_database(stocked_url)
    await downgrade(database, "0013")
    async with database.read(as_service=True) as connection:
        found = text("SELECT document FROM trials WHERE public_id = :number")
        document = json.loads((await connection.execute(found, {"number": NUMBER})).scalar_one())
    assert statuses(document) == {"fr-necker": "recruiting", "fr-strasbourg": "suspended"}
    await upgrade(database, MIGRATIONS, METADATA)
    await database.close()
    async with running_registry(stocked_url) as app, client_of(app, token=ADMIN) as admin:
        assert (await admin.get(TRIAL)).json() == before
        await send(admin, dated("2025-01-01", **at(NECKER, STRASBOURG)))
        assert (await admin.get(TRIAL)).json() == before
        (first,) = (await admin.get(f"{SITE}/history")).json()["items"]
        assert (first["version"], first["by"], first["after"]["status"]) == (2, "earlier", "suspended")
        assert await report_some(app.state.database, datetime.now(UTC) + timedelta(days=31)) > 0
