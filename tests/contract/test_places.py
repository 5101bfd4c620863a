"""The table of facility texts: people say which places they are; stored trials and later records follow it."""

import uuid
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.contract.test_merge import NECKER, NUMBER, STRASBOURG, at, dated, place
from tests.contract.test_sources import send, study

pytestmark = pytest.mark.anyio

PLACES = "/registry/v1/places"
LAKE = place("Hôpital du Zzlac", "Strasbourg", "RECRUITING")
OTHER = "NCT90000002"


async def post(client: httpx.AsyncClient, **given: Any) -> httpx.Response:
    return await client.post(PLACES, json={"reason": "told by the centre", **given}, headers=_key())


async def assign(app: FastAPI, client: httpx.AsyncClient, **given: Any) -> dict[str, Any]:
    answer = await post(client, **given)
    assert answer.status_code == 201, answer.text
    await merged(app)
    return dict(answer.json())


async def merged(app: FastAPI) -> None:
    while await app.state.place_merges.merge_some():
        pass


def _key() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


async def sites(client: httpx.AsyncClient, number: str = NUMBER) -> dict[str, tuple[str | None, int]]:
    found = (await client.get(f"/registry/v1/trials/{number}/sites")).json()["items"]
    return {one["centre"]: (one["source_status"], one["version"]) for one in found}


async def test_a_text_that_a_person_assigns_is_a_site_of_stored_trials_and_of_later_records(
    app: FastAPI, admin: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    boston = {"facility": "Zzlac Hospital", "city": "Boston", "country": "United States"}
    await send(admin, dated("2025-01-01", **at(boston, LAKE)))
    assert await sites(public) == {}
    first, second = (await admin.get(f"{PLACES}/unmatched?q=zzlac")).json()["items"]
    assert (first["facility"], first["country"], first["trials"]) == ("Hôpital du Zzlac", "FR", 1)
    assert second["facility"] == "Zzlac Hospital"
    page = (await admin.get(f"{PLACES}/unmatched?q=zzlac&limit=1")).json()
    assert (await admin.get(f"{PLACES}/unmatched?q=zzlac&limit=1&cursor={page['next']}")).json()["items"] == [second]
    assert (await admin.get(f"{PLACES}/unmatched?country=US&q=zzlac")).json()["items"] == [second]

    said = await assign(app, admin, key=first["key"], centre="fr-strasbourg")
    assert (said["kind"], said["place"], said["version"]) == ("centre", "fr-strasbourg", 1)
    assert await sites(public) == {"fr-strasbourg": ("recruiting", 1)}
    assert (await admin.get(f"{PLACES}/unmatched?country=FR&q=zzlac")).json()["items"] == []
    # A later record, in another spelling; a second facility of the centre is the same site.
    other = study(
        OTHER, **at(place("HOPITAL DU ZZLAC", "Strasbourg", "RECRUITING"), {**STRASBOURG, "status": "SUSPENDED"})
    )
    await send(admin, other)
    assert await sites(public, OTHER) == {"fr-strasbourg": ("recruiting", 1)}

    withdrawn = await admin.delete(f"{PLACES}/{first['key']}", headers={"If-Match": '"v1"'})
    assert withdrawn.status_code == 200, withdrawn.text
    await merged(app)
    assert await sites(public) == {"fr-strasbourg": (None, 2)}
    assert await sites(public, OTHER) == {"fr-strasbourg": ("suspended", 2)}
    assert (await admin.get(PLACES)).json()["items"] == []
    (kept,) = (await admin.get(f"{PLACES}?withdrawn=true")).json()["items"]
    assert (kept["reason"], kept["author"], kept["withdrawn_by"]) == (
        "told by the centre", "coordination/coordination-client", "coordination/coordination-client",
    )  # fmt: skip
    gone = await admin.delete(f"{PLACES}/{first['key']}", headers={"If-Match": "*"})
    assert gone.status_code == 404


async def test_a_text_that_is_none_of_ours_or_another_hospital_leaves_the_site_of_a_centre(
    app: FastAPI, admin: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    second = place("Institut Imagine", "Paris", "SUSPENDED")
    await send(admin, dated("2025-01-01", **at(NECKER, STRASBOURG, LAKE, second)))
    text = {"facility": NECKER["facility"], "city": "Paris", "country": "FR"}
    await assign(app, admin, **text, none=True)
    # The other facility of the centre stays, with its own status.
    assert await sites(public) == {"fr-necker": ("suspended", 2), "fr-strasbourg": ("recruiting", 1)}
    await assign(app, admin, facility="Institut Imagine", city="Paris", country="FR", none=True)
    assert await sites(public) == {"fr-necker": (None, 3), "fr-strasbourg": ("recruiting", 1)}
    await assign(app, admin, **text, finess="750000001")
    lake = await assign(app, admin, facility="Hôpital du Zzlac", city="Strasbourg", country="FR", finess="670000001")
    found = {
        one["facility"]: (one["kind"], one["place"], one["source_status"])
        for one in (await public.get(f"/registry/v1/trials/{NUMBER}/facilities")).json()["items"]
    }
    assert found == {
        NECKER["facility"]: ("hospital", "750000001", "recruiting"),
        STRASBOURG["facility"]: ("centre", "fr-strasbourg", "recruiting"),
        LAKE["facility"]: ("hospital", "670000001", "recruiting"),
        "Institut Imagine": ("text", None, "suspended"),
    }
    # What no record names any more stays, and comes back with the next version.
    await send(admin, dated("2025-02-01", **at(STRASBOURG)))
    await send(admin, dated("2025-03-01", **at(STRASBOURG, LAKE)))
    after = {one["key"]: one for one in (await public.get(f"/registry/v1/trials/{NUMBER}/facilities")).json()["items"]}
    assert (after[lake["key"]]["version"], after[lake["key"]]["named"]) == (4, True)
    assert [one["named"] for one in after.values()].count(False) == 2


async def test_what_cannot_be_assigned_is_refused(admin: httpx.AsyncClient, public: httpx.AsyncClient) -> None:
    for given, pointer in (
        ({"facility": "A", "centre": "fr-nowhere"}, "/centre"),
        ({"key": "0" * 32, "none": True}, "/key"),
        ({"facility": "A", "centre": "fr-lille", "none": True}, ""),
        ({"key": "0" * 32, "facility": "A", "none": True}, ""),
    ):
        refused = await post(admin, **given)
        assert refused.status_code == 422, refused.text
        assert {one["pointer"] for one in refused.json()["errors"]} == {pointer}
    assert (await public.get(PLACES)).status_code == 401


async def test_overseas_places_are_part_of_france(admin: httpx.AsyncClient, public: httpx.AsyncClient) -> None:
    overseas = {"facility": "CHU", "city": "Saint-Denis", "country": "Réunion", "status": "RECRUITING"}
    await send(admin, dated("2025-01-01", **at(overseas)))
    headers = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
    for stated in ('{"acronym": "A"}', '{"countries": ["RE"]}'):
        await admin.patch(f"/registry/v1/trials/{NUMBER}", content=stated, headers=headers)
        for country in ("FR", "RE"):
            found = (await public.get(f"/registry/v1/trials?country={country}&limit=200")).json()["items"]
            assert NUMBER in {one["identifier"] for one in found}, (stated, country)
