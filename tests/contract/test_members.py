"""Members of an organisation over HTTP, on both databases. For their tokens see `test_people.py`."""

import asyncio
import uuid
from typing import Any

import pytest

from tests.conftest import INTERNAL
from tests.contract.network import ORGANISATIONS, Network

pytestmark = pytest.mark.anyio

PROVIDER = "https://login.example"
IF_ANY = {"If-Match": "*"}


def members(organisation: str, member: str = "") -> str:
    return f"{ORGANISATIONS}/{organisation}/members" + (f"/{member}" if member else "")


def member_document(*roles: str, **more: Any) -> dict[str, Any]:
    return {"issuer": PROVIDER, "subject": uuid.uuid4().hex, "roles": list(roles or ("editor",)), **more}


async def added(network: Network, organisation: str, token: str, *roles: str, **more: Any) -> dict[str, Any]:
    answer = await network.call("POST", members(organisation), token, json=member_document(*roles, **more))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_member_is_added_changed_and_ended_by_version(network: Network) -> None:
    name = await network.organisation()
    admin = (await network.client(name, "admin"))["key"]
    made = await network.call(
        "POST", members(name), admin, json=member_document("editor", "admin", "editor", subject="s1")
    )
    assert made.status_code == 201
    person = made.json()
    assert made.headers["location"] == members(name, person["id"])
    assert made.headers["etag"] == '"v1"'
    assert person == {
        "id": person["id"],
        "version": 1,
        "organisation": name,
        "issuer": PROVIDER,
        "subject": "s1",
        "roles": ["admin", "editor"],
        "status": "active",
        "created_at": person["created_at"],
        "updated_at": person["created_at"],
    }
    path = members(name, person["id"])
    assert (await network.call("GET", path, admin)).json() == person
    assert (await network.call("GET", path, admin, headers={"If-None-Match": '"v1"'})).status_code == 304
    before = await network.now(network.admin)
    for method, body in (("PUT", {"roles": ["dpo"]}), ("DELETE", None)):
        assert (await network.call(method, path, admin, json=body)).status_code == 428
        assert (await network.call(method, path, admin, json=body, headers={"If-Match": '"v9"'})).status_code == 412
    changed = await network.call("PUT", path, admin, json={"roles": ["dpo"]}, headers={"If-Match": '"v1"'})
    assert (changed.status_code, changed.headers["etag"], changed.json()["roles"]) == (200, '"v2"', ["dpo"])
    assert (await network.call("DELETE", path, admin, headers={"If-Match": '"v2"'})).status_code == 204
    assert (await network.call("GET", path, admin)).json()["status"] == "revoked"
    for method, body in (("PUT", {"roles": ["dpo"]}), ("DELETE", None)):
        answer = await network.call(method, path, admin, json=body, headers=IF_ANY)
        assert (answer.status_code, answer.json()["code"]) == (409, "member_revoked")
    assert await network.events_after(before, network.admin) == 2 * [("client.revoked", f"client/{person['id']}")]
    back = await network.call("POST", members(name), admin, json=member_document(subject="s1"))
    assert back.status_code == 201, "one who left can come back"


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (member_document(subject=""), "/subject", "string_too_short"),
    (member_document(subject="s" * 256), "/subject", "string_too_long"),
    (member_document(issuer="login.example"), "/issuer", "string_pattern_mismatch"),
    (member_document(issuer="https://" + "i" * 300), "/issuer", "string_too_long"),
    (member_document(roles=[]), "/roles", "too_short"),
    (member_document(roles=["service"]), "/roles/0", "literal_error"),
    (member_document(name="Jeanne Dupont"), "/name", "extra_forbidden"),
    (member_document(status="active"), "/status", "extra_forbidden"),
    (member_document(organisation="another"), "/organisation", "extra_forbidden"),
]


async def test_an_invalid_member_is_refused_with_its_place(network: Network) -> None:
    name = await network.organisation()
    for document, pointer, code in REFUSED:
        answer = await network.call("POST", members(name), network.admin, json=document)
        assert answer.status_code == 422, (document, answer.text)
        assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [(pointer, code)]
    nul = await network.call("POST", members(name), network.admin, json=member_document(subject="a\x00b"))
    assert (nul.status_code, nul.json()["code"]) == (400, "malformed_json")
    assert (await network.call("GET", members(name), network.admin)).json()["items"] == []


async def test_a_person_acts_for_one_organisation(network: Network) -> None:
    first, second = await network.organisation(), await network.organisation("sponsor")
    adding = [
        network.call("POST", members(one), network.admin, json=member_document(subject="the-same"))
        for one in (first, second, first, second)
    ]
    answers = await asyncio.gather(*adding)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    taken = next(answer for answer in answers if answer.status_code == 409)
    assert taken.json()["code"] == "subject_taken"
    assert first not in taken.text
    assert second not in taken.text
    # The same subject at another provider is another person.
    await added(network, first, network.admin, subject="the-same", issuer="https://elsewhere.example")


