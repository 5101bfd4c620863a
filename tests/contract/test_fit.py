"""Product × site and long-term follow-up over HTTP: what is not known is never met, what the sponsor states wins."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import client_of, token_of
from tests.contract.test_capabilities import ANY, NEW, in_days
from tests.contract.test_registry import a_trial, create, events_since, now

pytestmark = pytest.mark.anyio

NUMBER = "NCT99999991"
TRIAL = f"/registry/v1/trials/{NUMBER}"
# Intravenous AAV in children: ORPHA:98896 is Duchenne muscular dystrophy.
AAV = a_trial(
    NUMBER,
    conditions=[{"code": "ORPHA:98896", "text": "Duchenne muscular dystrophy"}],
    product={"name": "X", "atmp_class": "gene_therapy", "delivery": "in_vivo", "vector": "aav", "route": "intravenous"},
    study_type="interventional",
    eligibility={"minimum_age": "P4Y", "maximum_age": "P8Y"},
    sites=[{"centre": "fr-strasbourg", "status": "recruiting"}],
)


async def owned(admin: httpx.AsyncClient, trial: dict[str, Any] = AAV, owner: str = "acme") -> None:
    """Create a trial that belongs to a sponsor."""
    assert (await create(admin, trial)).status_code == 201
    path, body = f"/registry/v1/organisations/{owner}", {"kind": "sponsor", "name": owner}
    assert (await admin.put(path, json=body, headers=NEW)).status_code == 201
    given = {"owner": owner, "reason": "it submitted the trial"}
    answer = await admin.post(f"{TRIAL}/owner", json=given, headers={"Idempotency-Key": f"owner-is-{owner}-0000000"})
    assert answer.status_code == 200, answer.text


@pytest.fixture
async def sponsor(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, token=token_of("sponsor", "editor", organisation="acme")) as client:
        yield client


@pytest.fixture
async def centre(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, token=token_of("centre", "editor", centre="fr-strasbourg")) as client:
        yield client


async def fit_of(client: httpx.AsyncClient, centre: str = "fr-strasbourg") -> dict[str, Any]:
    answer = await client.get(f"{TRIAL}/fit?centre={centre}")
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["centres"]
    return dict(found)


async def test_a_centre_is_able_once_everything_is_stated_and_valid(
    app: FastAPI, admin: httpx.AsyncClient, sponsor: httpx.AsyncClient, centre: httpx.AsyncClient
) -> None:
    await owned(admin)
    whole = (await sponsor.get(f"{TRIAL}/fit")).json()
    assert (whole["populations"], whole["not_known"], len(whole["centres"])) == (["paediatric"], [], 11)
    needs = [one["code"] for one in whole["needs"]]
    assert {"gmo_c1", "pui_atmp", "pui_reconstitution", "tma_readiness", "paediatric_icu"} <= {*needs}
    assert "apheresis" not in needs
    # Nothing is stated: unknown is never met.
    before = await fit_of(centre)
    assert (before["answer"], before["reasons"]) == ("able_after", ["to_confirm"])

    other = {"gmo_c1": "gmo_c2", "paediatric_icu": ""}
    for code in needs:
        body: dict[str, Any] = {"scope": "both", "evidence": f"ref {code}", "valid_until": in_days(300)}
        if other.get(code, code):
            path = f"/registry/v1/centres/fr-strasbourg/capabilities/{other.get(code, code)}"
            assert (await centre.put(path, json=body, headers=NEW)).status_code == 201
    icu, tma = (
        f"/registry/v1/centres/fr-strasbourg/capabilities/{code}" for code in ("paediatric_icu", "tma_readiness")
    )
    await centre.put(icu, json={"scope": "paediatric", "held": False}, headers=NEW)
    found = await fit_of(sponsor)
    (never,) = [one for one in found["items"] if one["never"]]
    assert (found["answer"], never["code"], never["state"]) == ("unable", "paediatric_icu", "absent")
    planned = {"scope": "paediatric", "held": False, "planned_from": in_days(20)}
    assert (await centre.put(icu, json=planned, headers=ANY)).status_code == 200
    await centre.put(tma, json={"scope": "adult"}, headers=ANY)
    found = await fit_of(centre)
    missing = {one["code"]: (one["state"], one["weeks"], one["estimated"]) for one in found["items"] if one["weeks"]}
    assert (found["answer"], found["weeks"], found["estimated"]) == ("able_after", 12, True)
    assert missing == {"paediatric_icu": ("planned", 3, False), "tma_readiness": ("absent", 12, True)}

    await centre.put(icu, json={"scope": "paediatric", "evidence": "ARS 7"}, headers=ANY)
    stated = {"not_needed": [{"code": "tma_readiness", "reason": "low dose"}]}
    assert (await sponsor.put(f"{TRIAL}/needs", json=stated, headers=NEW)).status_code == 201
    found = await fit_of(sponsor)
    assert (found["answer"], found["weeks"], found["reasons"]) == ("able", 0, [])
    (gmo,) = [one for one in found["items"] if one["code"] == "gmo_c1"]
    assert (gmo["state"], gmo["evidence"]["code"], gmo["evidence"]["evidence"]) == ("met", "gmo_c2", "ref gmo_c1")

    assert (await centre.get(f"{TRIAL}/fit?centre=fr-necker")).status_code == 404
    assert [one["centre"] for one in (await centre.get(f"{TRIAL}/fit")).json()["centres"]] == ["fr-strasbourg"]
    async with client_of(app, token=token_of("sponsor", "editor", organisation="other")) as stranger:
        for path in ("fit", "needs"):
            assert (await stranger.get(f"{TRIAL}/{path}")).status_code == 404
        assert (await stranger.put(f"{TRIAL}/needs", json=stated, headers=ANY)).status_code == 404
    assert (await centre.put(f"{TRIAL}/needs", json=stated, headers=ANY)).status_code == 403


async def test_of_two_who_change_the_needs_of_one_version_one_succeeds(
    admin: httpx.AsyncClient, sponsor: httpx.AsyncClient, centre: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    await owned(admin)
    cursors = {client: await now(client) for client in (admin, sponsor, centre, public)}
    assert (await sponsor.put(f"{TRIAL}/needs", json={"complete": True}, headers=NEW)).headers["etag"] == '"v1"'
    given = [
        {"needed": [{"code": "biopsy"}]},
        {"needed": [{"code": "biopsy"}], "not_needed": [{"code": "biopsy", "reason": "x"}]},
        {"needed": [{"code": "no_such_code"}]},
    ]
    version = {"If-Match": '"v1"'}
    sent = [client.put(f"{TRIAL}/needs", json=given[0], headers=version) for client in (admin, sponsor, admin)]
    assert sorted(one.status_code for one in await asyncio.gather(*sent)) == [200, 412, 412]
    for body in given[1:]:
        assert (await sponsor.put(f"{TRIAL}/needs", json=body, headers=ANY)).status_code == 422
    assert (await sponsor.get(f"{TRIAL}/needs")).json()["needed"][0]["code"] == "biopsy"
    for client, cursor in cursors.items():
        found = [(one["data"]["part"], one["data"]["version"]) for one in await events_since(client, cursor)]
        assert found == ([] if client is public else [("needs", 1), ("needs", 2)])


async def test_follow_up_is_that_of_the_protocol_where_it_is_stated(
    admin: httpx.AsyncClient, sponsor: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    await owned(admin)
    path = f"{TRIAL}/follow-up"
    usual = (await public.get(f"{path}?dosed_on=2024-02-29&adult_on=2027-03")).json()
    assert (usual["by"], usual["kind"], usual["years"], usual["ends_on"]) == (
        "usual",
        "non_integrating",
        5,
        "2029-02-28",
    )
    days = {one["months"]: (one["on"], one["own_consent"]) for one in usual["visits"]}
    assert (days[12], days[36], days[48]) == (("2025-02-28", False), ("2027-02-28", False), ("2028-02-29", True))
    stated = {"years": 15, "months": [1, 12, 180], "reference": "protocol 4.0"}
    assert (await sponsor.put(path, json=stated, headers=NEW)).status_code == 201
    found = await public.get(path)
    assert (found.headers["etag"], found.json()["by"], found.json()["years"]) == ('"v1"', "sponsor", 15)
    assert [one["months"] for one in found.json()["visits"]] == [1, 12, 180]
    for query in ("born_month=2010-01", "dosed_on=1850-01-01", "adult_on=2027-03-04"):
        assert (await public.get(f"{path}?{query}")).status_code == 400, query
    for wrong in ({"months": [12, 6]}, {"months": [181]}, {"reference": "tel. 06 12 34 56 78"}):
        assert (await sponsor.put(path, json={**stated, **wrong}, headers=ANY)).status_code == 422, wrong
