"""Safety holds over HTTP: one person imposes, two of two organisations lift, and nothing else reopens."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI

from services.registry.safety_holds.repository import HoldRepository
from tests.contract.parties import AAV9, CENTRE, OTHER_CENTRE, TRIAL, Parties
from tests.contract.registry import running_registry
from tests.contract.test_registry import events_since, now

pytestmark = pytest.mark.anyio

STOP = {"scope": "trial", "kind": "sponsor_halt_safety", "reason": "serious_adverse_reaction"}
RESTART = {"basis": "substantial_modification", "reference": "SM-4", "decided_on": "2026-11-02"}
RIVAL_TRIAL = "NCT90000078"


@pytest.fixture
async def app(stocked_url: str) -> AsyncIterator[FastAPI]:
    async with running_registry(stocked_url) as app:
        yield app


@pytest.fixture
async def parties(app: FastAPI) -> Parties:
    parties = Parties(app)
    await parties.make_trial()
    return parties


async def sites(parties: Parties) -> dict[str, dict[str, Any]]:
    found = await parties.call("public", "GET", f"{TRIAL}/sites")
    return {one["centre"]: one for one in found["items"]}


async def test_a_hold_is_lifted_by_two_organisations_that_name_one_reference(parties: Parties) -> None:
    async with parties["public"] as public:
        cursor = await now(public)
        hold = await parties.call("sponsor ann", "POST", f"{TRIAL}/holds", STOP, expected=201)
        shown = (await parties.call("public", "GET", f"{TRIAL}/holds"))["items"]
        assert [(one["id"], one["scope"], one["kind"], one["organisation"]) for one in shown] == [
            (hold["id"], "trial", None, None)
        ]
        assert (await parties.call("centre", "GET", "/registry/v1/holds"))["items"][0]["kind"] == STOP["kind"]

        lift = f"/registry/v1/holds/{hold['id']}/lift"
        # Neither who imposed it, nor anyone without a reference, nor an organisation that is no party of it.
        await parties.call("sponsor ann", "POST", lift, RESTART, expected=403)
        no_reference = await parties.call("sponsor bob", "POST", lift, {**RESTART, "reference": None}, expected=422)
        assert no_reference["errors"][0]["pointer"] == "/reference"
        await parties.call("sponsor bob", "POST", lift, {**RESTART, "decided_on": "2999-01-01"}, expected=422)
        for stranger in ("rival", "centre"):
            await parties.call(stranger, "POST", lift, RESTART, expected=403)

        first = await parties.call("sponsor bob", "POST", lift, RESTART, version=1)
        assert first["in_force"] is True
        # A colleague is no second organisation; the other one must have read this version and name the same reference.
        await parties.call("sponsor cid", "POST", lift, RESTART, expected=403)
        await parties.call("coordination", "POST", lift, RESTART, version=1, expected=412)
        await parties.call("coordination", "POST", lift, {**RESTART, "reference": "SM-5"}, version=2, expected=409)
        assert (await sites(parties))[CENTRE]["confirmed_at"] is not None
        lifted = await parties.call("coordination", "POST", lift, RESTART, version=2)
        assert (lifted["in_force"], len(lifted["agreements"])) == (False, 2)
        await parties.call("coordination", "POST", lift, RESTART, expected=409)

        # Reopened, and unconfirmed until the site confirms.
        assert (await parties.call("public", "GET", f"{TRIAL}/holds"))["items"] == []
        assert {(one["confirmed_at"], one["stale"]) for one in (await sites(parties)).values()} == {(None, True)}
        await parties.call("centre", "PUT", f"{TRIAL}/sites/{CENTRE}", {"status": "recruiting"})
        assert [one["stale"] for one in (await sites(parties)).values()] == [True, False]
        events = [one for one in await events_since(public, cursor) if one["type"] == "trial.safety_hold"]
        # The feed keeps the newest event of a subject.
        assert [(one["subject"], one["data"]["changed"]) for one in events][-1] == (
            f"safety_hold/{hold['id']}",
            ["lifted"],
        )
        await parties.call("public", "GET", f"/registry/v1/holds/{hold['id']}", expected=404)


async def test_a_hold_acts_at_its_own_scope_and_alerts_the_parties_of_its_class(parties: Parties) -> None:
    dosed = {"dose_band": "1e14_vg_per_kg"}
    key = await parties.make_trial(RIVAL_TRIAL, owner="rival", product={**AAV9, **dosed, "name": "RV-2"})
    async with parties["coordination"] as admin:
        stated = await admin.patch(
            TRIAL, json={"product": dosed}, headers={"If-Match": "*", "Content-Type": "application/merge-patch+json"}
        )
    assert (stated.status_code, stated.json()["product"]["dose_band"]) == (200, dosed["dose_band"]), stated.text
    assert "promoter" not in stated.json()["product"]
    readers = {name: parties[name] for name in ("rival", "sponsor", "public", "centre")}
    cursors = {name: await now(client) for name, client in readers.items()}
    german = {"scope": "country", "target": "FR", "kind": "authority_suspension", "reason": "authority_measure"}
    await parties.call("coordination", "POST", f"{TRIAL}/holds", {**german, "target": "DE"}, expected=422)
    own = {"scope": "site", "target": CENTRE, "kind": "precaution", "reason": "site_incident"}
    await parties.call("centre", "POST", f"{TRIAL}/holds", own, expected=201)
    for hold in ({**own, "target": OTHER_CENTRE}, {**own, "kind": "sponsor_halt_other"}, STOP):
        await parties.call("centre", "POST", f"{TRIAL}/holds", hold, expected=403)
    await parties.call("rival", "POST", f"{TRIAL}/holds", STOP, expected=403)
    await parties.call("public", "POST", f"{TRIAL}/holds", STOP, expected=401)

    async with parties.app.state.database.read(as_service=True) as connection:
        holds = await HoldRepository(connection).in_force((await parties.call("public", "GET", TRIAL))["id"])
        assert await HoldRepository(connection).in_force(key) == []
    assert [hold.covers("FR", centre, "A", "AV-1") for hold in holds for centre in (CENTRE, OTHER_CENTRE)] == [
        True,
        False,
    ]
    alerted = {}
    for name, client in readers.items():
        found = [one for one in await events_since(client, cursors[name]) if one["type"] == "trial.class_alert"]
        alerted[name] = [(one["data"]["trial"], one["data"]["changed"]) for one in found]
        await client.aclose()
    alert = [(RIVAL_TRIAL, ["vector", "serotype", "dose_band"])]
    assert alerted == {"rival": alert, "sponsor": [], "public": [], "centre": alert}
    assert (await parties.call("public", "GET", f"/registry/v1/trials/{RIVAL_TRIAL}"))["status"] == "recruiting"


async def test_a_hold_on_a_product_holds_the_other_trials_of_its_owner(parties: Parties) -> None:
    names = {"same": ("NCT90000079", "av-1  "), "other": ("NCT90000080", "AV-2")}
    keys = {
        name: await parties.make_trial(number, product={**AAV9, "name": product.strip()})
        for name, (number, product) in names.items()
    }
    hold = {"scope": "product", "kind": "sponsor_halt_safety", "reason": "malignancy"}
    await parties.call("sponsor", "POST", f"{TRIAL}/holds", hold, expected=201)
    async with parties.app.state.database.read(as_service=True) as connection:
        repository = HoldRepository(connection)
        (held,) = await repository.in_force(keys["same"])
        assert held.covers("FR", CENTRE, None, "av-1")
        assert not any(one.covers("FR", CENTRE, None, "AV-2") for one in await repository.in_force(keys["other"]))
    assert len((await parties.call("public", "GET", f"/registry/v1/trials/{names['same'][0]}/holds"))["items"]) == 1
    assert (await parties.call("public", "GET", f"/registry/v1/trials/{names['other'][0]}/holds"))["items"] == []


async def test_of_a_trial_without_owner_a_centre_of_it_agrees(parties: Parties) -> None:
    await parties.make_trial("NCT90000081", owner=None, product=AAV9)
    path = "/registry/v1/trials/NCT90000081"
    hold = await parties.call("coordination imposer", "POST", f"{path}/holds", STOP, expected=201)
    lift = f"/registry/v1/holds/{hold['id']}/lift"
    await parties.call("sponsor", "POST", lift, RESTART, expected=403)
    await parties.call("coordination other", "POST", lift, RESTART)
    lifted = await parties.call("neighbour", "POST", lift, RESTART)
    assert [one["party"] for one in lifted["agreements"]] == ["coordination", "centre"]
    assert lifted["lifted_at"] is not None
    assert {one["stale"] for one in (await parties.call("public", "GET", f"{path}/sites"))["items"]} == {True}


async def test_a_hold_stays_in_force_when_its_trial_is_merged_into_another_one(parties: Parties) -> None:
    key = await parties.make_trial("NCT90000082")
    hold = await parties.call("sponsor imposer", "POST", f"{TRIAL}/holds", STOP, expected=201)
    merge = {"into": "NCT90000082", "reason": "one protocol"}
    await parties.call("coordination", "POST", f"{TRIAL}/merge", merge)
    for path in ("/registry/v1/trials/NCT90000082/holds", "/registry/v1/holds"):
        (shown,) = (await parties.call("public", "GET", path))["items"]
        assert (shown["id"], shown["trial"]) == (hold["id"], "NCT90000082")
    async with parties.app.state.database.read() as connection:
        assert [one.id for one in await HoldRepository(connection).in_force(key)] == [hold["id"]]
    lift = f"/registry/v1/holds/{hold['id']}/lift"
    await parties.call("sponsor other", "POST", lift, RESTART)
    assert (await parties.call("coordination", "POST", lift, RESTART))["in_force"] is False
    shown = (await parties.call("public", "GET", f"{TRIAL}/sites"))["items"]
    assert {one["stale"] for one in shown} == {True}