async def test_a_caller_gives_only_roles_that_it_has(network: Network) -> None:
    name = await network.organisation()
    poor = (await network.client(name, "admin", scopes=["member.read", "member.write"]))["key"]
    for roles in (["clinician"], ["admin"], ["editor", "clinician"]):
        answer = await network.call("POST", members(name), poor, json=member_document(*roles))
        assert (answer.status_code, answer.json()["code"]) == (422, "scope_beyond"), roles
    colleague = await added(network, name, network.admin, "dpo")
    answer = await network.call("PUT", members(name, colleague["id"]), poor, json={"roles": ["admin"]}, headers=IF_ANY)
    assert answer.json()["code"] == "scope_beyond"
    rich = (await network.client(name, "admin"))["key"]
    await added(network, name, rich, "clinician", "admin")
    coordination = (await network.client("coordination", "admin", scopes=["member.write"]))["key"]
    answer = await network.call("POST", members("coordination"), coordination, json=member_document("editor"))
    assert answer.json()["code"] == "scope_beyond"
    await added(network, name, coordination, "admin")


async def test_the_coordination_adds_and_ends_members_of_others_and_changes_none(network: Network) -> None:
    name = await network.organisation()
    person = await added(network, name, network.admin, "admin")
    path = members(name, person["id"])
    answer = await network.call("PUT", path, network.admin, json={"roles": ["dpo"]}, headers=IF_ANY)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert (await network.call("DELETE", path, network.admin, headers=IF_ANY)).status_code == 204


async def test_members_of_another_organisation_are_invisible_and_unchangeable(network: Network) -> None:
    mine, other = await network.organisation(), await network.organisation()
    admin = (await network.client(mine, "admin"))["key"]
    theirs = await added(network, other, network.admin)
    tries = [
        ("GET", "", None),
        ("POST", "", member_document()),
        ("GET", "/{member}", None),
        ("PUT", "/{member}", {"roles": ["admin"]}),
        ("DELETE", "/{member}", None),
    ]
    for method, path, body in tries:
        bodies = []
        targets = [members(other) + path, members("never-made") + path] + ([members(mine) + path] if path else [])
        for target in targets:
            answer = await network.call(
                method, target.format(member=theirs["id"]), admin, json=body, headers=IF_ANY if path else {}
            )
            assert answer.status_code == 404, (method, target)
            bodies.append({**answer.json(), "instance": ""})
        assert all(one == bodies[0] for one in bodies)
    assert (await network.call("GET", members(other, theirs["id"]), network.admin)).json() == theirs


async def test_each_role_has_its_own_rights(network: Network) -> None:
    name = await network.organisation()
    expected = {
        "admin": (200, 201),
        "auditor": (200, 403),
        "dpo": (200, 403),
        "editor": (403, 403),
        "system": (403, 403),
        "clinician": (403, 403),
    }
    for role, (reads, writes) in expected.items():
        key = (await network.client(name, role))["key"]
        assert (await network.call("GET", members(name), key)).status_code == reads, role
        assert (await network.call("POST", members(name), key, json=member_document())).status_code == writes, role
    unscoped = (await network.client(name, "admin", scopes=["member.read"]))["key"]
    answer = await network.call("POST", members(name), unscoped, json=member_document())
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert (await network.call("GET", members(name))).status_code == 401
    assert (await network.call("GET", members(name), INTERNAL)).status_code == 404


async def test_no_member_is_added_to_a_suspended_organisation(network: Network) -> None:
    name = await network.organisation()
    suspended = {"kind": "hospital", "name": name, "status": "suspended"}
    await network.call("PUT", f"{ORGANISATIONS}/{name}", network.admin, json=suspended, headers=IF_ANY)
    answer = await network.call("POST", members(name), network.admin, json=member_document())
    assert (answer.status_code, answer.json()["code"]) == (409, "organisation_suspended")


async def test_members_are_listed_in_pages_and_a_cursor_fits_one_list(network: Network) -> None:
    mine, other = await network.organisation(), await network.organisation()
    admin, theirs = (await network.client(mine, "admin"))["key"], (await network.client(other, "admin"))["key"]
    made = {(await added(network, mine, admin))["id"] for _ in range(5)}
    seen: list[str] = []
    following: str | None = f"{members(mine)}?limit=2"
    cursors = []
    while following:
        page = await network.call("GET", following, admin)
        seen += [one["id"] for one in page.json()["items"]]
        cursors.append(page.json()["next"])
        following = page.links.get("next", {}).get("url")
    assert seen == sorted(made)
    for path, token in (
        (members(other), theirs),
        (members(mine), network.admin),
        (f"{ORGANISATIONS}/{mine}/clients", admin),
    ):
        assert (await network.call("GET", f"{path}?cursor={cursors[0]}", token)).json()["code"] == "invalid_cursor", (
            path
        )


async def test_changes_of_members_are_recorded_without_a_name(network: Network) -> None:
    name = await network.organisation()
    admin = await network.client(name, "admin")
    before = len(await network.recorded())
    person = await added(network, name, admin["key"], subject="a-name-that-must-not-travel")
    await network.call("GET", members(name), admin["key"])
    await network.call("DELETE", members(name, person["id"]), admin["key"], headers=IF_ANY)
    recorded = (await network.recorded())[before:]
    who = ("hospital", name, admin["id"])
    assert [
        (one["outcome"], one["principal"], one["organisation"], one["client"], one["method"]) for one in recorded
    ] == [
        ("done", *who, "POST"),
        ("read", *who, "GET"),
        ("done", *who, "DELETE"),
    ]
    assert "a-name-that-must-not-travel" not in repr(recorded)
