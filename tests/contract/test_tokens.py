"""The token issuer over HTTP, on both databases: tokens, keys, discovery, the caller's own rights, internal routes."""

import asyncio
import json
import time
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.registry.identity.tokens.repository import IssuerRepository
from shared.access.policy import SCOPED, TABLE, scope_of
from tests.conftest import INTERNAL, ISSUER
from tests.contract.network import CENTRE, TOKEN, Network

pytestmark = pytest.mark.anyio

ME = "/registry/v1/me"
ROTATE = "/registry/v1/signing-keys/rotate"
STATE = "/registry/v1/internal/identity"
INTROSPECT = f"{STATE}/introspect"
ADMINISTRATORS = "/registry/v1/internal/administrators"


def read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims = (json.loads(urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
    return header, claims


@pytest.mark.parametrize("family", ["ES384", "RS384"])
async def test_a_client_that_signs_gets_a_token_with_its_identity(network: Network, family: str) -> None:
    name = await network.organisation("centre")
    signer = await network.signer(name, "clinician", "system", family=family)
    answer = await network.ask(signer.assertion())
    assert answer.status_code == 200, answer.text
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    given = answer.json()
    assert (given["token_type"], given["expires_in"]) == ("bearer", 300)
    header, claims = read(given["access_token"])
    published = {key["kid"]: key for key in (await network.call("GET", "/.well-known/jwks.json")).json()["keys"]}
    assert header == {"alg": "ES256", "typ": "at+jwt", "kid": header["kid"]}
    assert published[header["kid"]]["alg"] == "ES256"
    assert (claims["iss"], claims["sub"], claims["client_id"]) == (ISSUER, signer.client, signer.client)
    assert (claims["org"], claims["org_kind"], claims["centre"]) == (name, "centre", CENTRE)
    assert claims["aud"] == ["urn:cleio:matching", "urn:cleio:notifications", "urn:cleio:registry"]
    assert claims["exp"] - claims["iat"] == 300
    assert abs(claims["iat"] - time.time()) < 5
    assert claims["scope"] == given["scope"]
    me = await network.call("GET", ME, given["access_token"])
    assert me.json() == {
        "kind": "centre",
        "organisation": name,
        "client": signer.client,
        "human": None,
        "centre": CENTRE,
        "roles": ["clinician", "system"],
        "scopes": claims["scope"].split(),
    }


async def test_a_token_has_only_the_requested_scopes(network: Network) -> None:
    name = await network.organisation()
    signer = await network.signer(name, scopes=["trial.read", "subscription.read", "organisation.read"])
    narrow = await network.ask(signer.assertion(), scope="organisation.read trial.read")
    assert narrow.json()["scope"] == "organisation.read trial.read"
    assert read(narrow.json()["access_token"])[1]["aud"] == ["urn:cleio:registry"]
    meant = await network.ask(signer.assertion(), resource="urn:cleio:notifications")
    assert read(meant.json()["access_token"])[1]["aud"] == ["urn:cleio:notifications"]
    assert (await network.call("GET", ME, meant.json()["access_token"])).status_code == 401
    for more, code in (
        ({"scope": "trial.read match.execute"}, "invalid_scope"),
        ({"resource": "urn:cleio:elsewhere"}, "invalid_target"),
    ):
        jti = f"kept-{code}"
        refused = await network.ask(signer.assertion(jti=jti), **more)
        assert (refused.status_code, refused.json()["error"]) == (400, code)
        assert (await network.ask(signer.assertion(jti=jti))).status_code == 200, "what was refused has not served"


async def test_a_smart_client_uses_the_token_url_as_audience(network: Network) -> None:
    name = await network.organisation()
    smart, plain = await network.signer(name, audience="smart"), await network.signer(name)
    smart.audience = f"{ISSUER}/oauth/token"
    assert (await network.ask(smart.assertion())).status_code == 200
    assert (await network.ask(smart.assertion(aud=ISSUER))).status_code == 401
    assert (await network.ask(plain.assertion(aud=smart.audience))).status_code == 401


async def test_discovery_documents_name_the_token_endpoint(network: Network) -> None:
    plain = (await network.call("GET", "/.well-known/oauth-authorization-server")).json()
    assert plain == {
        "issuer": ISSUER,
        "token_endpoint": f"{ISSUER}/oauth/token",
        "jwks_uri": f"{ISSUER}/.well-known/jwks.json",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "scopes_supported": sorted(scope_of(*right) for right in TABLE if right[0] in SCOPED),
    }
    smart = (
        await network.call(
            "GET",
            "/.well-known/smart-configuration",
            headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
        )
    ).json()
    assert smart == {
        **plain,
        "capabilities": ["client-confidential-asymmetric"],
        "code_challenge_methods_supported": ["S256"],
    }
    keys = await network.call("GET", "/.well-known/jwks.json")
    assert keys.headers["cache-control"] == "public, max-age=60"
    for path in ("jwks.json", "oauth-authorization-server", "smart-configuration"):
        assert (await network.call("HEAD", f"/.well-known/{path}")).status_code == 200
        # An invalid token is refused, even if none is needed.
        assert (await network.call("GET", f"/.well-known/{path}", "bad")).status_code == 401


async def test_a_rotation_of_the_issuers_keys_refuses_no_token(network: Network) -> None:
    async def kids() -> list[str]:
        return [key["kid"] for key in (await network.call("GET", "/.well-known/jwks.json")).json()["keys"]]

    name = await network.organisation()
    signer = await network.signer(name)
    announced, former = await kids(), await network.token(signer)
    await network.announced_long_ago()
    answer = await network.call("POST", ROTATE, network.admin)
    assert answer.status_code == 200
    assert sorted(answer.json()["kids"]) == sorted(await kids())
    assert set(announced) < set(await kids())
    latter = await network.token(signer)
    assert read(latter)[0]["kid"] != read(former)[0]["kid"]
    assert read(latter)[0]["kid"] in announced, "it was published before it signed"
    for token in (former, latter):
        assert (await network.call("GET", ME, token)).status_code == 200
    async with network.app.state.database.transaction() as connection:
        later = datetime.now(UTC) + timedelta(seconds=601)
        await IssuerRepository(connection).delete_retired_keys(later - timedelta(seconds=600))
    assert len(await kids()) == 2
    assert read(former)[0]["kid"] not in await kids()


async def test_concurrent_rotations_leave_one_active_and_one_announced_key(network: Network) -> None:
    await network.announced_long_ago()
    answers = await asyncio.gather(*(network.call("POST", ROTATE, network.admin) for _ in range(6)))
    statuses = {answer.status_code for answer in answers}
    assert 200 in statuses <= {200, 409}
    states = [row.state for row in await network.rows("SELECT state FROM signing_keys WHERE state != 'retired'")]
    assert sorted(states) == ["active", "next"]
    assert (
        await network.call("GET", ME, await network.token(await network.signer(await network.organisation())))
    ).status_code == 200


async def test_a_compromised_key_is_no_longer_accepted(network: Network) -> None:
    signer = await network.signer(await network.organisation())
    former = await network.token(signer)
    assert (await network.call("GET", ME, former)).status_code == 200
    before = {row.kid for row in await network.rows("SELECT kid FROM signing_keys")}
    answer = await network.call("POST", f"{ROTATE}?compromised=true", network.admin)
    assert (answer.status_code, len(answer.json()["kids"])) == (200, 2)
    assert before.isdisjoint(answer.json()["kids"]), "the announced one lay beside the stolen one"
    assert (await network.call("GET", ME, former)).status_code == 401, "cached or not"
    assert (await network.call("GET", ME, await network.token(signer))).status_code == 200


async def test_only_an_administrator_of_the_coordination_rotates_the_issuers_keys(network: Network) -> None:
    editor = (await network.client("coordination", "editor"))["key"]
    unscoped = (await network.client("coordination", "admin", scopes=["client.write"]))["key"]
    hospital = (await network.client(await network.organisation(), "admin"))["key"]
    expected = {editor: 403, unscoped: 403, hospital: 403, INTERNAL: 404, None: 401}
    for token, status in expected.items():
        assert (await network.call("POST", ROTATE, token)).status_code == status


async def test_the_internal_routes_are_for_the_networks_own_services(network: Network) -> None:
    hospital = (await network.client(await network.organisation(), "admin"))["key"]
    calls: list[tuple[str, str, Any]] = [
        ("GET", STATE, None),
        ("POST", INTROSPECT, {"credential": hospital}),
        ("POST", ADMINISTRATORS, {"name": "intruder"}),
    ]
    for method, path, body in calls:
        for token, status in ((hospital, 404), (network.admin, 404), (None, 401), ("bad", 401)):
            assert (await network.call(method, path, token, json=body)).status_code == status, (path, status)
    assert (
        await network.call("POST", ADMINISTRATORS, INTERNAL, json={"name": "far"}, address="203.0.113.9")
    ).status_code == 403
    assert (await network.call("POST", ADMINISTRATORS, INTERNAL, json={"name": "x" * 101})).status_code == 422
    assert (await network.call("POST", ADMINISTRATORS, INTERNAL, json={"name": ""})).status_code == 422


async def test_services_learn_which_credentials_to_accept(network: Network) -> None:
    name = await network.organisation()
    made, ended = await network.client(name, "clinician"), await network.client(name)
    state = (await network.call("GET", STATE, INTERNAL)).json()
    await network.call(
        "DELETE", f"/registry/v1/organisations/{name}/clients/{ended['id']}", network.admin, headers={"If-Match": "*"}
    )
    following = await network.call("GET", state["following"], INTERNAL)
    assert [(event["type"], event["subject"]) for event in following.json()] == [
        ("client.revoked", f"client/{ended['id']}")
    ]
    again = (await network.call("GET", STATE, INTERNAL)).json()
    assert ended["id"] in [one["client"] for one in again["revocations"]]
    assert again["keys"] == (await network.call("GET", "/.well-known/jwks.json")).json()["keys"]

    async def stands_for(credential: str) -> Any:
        answer = await network.call("POST", INTROSPECT, INTERNAL, json={"credential": credential})
        assert answer.status_code == 200, answer.text
        return answer.json()["credential"]

    found = await stands_for(made["key"])
    assert (found["client"], found["organisation"], found["kind"], found["roles"]) == (
        made["id"],
        name,
        "hospital",
        ["clinician"],
    )
    assert made["key"] not in json.dumps(found)
    for nothing in (ended["key"], made["key"][:-1], made["key"] + "A", "cleio_", "x", "", "a.b.c", INTERNAL):
        assert await stands_for(nothing) is None
    assert (await network.call("POST", INTROSPECT, INTERNAL, json={"credential": "x" * 40_000})).status_code == 413


async def test_an_administrator_is_created_with_the_machines_secrets(network: Network) -> None:
    made = await network.call("POST", ADMINISTRATORS, INTERNAL, json={"name": "second"})
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    me = (await network.call("GET", ME, made.json()["key"])).json()
    assert (me["kind"], me["organisation"], me["roles"]) == ("coordination", "coordination", ["admin", "editor"])


async def test_token_requests_are_recorded(network: Network) -> None:
    name = await network.organisation()
    signer = await network.signer(name)
    before = len(await network.recorded())
    assertion = signer.assertion()
    await network.ask(assertion)
    await network.ask(assertion)
    await network.ask("no assertion")
    await network.ask("none either")
    lines = (await network.recorded())[before:]
    assert [
        (one["outcome"], one["principal"], one["organisation"], one["client"], one["status"], one["count"])
        for one in lines
    ] == [
        ("done", "hospital", name, signer.client, 200, 1),
        ("denied", "hospital", name, signer.client, 401, 1),
        ("denied", "public", None, None, 401, 2),
    ]
    assert {(one["resource"], one["resource_id"], one["route"]) for one in lines} == {("token", None, TOKEN)}


async def test_the_caller_s_own_identity_needs_a_token(network: Network) -> None:
    assert (await network.call("GET", ME)).status_code == 401
    assert (await network.call("GET", ME, INTERNAL)).status_code == 404
    me: httpx.Response = await network.call("HEAD", ME, network.admin)
    assert (me.status_code, me.content) == (200, b"")
