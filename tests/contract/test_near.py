"""Lists near a place: what names it, the nearest open site of each trial, what caches keep, and reserved facets."""

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import ADMIN, INTERNAL, client_of, token_of
from tests.contract.registry import running_registry
from tests.geography import COMMUNES, DEPARTEMENTS, body_of

pytestmark = pytest.mark.anyio

TRIALS = "/registry/v1/trials"
# Strasbourg at the Mediterranean.
MOVED = COMMUNES.replace("48.57124,7.76752", "43.29239,5.42189")


@pytest.fixture
async def registry(stocked_url: str) -> AsyncIterator[FastAPI]:
    async with running_registry(stocked_url) as app:
        yield app


async def listed(client: httpx.AsyncClient, **query: str) -> list[Any]:
    answer = await client.get(TRIALS, params={"limit": "200", **query})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_each_trial_names_its_nearest_open_site(registry: FastAPI) -> None:
    async with client_of(registry) as anyone, client_of(registry, token=INTERNAL) as inside:
        for near in ("67", "67100", "strasbourg"):
            refused = await anyone.get(TRIALS, params={"near": near})
            assert refused.status_code == 400
            assert "cleio geo load" in refused.json()["errors"][0]["detail"]
        by_centre = await listed(anyone, near="fr-strasbourg", sort="distance")
        assert (
            await inside.post("/registry/v1/internal/geography/files", json=body_of(COMMUNES, DEPARTEMENTS))
        ).is_success
        for near in ("67", "67100", "STRASBOURG", "bas-rhin", "48.5712,7.7675"):
            found = await listed(anyone, near=near, sort="distance")
            assert [one["id"] for one in found] == [one["id"] for one in by_centre], near
        assert (await anyone.get(TRIALS, params={"near": "Atlantide"})).status_code == 400
        assert (await anyone.get(TRIALS, params={"near": "95.0,1.0"})).status_code == 400
        distances = [one["nearest"]["distance_km"] for one in found if one["nearest"]]
        assert distances == sorted(distances)
        assert found[0]["nearest"]["centre"] == "fr-strasbourg"
        assert found[0]["nearest"]["distance_km"] < 10
        with_site = [one for one in found if one["nearest"]]
        assert found[: len(with_site)] == with_site  # those that recruit somewhere come first
        assert all("nearest" not in one for one in await listed(anyone))
        # Of the centres that are left: the filter decides, not the distance.
        marseille = await listed(anyone, near="67", centre="fr-marseille")
        assert {one["nearest"]["centre"] for one in marseille if one["nearest"]} == {"fr-marseille"}
        within = await listed(anyone, near="67", radius="50", open="true", fields="identifier")
        assert within
        assert all(one.keys() == {"id", "identifier", "nearest"} for one in within)
        assert {one["nearest"]["centre"] for one in within} == {"fr-strasbourg"}
        table = await anyone.get(TRIALS, params={"near": "67", "radius": "50"}, headers={"Accept": "text/csv"})
        assert {one["nearest_centre"] for one in csv.DictReader(io.StringIO(table.text))} <= {"fr-strasbourg", ""}


async def test_new_files_take_effect_at_once(registry: FastAPI) -> None:
    async with client_of(registry) as anyone, client_of(registry, token=INTERNAL) as inside:
        for communes, nearest in ((COMMUNES, "fr-strasbourg"), (MOVED, "fr-marseille")):
            body = body_of(communes, DEPARTEMENTS)
            assert (await inside.post("/registry/v1/internal/geography/files", json=body)).is_success
            found = await listed(anyone, near="67100", sort="distance")
            assert found[0]["nearest"]["centre"] == nearest


async def test_pages_near_a_place_follow_each_other(registry: FastAPI) -> None:
    async with client_of(registry) as anyone:
        whole = [one["id"] for one in await listed(anyone, near="fr-necker")]
        seen: list[str] = []
        path: str | None = f"{TRIALS}?near=fr-necker&limit=4"
        while path:
            page = await anyone.get(path)
            seen += [one["id"] for one in page.json()["items"]]
            path = page.links["next"]["url"] if "next" in page.links else None
    assert seen == whole


async def test_caches_keep_lists_and_ask_each_time(registry: FastAPI) -> None:
    async with client_of(registry) as anyone, client_of(registry, token=token_of("coordination", "admin")) as staff:
        for path in (f"{TRIALS}?limit=4", f"{TRIALS}?q=lupus", f"{TRIALS}/statistics", f"{TRIALS}/suggest?q=lup"):
            for _ in range(2):  # the second answer comes from the cache of the process
                first = await anyone.get(path)
                assert first.headers["cache-control"] == "public, no-cache"
                assert first.headers.get_list("content-length") == [str(len(first.content))]
                again = await anyone.get(path, headers={"If-None-Match": first.headers["etag"]})
                assert (again.status_code, again.content) == (304, b"")
                assert again.headers["cache-control"] == "public, no-cache"
            private = await staff.get(path)
            assert private.headers["cache-control"] == "private, no-cache"
        first = await anyone.get(f"{TRIALS}?limit=4")
        titles = json.dumps({"titles": {"fr": "Étude"}})
        merge = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
        changed = first.json()["items"][0]["id"]
        assert (await staff.patch(f"{TRIALS}/{changed}", content=titles, headers=merge)).status_code == 200
        after = await anyone.get(f"{TRIALS}?limit=4", headers={"If-None-Match": first.headers["etag"]})
        assert after.status_code == 200


async def test_filters_and_facets_of_the_coordination(registry: FastAPI) -> None:
    async with (
        client_of(registry) as anyone,
        client_of(registry, token=token_of("authority")) as authority,
        client_of(registry, token=ADMIN) as staff,
    ):
        hide = json.dumps({"conditions": [{"text": "R/R MM"}]})
        merge = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
        assert (await staff.patch(f"{TRIALS}/NCT03745287", content=hide, headers=merge)).status_code == 200
        organisation = {"name": "CHU Exemple", "kind": "hospital"}
        new = {"If-None-Match": "*"}
        made = await staff.put("/registry/v1/organisations/chu-exemple", json=organisation, headers=new)
        assert made.status_code == 201, made.text
        transfer = {"owner": "chu-exemple", "reason": "agreed"}
        key = {"Idempotency-Key": "transfer-of-the-tests"}
        moved = await staff.post(f"{TRIALS}/NCT03964792/owner", json=transfer, headers=key)
        assert moved.is_success, moved.text
        for facet in ("scope", "state", "source", "owner"):
            assert (await anyone.get(f"{TRIALS}?facets={facet}")).status_code == 400
            page = (await staff.get(f"{TRIALS}?facets={facet}&sort=updated")).json()
            counts = {one["value"]: one["count"] for one in page["facets"][facet]}
            assert sum(counts.values()) >= 18
            for value, count in counts.items():
                assert len(await listed(staff, **{facet: value})) == count, (facet, value)
        assert counts == {"coordination": 17, "chu-exemple": 1}
        assert [one["identifier"] for one in await listed(staff, state="in_review")] == ["NCT03745287"]
        assert [one["identifier"] for one in await listed(authority, state="in_review")] == ["NCT03745287"]
        for query in ("owner=coordination", "facets=owner"):
            assert (await authority.get(f"{TRIALS}?{query}")).status_code == 400
