"""Authorisation and opening of sites over HTTP: parties, days, blockers, and the green light."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError

from services.registry.activation.lapses import report_all
from shared.access import Principal
from shared.access.views import view_of
from tests.conftest import ADMIN, client_of, token_of
from tests.contract.registry import running_registry
from tests.contract.row_security import PUBLIC, rows
from tests.contract.test_capabilities import ANY, NEW, in_days, stated
from tests.contract.test_fit import AAV, TRIAL, owned
from tests.contract.test_registry import events_since, now

pytestmark = pytest.mark.anyio

PATH, GMO, SITE = f"{TRIAL}/regulatory-path", f"{TRIAL}/gmo-declaration", f"{TRIAL}/sites/fr-strasbourg/checklist"
CTIS = {"identifiers": [*AAV["identifiers"], {"type": "euct", "value": "2024-512345-12-00"}], "phase": "phase-1"}
DECLARED = {
    "containment_class": "C1", "regime": "contained_use", "state": "accepted", "reference": "ANSM 2026/7",
    "declared_on": "2026-01-05", "decided_on": "2026-02-03", "sites": ["fr-necker"],
}  # fmt: skip


@pytest.fixture
async def sponsor(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, token=token_of("sponsor", "editor", organisation="acme")) as client:
        yield client


@pytest.fixture
async def centre(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, token=token_of("centre", "editor", centre="fr-strasbourg")) as client:
        yield client


async def put(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], status: int = 201, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    answer = await client.put(path, json=body, headers=headers or (ANY if status == 200 else NEW))
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def codes(found: dict[str, Any], name: str = "blockers") -> list[str]:
    return [one["code"] for one in found[name]]


async def test_a_site_opens_once_everything_is_done_and_nothing_blocks_it(
    admin: httpx.AsyncClient, sponsor: httpx.AsyncClient, centre: httpx.AsyncClient
) -> None:
    await owned(admin, {**AAV, **CTIS})
    cursor = await now(centre)
    found = (await centre.get(PATH)).json()
    assert codes(found) == ["ctr_not_authorised", "gmo_missing"]
    assert codes(found, "alarms") == ["lriph_to_confirm"]
    await put(sponsor, GMO, DECLARED)
    await put(sponsor, f"{PATH}/lriph", {"state": "under_way", "on": "2026-01-05"})
    found = await put(sponsor, f"{PATH}/decision", {"state": "done", "on": "2026-03-02", "reference": "CTIS"})
    assert (codes(found), codes(found, "alarms"), found["lapses_on"]) == (["lriph_pending"], [], "2028-03-02")

    listed = (await centre.get(SITE)).json()
    required = [one["item"] for one in listed["items"] if one["required"]]
    assert (required[:4], listed["missing"]) == (["contract", "gmo_list", "lriph", "pharmacy"], required[:-1])
    assert codes(listed) == ["lriph_pending", "gmo_site_not_listed"]
    for item in required[:-1]:
        client = centre if item in {"lriph", "pharmacy", "biosafety"} else sponsor
        await put(client, f"{SITE}/{item}", {"due": in_days(30)})
        await put(centre if client is sponsor else sponsor, f"{SITE}/{item}", {}, 403, ANY)
    early = await put(sponsor, f"{SITE}/green_light", {"done_on": in_days(0)}, 409, NEW)
    assert (early["code"], [one["code"] for one in early["errors"]]) == ("checklist_incomplete", required[:-1])
    for item in required[:-1]:
        await put(admin, f"{SITE}/{item}", {"done_on": in_days(-1), "reference": f"{item} 1"}, 200)
    blocked = await put(sponsor, f"{SITE}/green_light", {"done_on": in_days(0)}, 409, NEW)
    assert [one["code"] for one in blocked["errors"]] == ["lriph_pending", "gmo_site_not_listed"]
    await put(sponsor, f"{PATH}/lriph", {"state": "done", "on": "2026-05-04"}, 200)
    await put(sponsor, GMO, {**DECLARED, "sites": ["fr-necker", "fr-strasbourg"]}, 200)
    await put(sponsor, f"{SITE}/green_light", {"done_on": in_days(-2)}, 422, NEW)
    given = await put(sponsor, f"{SITE}/green_light", {"done_on": in_days(0)})
    assert (given["state"], given["version"]) == ("done", 1)
    assert (await put(centre, f"{SITE}/pharmacy", {}, 409, ANY))["code"] == "green_light_given"
    assert (await centre.get(SITE)).json()["green_light"] == in_days(0)

    sent = [(one["type"], one["data"]["part"]) for one in await events_since(centre, cursor)]
    assert {*sent} == {("activation.changed", part) for part in ("gmo", "path", "checklist")}
    await put(sponsor, f"{SITE}/green_light", {"done_on": None}, 200)
    await put(centre, f"{SITE}/pharmacy", {}, 200)
    # The last item and the green light at once: whichever comes first, the site is never open with an item undone.
    await put(centre, f"{SITE}/pharmacy", {"done_on": in_days(0)}, 200)
    race = [
        sponsor.put(f"{SITE}/green_light", json={"done_on": in_days(0)}, headers=ANY),
        centre.put(f"{SITE}/pharmacy", json={}, headers=ANY),
    ]
    assert sorted(one.status_code for one in await asyncio.gather(*race)) == [200, 409]


async def test_only_the_parties_of_a_trial_see_and_prepare_it(
    app: FastAPI, admin: httpx.AsyncClient, sponsor: httpx.AsyncClient, centre: httpx.AsyncClient
) -> None:
    await owned(admin)
    await put(sponsor, GMO, DECLARED)
    await put(sponsor, f"{SITE}/contract", {"due": in_days(3)})
    strangers = (
        token_of("sponsor", "editor", organisation="other"),
        token_of("centre", "editor", centre="fr-necker"),
    )
    for token in strangers:
        async with client_of(app, token=token) as stranger:
            for path in (PATH, GMO, SITE, f"{SITE}/contract"):
                assert (await stranger.get(path)).status_code == 404, path
            refused = await stranger.put(f"{SITE}/contract", json={}, headers=ANY)
            assert refused.status_code == 404
    async with client_of(app, token=token_of("hospital", "editor")) as hospital:
        assert (await hospital.get(PATH)).status_code == 403
    async with client_of(app, token=token_of("authority", "editor")) as authority:
        assert (await authority.get(SITE)).json()["items"][0]["due"] == in_days(3)
        assert (await authority.put(f"{SITE}/contract", json={}, headers=ANY)).status_code == 403
    assert (await centre.get(GMO)).json()["sites"] == ["fr-necker"]
    assert (await centre.put(GMO, json=DECLARED, headers=ANY)).status_code == 403
    assert (await centre.get(f"{TRIAL}/sites/fr-necker/checklist")).status_code == 404
    # A centre cannot pass its task on.
    await put(centre, f"{SITE}/pharmacy", {"owner": "sponsor"}, 403, NEW)
    await put(sponsor, f"{SITE}/contract", {}, 412, {"If-Match": '"v2"'})


@pytest.mark.parametrize(
    ("path", "body", "fault"),
    [
        (GMO, {**DECLARED, "sites": ["fr-nowhere"]}, ("/sites/0", "unknown_centre")),
        (GMO, {**DECLARED, "declared_on": in_days(1), "decided_on": in_days(2)}, ("/declared_on", "in_the_future")),
        (GMO, {**DECLARED, "decided_on": "2025-12-31"}, ("", "order")),
        (GMO, {**DECLARED, "reference": "1 84 12 76 451 089 46"}, ("/reference", "identifier_forbidden")),
        (GMO, {"state": "not_required", "sites": ["fr-lille"]}, ("", "not_required")),
        (f"{PATH}/part_1", {"state": "done"}, ("", "day")),
        (f"{PATH}/part_1", {"state": "done", "on": in_days(1)}, ("/on", "in_the_future")),
        (f"{PATH}/part_1", {"state": "planned", "on": "9999-12-31"}, ("/on", "impossible_day")),
        (f"{PATH}/part_1", {"state": "done", "on": "2026-01-31"}, ("/on", "out_of_order")),
        (f"{PATH}/submission", {"state": "done", "on": "2026-02-02"}, ("/on", "out_of_order")),
        (f"{SITE}/contract", {"done_on": in_days(1)}, ("/done_on", "in_the_future")),
    ],
)
async def test_impossible_statements_are_refused_with_their_place(
    prepared: httpx.AsyncClient, path: str, body: dict[str, Any], fault: tuple[str, str]
) -> None:
    found, *_ = (await put(prepared, path, body, 422, NEW))["errors"]
    assert (found["pointer"], found["code"]) == fault


@pytest.fixture(scope="module")
async def prepared(standing_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """The sponsor of a trial that was validated on 2026-02-01."""
    async with client_of(standing_app, token=token_of("coordination", "admin", "editor")) as admin:
        await owned(admin)
    async with client_of(standing_app, token=token_of("sponsor", "editor", organisation="acme")) as client:
        await put(client, f"{PATH}/validation", {"state": "done", "on": "2026-02-01"})
        yield client


async def test_a_statement_without_a_condition_returns_only_the_rows_of_a_party(postgresql_url: str) -> None:
    async with running_registry(postgresql_url) as app, client_of(app, token=ADMIN) as admin:
        await owned(admin)
        database = app.state.database
        await stated(admin, "thawing", evidence="ref 1")
        for path, body in (
            (GMO, DECLARED),
            (f"{TRIAL}/needs", {"complete": True}),
            (f"{TRIAL}/follow-up", {"years": 15, "reference": "protocol 1"}),
            (f"{SITE}/contract", {}),
        ):
            await put(admin, path, body)
        everything = {"gmo", "needs", "follow_up", "checklist"}
        for kind, more, parts, sees in (
            ("sponsor", {"organisation": "acme"}, everything, True),
            ("sponsor", {"organisation": "other"}, {"needs", "follow_up"}, True),
            ("centre", {"centre": "fr-strasbourg"}, everything, True),
            ("centre", {"centre": "fr-necker"}, {"needs", "follow_up"}, False),
            ("hospital", {}, {"follow_up"}, False),
            ("authority", {}, everything, True),
        ):
            view = view_of(Principal(kind, **{"organisation": kind, **more}))  # type: ignore[arg-type]
            assert {*await rows(database, "SELECT part FROM preparation_versions", view)} == parts, (kind, more)
            evidence = await rows(database, "SELECT code FROM capability_versions", view)
            assert (evidence == ["thawing"]) is sees, (kind, more)
        assert await rows(database, "SELECT part FROM preparation_versions", PUBLIC) == ["follow_up"]
        with pytest.raises(DBAPIError, match="permission denied"):
            await rows(database, "SELECT code FROM capability_versions", PUBLIC)


async def test_an_authorisation_that_lapsed_is_reported_once_to_the_parties(
    app: FastAPI, admin: httpx.AsyncClient, sponsor: httpx.AsyncClient
) -> None:
    await owned(admin, {**AAV, **CTIS})
    found = await put(sponsor, f"{PATH}/decision", {"state": "done", "on": "2026-03-02", "reference": "CTIS"})
    assert found["lapses_on"] == "2028-03-02"
    cursor, database = await now(sponsor), app.state.database
    days = [datetime(2028, 3, day, tzinfo=UTC) for day in (2, 3, 4)]
    assert [await report_all(database, day) for day in days] == [0, 1, 0]
    events = await events_since(sponsor, cursor)
    assert [(one["type"], one["data"]["part"], one["data"]["item"]) for one in events] == [
        ("activation.changed", "path", "authorisation_lapsed")
    ]
    async with client_of(app) as public:
        assert await events_since(public, cursor) == []
    # A later decision lapses at another day.
    await put(sponsor, f"{PATH}/decision", {"state": "done", "on": "2026-04-01", "reference": "CTIS 2"}, 200)
    assert await report_all(database, datetime(2028, 4, 2, tzinfo=UTC)) == 1
