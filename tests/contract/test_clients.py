"""API clients over HTTP, on both databases: their rights, which callers can give them, visibility, revocation."""

import asyncio
from typing import Any

import pytest

from shared.access.policy import scopes_for
from tests.conftest import INTERNAL
from tests.contract.network import ORGANISATIONS, Network, key_of, key_set

pytestmark = pytest.mark.anyio

ME = "/registry/v1/me"
IF_ANY = {"If-Match": "*"}


def clients(organisation: str, client: str = "") -> str:
    return f"{ORGANISATIONS}/{organisation}/clients" + (f"/{client}" if client else "")


def client_document(**more: Any) -> dict[str, Any]:
    return {"name": "EHR", "method": "api_key", "scopes": ["trial.read"], "roles": ["system"], **more}


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (client_document(scopes=["trial.read", "trial.write"]), "/scopes/1", "scope_beyond"),  # no hospital writes trials
    (client_document(scopes=["signing_key.write"]), "/scopes/0", "scope_beyond"),
    (client_document(scopes=["identity.read"]), "/scopes/0", "scope_beyond"),
    (client_document(scopes=["backup.read"]), "/scopes/0", "scope_beyond"),
    (client_document(scopes=["everything"]), "/scopes/0", "string_pattern_mismatch"),
    (client_document(scopes=["*"]), "/scopes/0", "string_pattern_mismatch"),
    (client_document(scopes="trial.read"), "/scopes", "list_type"),
    (client_document(scopes=["trial.read"] * 51), "/scopes", "too_long"),
    (client_document(roles=["owner"]), "/roles/0", "literal_error"),
    (client_document(roles=["service"]), "/roles/0", "literal_error"),
    (client_document(method="client_secret_basic"), "/method", "literal_error"),
    (client_document(method="private_key_jwt"), "/jwks", "one_source"),
    (
        client_document(method="private_key_jwt", jwks=key_set(key_of("good")), jwks_url="https://keys.example/"),
        "/jwks",
        "one_source",
    ),
    (client_document(jwks=key_set(key_of("good"))), "/jwks", "one_source"),
    (client_document(jwks_url="https://keys.example/"), "/jwks", "one_source"),
    (
        client_document(method="private_key_jwt", jwks=key_set(key_of("good")), expires_in_days=3),
        "",
        "only_a_key_expires",
    ),
    (client_document(expires_in_days=0), "/expires_in_days", "greater_than_equal"),
    (client_document(expires_in_days=732), "/expires_in_days", "less_than_equal"),
    (client_document(name=""), "/name", "string_too_short"),
    (client_document(name="n" * 101), "/name", "string_too_long"),
    (client_document(audience="anyone"), "/audience", "literal_error"),
    (client_document(organisation="another"), "/organisation", "extra_forbidden"),
    (client_document(id="mine"), "/id", "extra_forbidden"),
    (client_document(key="cleio_mine"), "/key", "extra_forbidden"),
    (client_document(status="active"), "/status", "extra_forbidden"),
]


async def test_an_invalid_client_is_refused_with_its_place(network: Network) -> None:
    name = await network.organisation()
    for document, pointer, code in REFUSED:
        answer = await network.call("POST", clients(name), network.admin, json=document)
        assert answer.status_code == 422, (document, answer.text)
        assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [(pointer, code)], document
    for url in (
        "http://keys.example/",
        "ftp://keys.example/",
        "https://u:p@keys.example/",
        "https://10.0.0.1/",
        "https://127.1/",
        "keys.example",
    ):
        answer = await network.call(
            "POST", clients(name), network.admin, json=client_document(method="private_key_jwt", jwks_url=url)
        )
        assert answer.status_code == 422, url
        assert [one["pointer"] for one in answer.json()["errors"]] == ["/jwks_url"]
    assert (await network.call("GET", clients(name), network.admin)).json()["items"] == []


