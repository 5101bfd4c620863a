"""Tokens of people from an OpenID provider: which of them each service accepts, and with which rights."""

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey

from tests.conftest import install
from tests.contract.network import ORGANISATIONS, Network, Services, b64, running_services, signed, under_hmac
from tests.contract.test_registry import a_trial
from tests.unit.shared.access.test_tokens import spoilt, written

pytestmark = pytest.mark.anyio

AUDIENCE = "cleio"
SERVICES = ("registry", "matching", "notifications")
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig", "alg": "RS256"})
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig", "alg": "ES256"})
STRANGER = ECKey.generate_key("P-256", {"kid": "ec"})


@dataclass
class Provider:
    """A provider like Keycloak: a discovery document and a key set."""

    port: int = 0
    keys: list[Key] = field(default_factory=lambda: [RSA, EC])
    up: bool = True
    asked: list[str] = field(default_factory=list)
    runner: web.AppRunner | None = None

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}/realms/health"

    async def open(self) -> None:
        app = web.Application()
        app.router.add_get("/{path:.*}", self.handle)
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", self.port).start()
        self.port = self.runner.addresses[0][1]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if not self.up:
            return web.Response(status=503)
        if request.path.endswith("/openid-configuration"):
            return web.json_response({"issuer": self.issuer, "jwks_uri": f"{self.issuer}/certs"})
        return web.json_response({"keys": [key.as_dict(private=False) for key in self.keys]})

    def claims(self, subject: str, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        good = {
            "iss": self.issuer,
            "aud": [AUDIENCE, "account"],
            "sub": subject,
            "iat": now,
            "exp": now + 300,
            "azp": "portal",
            "typ": "Bearer",
        }
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def token(self, subject: str, key: Key = RSA, header: dict[str, Any] | None = None, **changes: Any) -> str:
        algorithm = "RS256" if key is RSA else "ES256"
        header_members = {"alg": algorithm, "typ": "JWT", "kid": key.kid, **(header or {})}
        return jwt.encode(header_members, self.claims(subject, **changes), key, [algorithm])


@pytest.fixture(scope="module")
async def provider() -> AsyncIterator[Provider]:
    provider = Provider()
    await provider.open()
    yield provider
    assert provider.runner is not None
    await provider.runner.cleanup()


@pytest.fixture(scope="module")
async def services(
    provider: Provider, stocked_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Services]:
    folder = tmp_path_factory.mktemp("services")
    with pytest.MonkeyPatch.context() as patch:
        install(patch, folder / "var")
        patch.setenv("CLEIO_OUTBOUND_DEV_HOSTS", "127.0.0.0/8")
        patch.setenv("CLEIO_OIDC_ISSUER", provider.issuer)
        patch.setenv("CLEIO_OIDC_AUDIENCE", AUDIENCE)
        shutil.copyfile(stocked_file, folder / "registry.db")
        async with running_services(f"sqlite:///{folder / 'registry.db'}", folder) as services:
            yield services


async def member(network: Network, provider: Provider, organisation: str, subject: str, *roles: str) -> str:
    document = {"issuer": provider.issuer, "subject": subject, "roles": list(roles)}
    answer = await network.call("POST", f"{ORGANISATIONS}/{organisation}/members", network.admin, json=document)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def statuses(services: Services, token: str) -> list[int]:
    return [(await services.alive(service, token)).status_code for service in SERVICES]


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS256", "ES256"])
async def test_a_person_acts_for_its_organisation_with_its_roles(
    services: Services, provider: Provider, key: Key
) -> None:
    network = services.network
    name = await network.organisation()
    identifier = await member(network, provider, name, f"doctor-{key.kid}", "clinician", "admin")
    token = provider.token(f"doctor-{key.kid}", key)
    assert (await network.call("GET", "/registry/v1/me", token)).json() == {
        "kind": "hospital",
        "organisation": name,
        "client": identifier,
        "human": identifier,
        "centre": None,
        "roles": ["admin", "clinician"],
        "scopes": None,
    }
    assert await statuses(services, token) == [200, 200, 200]
    before = len(await network.recorded())
    created = await network.call(
        "POST", f"{ORGANISATIONS}/{name}/clients", token, json={"name": "EHR", "method": "api_key", "scopes": []}
    )
    assert created.status_code == 201
    line = (await network.recorded())[before]
    assert (line["outcome"], line["organisation"], line["client"], line["human"]) == (
        "done",
        name,
        identifier,
        identifier,
    )
    assert f"doctor-{key.kid}" not in repr(line), "the record knows a person by our own number alone"


async def test_where_people_sign_in_a_client_is_none_of_the_two_who_publish(
    services: Services, provider: Provider
) -> None:
    network, trial = services.network, "/registry/v1/trials/NCT90000071"
    created = await network.call(
        "PUT", f"{trial}?as_draft=true", network.admin, json=a_trial("NCT90000071"), headers={"If-None-Match": "*"}
    )
    assert created.status_code == 201, created.text
    publish = {"action": "publish", "reason": "Checked."}
    refused = await network.call("POST", f"{trial}/state", network.admin, json=publish)
    assert (refused.status_code, refused.json()["code"]) == (403, "person_needed")
    for person in ("first", "second"):
        await member(network, provider, "coordination", person, "editor")
    for person in ("first", "first", "second"):
        answer = await network.call("POST", f"{trial}/state", provider.token(person), json=publish)
        assert answer.json()["state"] == ("published" if person == "second" else "draft"), answer.text
    withdrawn = await network.call("POST", f"{trial}/state", network.admin, json={**publish, "action": "withdraw"})
    assert withdrawn.json()["state"] == "withdrawn", "one is enough to withdraw it, also a client"


Make = Callable[[Provider, str], str]


def with_claims(**changes: Any) -> Make:
    return lambda provider, subject: provider.token(subject, **changes)


STRANGE: dict[str, Make] = {
    "for another application": with_claims(aud="elsewhere"),
    "without an audience": with_claims(aud=None),
    "of another issuer": with_claims(iss="https://login.example"),
    "over": with_claims(exp=1_700_000_000),
    "without an end": with_claims(exp=None),
    "not yet begun": lambda provider, subject: provider.token(subject, nbf=int(time.time()) + 100),
    "of an unknown person": lambda provider, _: provider.token("nobody"),
    "of half a character": lambda provider, _: signed(
        {"alg": "ES256", "kid": "ec"}, json.dumps(provider.claims("\ud800")), EC
    ),
    "with NUL": lambda provider, _: provider.token("a\x00b"),
    "without a subject": lambda provider, subject: provider.token(subject, sub=None),
    "with a subject of another type": lambda provider, subject: provider.token(subject, sub=[subject]),
    "an identity token": with_claims(typ="ID"),
    "an identity token of a sign-in": with_claims(nonce="n", typ=None),
    "a refresh token": with_claims(typ="Refresh"),
    "a logout token": with_claims(events={"http://schemas.openid.net/event/backchannel-logout": {}}, typ=None),
    "a logout token by its header": with_claims(header={"typ": "logout+jwt"}),
    "alg none": lambda provider, subject: f"{b64({'alg': 'none', 'kid': 'ec'})}.{b64(provider.claims(subject))}.AAAA",
    "alg a list": lambda provider, subject: signed({"alg": ["ES256"], "kid": "ec"}, provider.claims(subject), EC),
    "HS256 with the public key": lambda provider, subject: under_hmac(
        {"alg": "HS256", "kid": "rsa"}, provider.claims(subject), RSA.as_pem(private=False)
    ),
    "of a stranger under this kid": lambda provider, subject: signed(
        {"alg": "ES256", "kid": "ec"}, provider.claims(subject), STRANGER
    ),
    "with another algorithm in its header": lambda provider, subject: signed(
        {"alg": "RS256", "kid": "ec"}, provider.claims(subject), EC
    ),
    "with a key in it": lambda provider, subject: signed(
        {"alg": "ES256", "kid": "ec", "jwk": STRANGER.as_dict(private=False)}, provider.claims(subject), STRANGER
    ),
    "of an unknown key": lambda provider, subject: signed(
        {"alg": "ES256", "kid": "other"}, provider.claims(subject), EC
    ),
}


async def test_a_token_of_the_provider_for_no_member_is_refused(services: Services, provider: Provider) -> None:
    name = await services.network.organisation()
    await member(services.network, provider, name, "somebody", "admin")
    assert await statuses(services, provider.token("somebody")) == [200, 200, 200]
    wrong = {
        what: seen
        for what, make in STRANGE.items()
        if (seen := await statuses(services, make(provider, "somebody"))) != [401, 401, 401]
    }
    assert wrong == {}


async def test_a_member_with_an_unexpected_value(services: Services, provider: Provider) -> None:
    """The provider signs the token: it is accepted, or refused with a problem."""
    await member(services.network, provider, await services.network.organisation(), "odd", "admin")
    header_members, good = {"alg": "ES256", "typ": "JWT", "kid": "ec"}, provider.claims("odd", nbf=int(time.time()))
    cases = [(header_members, claims) for claims in spoilt(good, "jti", "scope")] + [
        (header, good) for header in spoilt(header_members)
    ]
    answers = [
        await services.alive("registry", signed(written(header), written(claims), EC)) for header, claims in cases
    ]
    assert {answer.status_code for answer in answers} == {200, 401}


async def test_ended_members_and_changed_roles_take_effect_everywhere_within_seconds(
    services: Services, provider: Provider
) -> None:
    network = services.network
    name = await network.organisation()
    identifier = await member(network, provider, name, "leaver", "clinician")
    path, admin = f"{ORGANISATIONS}/{name}/members/{identifier}", (await network.client(name, "admin"))["key"]
    token = provider.token("leaver")
    assert await statuses(services, token) == [200, 200, 200]
    assert (
        await network.call("PUT", path, admin, json={"roles": ["dpo"]}, headers={"If-Match": "*"})
    ).status_code == 200
    assert (await network.call("GET", "/registry/v1/me", token)).json()["roles"] == ["dpo"]
    assert (await network.call("DELETE", path, admin, headers={"If-Match": "*"})).status_code == 204
    assert (await services.alive("registry", token)).status_code == 401
    async with asyncio.timeout(5):
        while True:
            if await statuses(services, token) == [401, 401, 401]:
                break
            await asyncio.sleep(0.01)
    other = await network.organisation("sponsor")
    await member(network, provider, other, "leaver", "editor")
    assert (await network.call("GET", "/registry/v1/me", provider.token("leaver"))).json()["organisation"] == other


async def test_members_of_a_suspended_organisation_are_refused(services: Services, provider: Provider) -> None:
    network = services.network
    name = await network.organisation()
    await member(network, provider, name, "suspended", "clinician")
    token = provider.token("suspended")
    assert (await services.alive("registry", token)).status_code == 200
    for status, expected in (("suspended", 401), ("active", 200)):
        document = {"kind": "hospital", "name": name, "status": status}
        await network.call("PUT", f"{ORGANISATIONS}/{name}", network.admin, json=document, headers={"If-Match": "*"})
        assert (await services.alive("registry", token)).status_code == expected


async def test_forged_tokens_do_not_flood_the_provider(services: Services, provider: Provider) -> None:
    await member(services.network, provider, await services.network.organisation(), "flooded", "dpo")
    assert (await services.alive("registry", provider.token("flooded"))).status_code == 200
    provider.asked.clear()
    flood = [signed({"alg": "ES256", "kid": f"k{number}"}, provider.claims("x"), STRANGER) for number in range(40)]
    answers = await asyncio.gather(*(services.alive("registry", token) for token in flood))
    assert {answer.status_code for answer in answers} == {401}
    assert len(provider.asked) <= 2
    assert (await services.alive("registry", provider.token("flooded"))).status_code == 200


async def test_while_the_provider_is_down_unknown_tokens_are_neither_accepted_nor_refused(
    services: Services, provider: Provider
) -> None:
    """Last in this file: the provider's keys are not fetched again at once."""
    await member(services.network, provider, await services.network.organisation(), "late", "dpo")
    known = provider.token("late", EC)
    assert await statuses(services, known) == [200, 200, 200]
    provider.up = False
    provider.keys.append(STRANGER)
    await asyncio.sleep(0)
    unknown = signed({"alg": "ES256", "kid": "newer"}, provider.claims("late"), STRANGER)
    directory = services.network.app.state.callers.directory
    directory._provider._keys._tried = float("-inf")  # as if the last attempt were long ago
    assert await statuses(services, unknown) == [503, 503, 503]
    assert await statuses(services, known) == [200, 200, 200]
    provider.up = True
