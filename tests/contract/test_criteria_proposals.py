"""Criteria that one person proposes and another person signs, over HTTP."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import client_of, token_of
from tests.contract.test_registry import events_since, now

pytestmark = pytest.mark.anyio

TRIAL = "/registry/v1/trials/CLEIO-DEMO-0001"
CRITERIA = f"{TRIAL}/criteria"
PROPOSALS = f"{CRITERIA}/proposals"
SIGNER = {"signed_by": "B. Petit"}
PUBLISHED = "NCT05096221"
_SET = {"trial", "version", "grade", "signed_by", "signed_at", "source_hash"}


def posted(key: str, version: str) -> dict[str, str]:
    return {"Idempotency-Key": key.ljust(16, "-"), "If-Match": version}


async def draft_of(reader: httpx.AsyncClient) -> dict[str, Any]:
    """Return the criteria in force as their author would send them, with another age."""
    found = (await reader.get(CRITERIA)).json()
    draft = {name: value for name, value in found.items() if name not in _SET}
    age = next(one for one in draft["criteria"] if one["id"] == "I-AGE-1")
    age["expr"] = {"type": "age", "min": "P18Y", "max": "P51Y"}
    return draft


async def to_sign(client: httpx.AsyncClient) -> list[str]:
    """Return what the worklist of a person lists to sign: paths."""
    items = (await client.get("/registry/v1/worklist")).json()["items"]
    return [link for one in items if one["kind"] == "criteria_to_sign" for link in one["links"]]


async def test_another_person_signs_what_one_proposed(app: FastAPI, public: httpx.AsyncClient) -> None:
    draft = await draft_of(public)
    author = client_of(app, token=token_of("coordination", "editor", human="author"))
    signer = client_of(app, token=token_of("coordination", "editor", human="signer"))
    async with author, signer:
        following = await now(signer)
        proposed = await author.post(PROPOSALS, json=draft, headers=posted("propose", '"v1"'))
        assert proposed.status_code == 201, proposed.text
        assert proposed.headers["etag"] == '"v1"'
        assert (proposed.json()["mine"], proposed.json()["outcome"]) == (True, None)
        place = f"{PROPOSALS}/{proposed.json()['number']}"
        assert (await public.get(CRITERIA)).json()["version"] == 1  # those in force stay in force

        (link,) = await to_sign(signer)
        assert (await signer.get(link)).json()["number"] == proposed.json()["number"]
        assert await to_sign(author) == []  # its own
        own = await author.post(f"{place}/signature", json=SIGNER, headers=posted("own", '"v1"'))
        assert (own.status_code, own.json()["code"]) == (403, "signed_by_author")
        named = {"signed_by": draft["authored_by"]}
        same = await signer.post(f"{place}/signature", json=named, headers=posted("same", '"v1"'))
        assert same.status_code == 422
        signed = await signer.post(f"{place}/signature", json=SIGNER, headers=posted("signed", '"v1"'))
        assert (signed.status_code, signed.headers["etag"]) == (200, '"v2"'), signed.text
        assert signed.json()["signed_by"] == "B. Petit"
        in_force = (await public.get(CRITERIA)).json()
        assert next(one for one in in_force["criteria"] if one["id"] == "I-AGE-1")["expr"]["max"] == "P51Y"
        newest = (await public.get(f"{TRIAL}/history?limit=1")).json()["items"][0]
        assert (newest["source"], newest["changed"]) == ("curated", ["criteria"])

        events = await events_since(signer, following)
        assert [(one["type"], one["data"].get("outcome")) for one in events] == [
            ("criteria.proposed", None),
            ("criteria.proposal_ended", "signed"),
            ("criteria.signed", None),
        ]
        assert await to_sign(signer) == []
        again = await signer.post(f"{place}/signature", json=SIGNER, headers=posted("again", "*"))
        assert (again.status_code, again.json()["code"]) == (409, "proposal_ended")
        (listed,) = (await signer.get(PROPOSALS)).json()["items"]
        assert (listed["outcome"], listed["mine"], listed["version"]) == ("signed", False, 2)
        late = await author.post(PROPOSALS, json=draft, headers=posted("late", '"v1"'))
        assert late.status_code == 412  # it was made from criteria that are no longer in force
    assert (await public.get(PROPOSALS)).status_code == 401


async def test_a_proposal_has_no_error_is_withdrawn_and_goes_out_of_date(
    app: FastAPI, public: httpx.AsyncClient
) -> None:
    draft = await draft_of(public)
    author = client_of(app, token=token_of("coordination", "editor", human="author"))
    signer = client_of(app, token=token_of("coordination", "editor", human="signer"))
    async with author, signer:
        wrong = {**draft, "criteria": [{**draft["criteria"][0], "expr": {"type": "has", "codes": ["ORPHA:1"]}}]}
        refused = await author.post(PROPOSALS, json=wrong, headers=posted("wrong", "*"))
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "code_unknown")
        first = (await author.post(PROPOSALS, json=draft, headers=posted("first", "*"))).json()
        second = (await author.post(PROPOSALS, json=draft, headers=posted("second", "*"))).json()
        third = (await author.post(PROPOSALS, json=draft, headers=posted("third", "*"))).json()
        assert [one["number"] for one in (first, second, third)] == [1, 2, 3]

        gone = await signer.delete(f"{PROPOSALS}/1", headers={"If-Match": '"v1"'})
        assert gone.status_code == 204
        assert (await author.get(f"{PROPOSALS}/1")).json()["outcome"] == "withdrawn"
        signed = await signer.post(f"{PROPOSALS}/2/signature", json=SIGNER, headers=posted("two", "*"))
        assert signed.status_code == 200
        stale = await signer.post(f"{PROPOSALS}/3/signature", json=SIGNER, headers=posted("three", "*"))
        assert stale.status_code == 412
        assert (await author.get(f"{PROPOSALS}/3")).json()["outcome"] is None  # nothing half-written
        assert (await author.get(f"{PROPOSALS}/9")).status_code == 404


async def test_only_the_coordination_learns_of_a_proposal(app: FastAPI, public: httpx.AsyncClient) -> None:
    trial = f"/registry/v1/trials/{PUBLISHED}/criteria"
    found = (await public.get(trial)).json()
    draft = {name: value for name, value in found.items() if name not in {*_SET, "signed_by_rpps"}}
    following = await now(public)
    async with client_of(app, token=token_of("coordination", "editor", human="author")) as author:
        inside = await now(author)
        answer = await author.post(f"{trial}/proposals", json=draft, headers=posted("secret", "*"))
        assert answer.status_code == 201, answer.text
        assert [one["type"] for one in await events_since(author, inside)] == ["criteria.proposed"]
    async with client_of(app, token=token_of("hospital", "editor", organisation="chu")) as hospital:
        for reader in (public, hospital):
            assert await events_since(reader, following) == []