async def test_a_caller_gives_only_rights_that_it_has(network: Network) -> None:
    name = await network.organisation()
    rich = await network.client(name, "admin", scopes=["client.read", "client.write", "trial.read", "match.execute"])
    poor = (await network.client(name, "admin", scopes=["client.write"]))["key"]
    beyond = ["client.write", "trial.read"]
    answer = await network.call("POST", clients(name), poor, json=client_document(scopes=beyond))
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [("/scopes/1", "scope_beyond")]
    made = await network.client(name, "admin", scopes=["client.write"], by=poor)
    answer = await network.call(
        "PUT", clients(name, made["id"]), poor, json={"name": "x", "scopes": beyond}, headers=IF_ANY
    )
    assert answer.json()["code"] == "scope_beyond"
    # The caller sees the new key of a rotation: not allowed for a client that has more rights than the caller.
    answer = await network.call("POST", f"{clients(name, rich['id'])}/rotate", poor, json={}, headers=IF_ANY)
    assert answer.json()["code"] == "scope_beyond"
    assert (await network.call("GET", ME, rich["key"])).status_code == 200
    assert (
        await network.call("POST", f"{clients(name, made['id'])}/rotate", poor, json={}, headers=IF_ANY)
    ).status_code == 200
    # Revoking needs no such rights.
    assert (await network.call("DELETE", clients(name, rich["id"]), poor, headers=IF_ANY)).status_code == 204


async def test_the_coordination_cannot_extend_its_own_rights(network: Network) -> None:
    poor = (await network.client("coordination", "admin", scopes=["client.write", "organisation.write"]))["key"]
    hospital = await network.organisation("hospital")
    second = await network.organisation("coordination")
    for organisation in ("coordination", second):
        answer = await network.call("POST", clients(organisation), poor, json=client_document(scopes=["trial.write"]))
        assert (answer.status_code, answer.json()["code"]) == (422, "scope_beyond"), organisation
    answer = await network.call(
        "POST", clients(hospital), poor, json=client_document(scopes=["match.execute"], roles=["admin"])
    )
    assert answer.status_code == 201, "it makes the first clients of others"


