"""Organisations over HTTP, on both databases: changes, the effect of a suspension, and its announcement."""

import asyncio
from typing import Any

import pytest

from tests.contract.network import CENTRE, ORGANISATIONS, Network

pytestmark = pytest.mark.anyio


def described(kind: str = "hospital", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "name": "Hospital of the tests", **more}


async def test_an_organisation_is_created_read_and_changed_by_version(network: Network) -> None:
    path = f"{ORGANISATIONS}/new-hospital"
    made = await network.call("PUT", path, network.admin, json=described(), headers={"If-None-Match": "*"})
    assert made.status_code == 201
    assert made.headers["etag"] == '"v1"'
    assert made.json() == {
        **described(),
        "id": "new-hospital",
        "version": 1,
        "centre": None,
        "status": "active",
        "created_at": made.json()["created_at"],
        "updated_at": made.json()["created_at"],
    }
    assert (
        await network.call("PUT", path, network.admin, json=described(), headers={"If-None-Match": "*"})
    ).status_code == 412
    assert (await network.call("GET", path, network.admin)).json() == made.json()
    assert (await network.call("GET", path, network.admin, headers={"If-None-Match": '"v1"'})).status_code == 304
    renamed = described(name="Another name")
    assert (await network.call("PUT", path, network.admin, json=renamed)).status_code == 428
    assert (
        await network.call("PUT", path, network.admin, json=renamed, headers={"If-Match": '"v7"'})
    ).status_code == 412
    changed = await network.call("PUT", path, network.admin, json=renamed, headers={"If-Match": '"v1"'})
    assert (changed.status_code, changed.headers["etag"], changed.json()["name"]) == (200, '"v2"', "Another name")
    assert (
        await network.call("PUT", path, network.admin, json=renamed, headers={"If-Match": '"v1"'})
    ).status_code == 412


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (described("bank"), "/kind", "literal_error"),
    (described(name=""), "/name", "string_too_short"),
    (described(name="x" * 201), "/name", "string_too_long"),
    (described("centre"), "", "centre_of_kind"),
    (described("hospital", centre=CENTRE), "", "centre_of_kind"),
    (described("centre", centre="fr-nowhere"), "/centre", "unknown_centre"),
    (described(status="closed"), "/status", "literal_error"),
    (described(version=9), "/version", "extra_forbidden"),
    (described(id="other"), "/id", "extra_forbidden"),
]


async def test_an_invalid_organisation_is_refused_with_its_place(network: Network) -> None:
    for document, pointer, code in REFUSED:
        answer = await network.call(
            "PUT", f"{ORGANISATIONS}/refused-one", network.admin, json=document, headers={"If-None-Match": "*"}
        )
        assert answer.status_code == 422, (document, answer.text)
        assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [(pointer, code)]
    for name in ("Upper", "a", "1st", "x" * 64, "a_b", "a%00b", "é"):
        answer = await network.call(
            "PUT", f"{ORGANISATIONS}/{name}", network.admin, json=described(), headers={"If-None-Match": "*"}
        )
        assert answer.status_code == 400, name
    assert (await network.call("GET", f"{ORGANISATIONS}/refused-one", network.admin)).status_code == 404


async def test_of_two_creators_of_one_organisation_one_succeeds(network: Network) -> None:
    makings = (
        network.call(
            "PUT", f"{ORGANISATIONS}/twice-made", network.admin, json=described(), headers={"If-None-Match": "*"}
        )
        for _ in range(8)
    )
    statuses = sorted([answer.status_code for answer in await asyncio.gather(*makings)])
    assert statuses == [201] + 7 * [412]
    path = f"{ORGANISATIONS}/twice-made"
    changes = (
        network.call("PUT", path, network.admin, json=described(name=f"N{n}"), headers={"If-Match": '"v1"'})
        for n in range(8)
    )
    assert sorted([answer.status_code for answer in await asyncio.gather(*changes)]) == [200] + 7 * [412]


async def test_the_kind_is_fixed_and_an_organisation_cannot_suspend_itself(network: Network) -> None:
    name = await network.organisation("sponsor")
    path = f"{ORGANISATIONS}/{name}"
    answer = await network.call("PUT", path, network.admin, json=described("hospital"), headers={"If-Match": "*"})
    assert (answer.status_code, answer.json()["code"]) == (409, "kind_fixed")
    own = {"kind": "coordination", "name": "Coordination", "status": "suspended"}
    answer = await network.call(
        "PUT", f"{ORGANISATIONS}/coordination", network.admin, json=own, headers={"If-Match": "*"}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "own_organisation")


async def test_an_organisation_sees_only_itself(network: Network) -> None:
    mine, other = await network.organisation(), await network.organisation()
    key = (await network.client(mine, "admin"))["key"]
    listed = await network.call("GET", ORGANISATIONS, key)
    assert [one["id"] for one in listed.json()["items"]] == [mine]
    assert (await network.call("GET", f"{ORGANISATIONS}/{mine}", key)).status_code == 200
    unreadable = await network.call("GET", f"{ORGANISATIONS}/{other}", key)
    unknown = await network.call("GET", f"{ORGANISATIONS}/never-made", key)
    assert unreadable.status_code == unknown.status_code == 404
    assert {**unreadable.json(), "instance": ""} == {**unknown.json(), "instance": ""}
    # What it knows by its id it reads the name of, and no more.
    named = await network.call("GET", f"/registry/v1/organisation-names?ids={other},never-made", key)
    assert [set(one) for one in named.json()["items"]] == [{"id", "name", "kind"}]
    # It cannot change its own description.
    for name in (mine, other, "never-made"):
        answer = await network.call("PUT", f"{ORGANISATIONS}/{name}", key, json=described(), headers={"If-Match": "*"})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    public = await network.call("GET", f"{ORGANISATIONS}/{mine}")
    assert (public.status_code, public.headers["www-authenticate"]) == (401, "Bearer")