async def test_the_coordination_creates_and_revokes_clients_of_others_and_changes_none(network: Network) -> None:
    hospital = await network.organisation()
    made = await network.client(hospital, "admin")
    update = {"name": "x", "scopes": ["trial.read"]}
    for method, path, body in (("PUT", "", update), ("POST", "/rotate", {})):
        answer = await network.call(
            method, clients(hospital, made["id"]) + path, network.admin, json=body, headers=IF_ANY
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
    assert (await network.call("GET", ME, made["key"])).status_code == 200
    assert (
        await network.call("DELETE", clients(hospital, made["id"]), network.admin, headers=IF_ANY)
    ).status_code == 204
    assert (await network.call("GET", ME, made["key"])).status_code == 401


async def test_clients_of_another_organisation_are_invisible_and_unchangeable(network: Network) -> None:
    mine, other = await network.organisation(), await network.organisation()
    key = (await network.client(mine, "admin"))["key"]
    theirs = await network.client(other, "admin")
    tries = [
        ("GET", "", None),
        ("POST", "", client_document()),
        ("GET", "/{client}", None),
        ("PUT", "/{client}", {"name": "mine now", "scopes": []}),
        ("DELETE", "/{client}", None),
        ("POST", "/{client}/rotate", {}),
    ]
    for method, path, body in tries:
        bodies = []
        for organisation, client in ((other, theirs["id"]), ("never-made", theirs["id"])):
            target = clients(organisation) + path.format(client=client)
            answer = await network.call(method, target, key, json=body, headers=IF_ANY if path else {})
            assert answer.status_code == 404, (method, path, organisation)
            bodies.append({**answer.json(), "instance": ""})
        assert bodies[0] == bodies[1]
        if path:
            # Nor through the path of the caller's own organisation.
            answer = await network.call(
                method, clients(mine) + path.format(client=theirs["id"]), key, json=body, headers=IF_ANY
            )
            assert (answer.status_code, {**answer.json(), "instance": ""}) == (404, bodies[0])
    assert (await network.call("GET", clients(other, theirs["id"]), theirs["key"])).json()["version"] == 1


async def test_each_role_has_its_own_rights(network: Network) -> None:
    name = await network.organisation()
    existing = await network.client(name, "admin")
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
        assert (await network.call("GET", clients(name, existing["id"]), key)).status_code == reads, role
        assert (await network.call("POST", clients(name), key, json=client_document())).status_code == writes, role
    unscoped = (await network.client(name, "admin", scopes=["client.read"]))["key"]
    answer = await network.call("POST", clients(name), unscoped, json=client_document())
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="client.write"'
    assert (await network.call("GET", clients(name))).status_code == 401
    assert (await network.call("GET", clients(name), INTERNAL)).status_code == 404


async def test_a_revoked_client_is_refused_at_once_and_permanently(network: Network) -> None:
    name = await network.organisation()
    admin = (await network.client(name, "admin"))["key"]
    made, signer = await network.client(name), await network.signer(name)
    token = await network.token(signer)
    for client, credential in ((made["id"], made["key"]), (signer.client, token)):
        path = clients(name, client)
        assert (await network.call("DELETE", path, admin)).status_code == 428
        assert (await network.call("DELETE", path, admin, headers={"If-Match": '"v9"'})).status_code == 412
        assert (await network.call("GET", ME, credential)).status_code == 200
        gone = await network.call("DELETE", path, admin, headers={"If-Match": '"v1"'})
        assert (gone.status_code, gone.content) == (204, b"")
        for public in (ME, "/registry/v1/trials"):
            answer = await network.call("GET", public, credential)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')
        read = await network.call("GET", path, admin)
        assert (read.json()["status"], read.json()["version"]) == ("revoked", 2)
        for method, more, body in (
            ("DELETE", "", None),
            ("PUT", "", {"name": "x", "scopes": []}),
            ("POST", "/rotate", {}),
        ):
            answer = await network.call(method, path + more, admin, json=body, headers=IF_ANY)
            assert (answer.status_code, answer.json()["code"]) == (409, "client_revoked")
    refused = await network.ask(signer.assertion())
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    listed = (await network.call("GET", clients(name), admin)).json()["items"]
    assert sorted(one["status"] for one in listed) == ["active", "revoked", "revoked"]


async def test_a_change_of_rights_applies_to_new_tokens_and_revokes_former_ones(network: Network) -> None:
    name = await network.organisation()
    admin = (await network.client(name, "admin"))["key"]
    signer = await network.signer(name, "clinician")
    token = await network.token(signer)
    path = clients(name, signer.client)
    new = key_of("another")
    update = {"name": "EHR", "scopes": ["trial.read", "organisation.read"], "roles": ["auditor"], "jwks": key_set(new)}
    assert (await network.call("PUT", path, admin, json=update)).status_code == 428
    assert (await network.call("PUT", path, admin, json=update, headers={"If-Match": '"v2"'})).status_code == 412
    assert (
        await network.call("PUT", path, admin, json={**update, "method": "api_key"}, headers=IF_ANY)
    ).status_code == 422
    assert (await network.call("PUT", path, admin, json={**update, "jwks": None}, headers=IF_ANY)).json()[
        "code"
    ] == "one_source"
    assert (await network.call("GET", ME, token)).status_code == 200
    assert (await network.call("PUT", path, admin, json=update, headers={"If-Match": '"v1"'})).json()["version"] == 2
    assert (await network.call("GET", ME, token)).status_code == 401
    assert (await network.ask(signer.assertion())).status_code == 401, "signed with the key of before"
    signer.key = new
    me = (await network.call("GET", ME, await network.token(signer))).json()
    assert (me["roles"], me["scopes"]) == (["auditor"], ["organisation.read", "trial.read"])


async def test_of_ten_changes_of_one_version_one_succeeds(network: Network) -> None:
    name = await network.organisation()
    admin = (await network.client(name, "admin"))["key"]
    made = await network.client(name)
    path = clients(name, made["id"])
    tries = [
        network.call("PUT", path, admin, json={"name": f"n{number}", "scopes": []}, headers={"If-Match": '"v1"'})
        for number in range(5)
    ]
    tries += [network.call("POST", f"{path}/rotate", admin, json={}, headers={"If-Match": '"v1"'}) for _ in range(5)]
    assert sorted([answer.status_code for answer in await asyncio.gather(*tries)]) == [200] + 9 * [412]


async def test_clients_are_listed_in_pages_and_a_cursor_fits_one_list(network: Network) -> None:
    mine, other = await network.organisation(), await network.organisation()
    admin = (await network.client(mine, "admin"))["key"]
    theirs = (await network.client(other, "admin"))["key"]
    made = {(await network.client(mine))["id"] for _ in range(4)}
    seen: list[str] = []
    following: str | None = f"{clients(mine)}?limit=2"
    cursors = []
    while following:
        page = await network.call("GET", following, admin)
        seen += [one["id"] for one in page.json()["items"]]
        assert all("key" not in one for one in page.json()["items"])
        cursors.append(page.json()["next"])
        following = page.links.get("next", {}).get("url")
    assert made < set(seen)
    assert seen == sorted(set(seen))
    assert len(seen) == 5
    for path, token in (
        (clients(other), theirs),
        (clients(mine), network.admin),
        (f"{ORGANISATIONS}/{mine}/members", admin),
    ):
        assert (await network.call("GET", f"{path}?cursor={cursors[0]}", token)).json()["code"] == "invalid_cursor", (
            path
        )


async def test_a_revocation_is_announced_to_services_the_coordination_and_its_organisation_only(
    network: Network,
) -> None:
    name = await network.organisation("sponsor")
    readers: dict[str, str | None] = {"public": None, "service": INTERNAL, "coordination": network.admin}
    for kind in ("hospital", "centre", "sponsor", "network", "association", "authority"):
        readers[kind] = (await network.client(await network.organisation(kind), "admin"))["key"]
    readers["itself"] = (await network.client(name, "admin"))["key"]
    readers["itself, without the scope"] = (await network.client(name, scopes=["trial.read"]))["key"]
    ended = (await network.client(name))["id"]
    places = {who: await network.now(token) for who, token in readers.items()}
    assert (await network.call("DELETE", clients(name, ended), network.admin, headers=IF_ANY)).status_code == 204
    event = ("client.revoked", f"client/{ended}")
    seen = {who for who, token in readers.items() if event in await network.events_after(places[who], token)}
    assert seen == {"service", "coordination", "itself", "itself, without the scope"}
    batch = (await network.call("GET", places["itself"], readers["itself"])).json()
    assert batch[0]["data"] == {"op": "upsert", "id": ended, "version": 2, "changed": ["status"]}
    assert "routing" not in batch[0]


async def test_changes_of_clients_are_recorded(network: Network) -> None:
    name = await network.organisation()
    admin = await network.client(name, "admin")
    plain = await network.client(name)
    before = len(await network.recorded())
    path = clients(name, plain["id"])
    await network.call("GET", path, admin["key"])
    await network.call("GET", clients(name), plain["key"])
    await network.call("POST", f"{path}/rotate", admin["key"], json={}, headers=IF_ANY)
    await network.call("DELETE", path, admin["key"], headers={"If-Match": '"v9"'})
    await network.call("DELETE", path, admin["key"], headers=IF_ANY)
    await network.call("GET", path, plain["key"])
    lines = [
        (
            one["outcome"],
            one["principal"],
            one["organisation"],
            one["client"],
            one["human"],
            one["resource_id"],
            one["method"],
            one["status"],
        )
        for one in (await network.recorded())[before:]
    ]
    who = ("hospital", name, admin["id"], None)
    assert lines == [
        ("read", *who, f"{name}/{plain['id']}", "GET", 200),
        ("denied", "hospital", name, plain["id"], None, None, "GET", 403),
        ("done", *who, f"{name}/{plain['id']}", "POST", 200),
        ("done", *who, f"{name}/{plain['id']}", "DELETE", 204),
        ("denied", "unknown", None, None, None, None, "GET", 401),
    ]


async def test_the_scopes_are_those_of_the_policy(network: Network) -> None:
    for kind in ("hospital", "sponsor", "network", "association", "authority", "coordination"):
        name = await network.organisation(kind)
        made = await network.client(name)
        assert made["scopes"] == sorted(scopes_for(kind))
        assert (await network.call("GET", ME, made["key"])).json()["scopes"] == made["scopes"]