async def test_organisations_are_listed_in_pages_and_a_cursor_fits_one_list(network: Network) -> None:
    names = {await network.organisation(kind) for kind in ("hospital", "network", "association", "authority")}
    seen: list[str] = []
    following: str | None = f"{ORGANISATIONS}?limit=2"
    cursor = ""
    while following:
        page = await network.call("GET", following, network.admin)
        assert page.status_code == 200
        seen += [one["id"] for one in page.json()["items"]]
        cursor = page.json()["next"] or cursor
        following = page.links.get("next", {}).get("url")
    assert names <= set(seen)
    assert seen == sorted(set(seen))
    key = (await network.client(names.pop(), "admin"))["key"]
    assert (await network.call("GET", f"{ORGANISATIONS}?cursor={cursor}", key)).json()["code"] == "invalid_cursor"
    assert (await network.call("GET", f"/registry/v1/trials?cursor={cursor}", network.admin)).json()[
        "code"
    ] == "invalid_cursor"


async def set_status(network: Network, organisation: str, status: str, **more: Any) -> None:
    path = f"{ORGANISATIONS}/{organisation}"
    current = (await network.call("GET", path, network.admin)).json()
    document = {name: current[name] for name in ("kind", "name", "centre")} | {"status": status, **more}
    answer = await network.call(
        "PUT", path, network.admin, json=document, headers={"If-Match": f'"v{current["version"]}"'}
    )
    assert answer.status_code == 200, answer.text


async def test_a_suspended_organisation_is_refused_and_a_reinstated_one_is_accepted(network: Network) -> None:
    name, bystander = await network.organisation(), await network.organisation()
    key, other = (await network.client(name, "admin"))["key"], (await network.client(bystander, "admin"))["key"]
    signer = await network.signer(name)
    token = await network.token(signer)
    before = await network.now(network.admin)
    await set_status(network, name, "suspended")
    for credential in (key, token):
        for path in ("/registry/v1/me", "/registry/v1/trials"):
            answer = await network.call("GET", path, credential)
            assert answer.status_code == 401, "an invalid token does not count as no token"
    refused = await network.ask(signer.assertion())
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert (await network.call("GET", "/registry/v1/me", other)).status_code == 200
    answer = await network.call(
        "POST",
        f"{ORGANISATIONS}/{name}/clients",
        network.admin,
        json={"name": "x", "method": "api_key", "scopes": ["trial.read"]},
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "organisation_suspended")
    events = await network.events_after(before, network.admin)
    assert sorted(events) == sorted(
        ("client.revoked", f"client/{one['id']}") for one in await clients_of(network, name)
    )
    await set_status(network, name, "active")
    assert (await network.call("GET", "/registry/v1/me", key)).status_code == 200
    assert (await network.call("GET", "/registry/v1/me", token)).status_code == 401, "what was ended stays ended"
    assert (await network.call("GET", "/registry/v1/me", await network.token(signer))).status_code == 200


async def clients_of(network: Network, organisation: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        await network.call("GET", f"{ORGANISATIONS}/{organisation}/clients", network.admin)
    ).json()["items"]
    return found


async def test_an_organisation_that_changes_its_centre_acts_for_the_new_one_at_once(network: Network) -> None:
    name = await network.organisation("centre")
    signer = await network.signer(name, "editor")
    former = await network.token(signer)
    assert (await network.call("GET", "/registry/v1/me", former)).json()["centre"] == CENTRE
    await set_status(network, name, "active", centre="fr-necker")
    assert (await network.call("GET", "/registry/v1/me", former)).status_code == 401
    assert (await network.call("GET", "/registry/v1/me", await network.token(signer))).json()["centre"] == "fr-necker"


async def test_changes_of_organisations_are_recorded(network: Network) -> None:
    before = len(await network.recorded())
    name = await network.organisation()
    key = await network.client(name, "admin")
    await network.call("GET", f"{ORGANISATIONS}/{name}", network.admin)
    await network.call("GET", f"{ORGANISATIONS}/coordination", key["key"])
    lines = [
        (
            one["outcome"],
            one["principal"],
            one["organisation"],
            one["client"],
            one["resource"],
            one["resource_id"],
            one["method"],
            one["status"],
        )
        for one in (await network.recorded())[before:]
    ]
    (admin,) = {line[3] for line in lines if line[2] == "coordination"}
    assert admin is not None
    assert admin in {one["id"] for one in await clients_of(network, "coordination")}
    assert lines == [
        ("done", "coordination", "coordination", admin, "organisation", name, "PUT", 200),
        ("done", "coordination", "coordination", admin, "client", name, "POST", 201),
        ("read", "coordination", "coordination", admin, "organisation", name, "GET", 200),
        ("denied", "hospital", name, key["id"], "organisation", None, "GET", 404),
    ]
