"""Invalid credentials: each service refuses them alike, and logs the reason as one code."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

from shared.operations.logs import JsonFormatter
from tests.conftest import INTERNAL, ISSUER, ISSUER_KEY, client_of
from tests.contract.network import Network, Services, b64, key_of, signed, under_hmac

pytestmark = pytest.mark.anyio

SERVICES = ("registry", "matching", "notifications")
CANARY = "canary-7f3b"
HEADER = {"alg": "ES256", "typ": "at+jwt", "kid": "of-the-tests"}
STRANGER = ECKey.generate_key("P-256", {"kid": "of-the-tests"})


@dataclass
class Credentials:
    """Credentials that an attacker may have: the API keys of two clients, and an assertion of a client."""

    service: str
    key: str
    other: str
    revoked: str
    expired: str
    assertion: str


Make = Callable[[Credentials], str]


def claims(service: str, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {
        "iss": ISSUER,
        "aud": [f"urn:cleio:{service}"],
        "sub": CANARY,
        "client_id": CANARY,
        "iat": now,
        "exp": now + 300,
        "jti": "j",
        "org": "hospital-of-the-tests",
        "org_kind": "hospital",
        "roles": ["system"],
        "scope": "trial.read",
        "version": 1,
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def body(**changes: Any) -> Make:
    return lambda creds: signed(HEADER, claims(creds.service, **changes), ISSUER_KEY)


def head(**changes: Any) -> Make:
    header = {name: value for name, value in {**HEADER, **changes}.items() if value is not None}
    return lambda creds: signed(header, claims(creds.service), ISSUER_KEY)


def soon(name: str, seconds: float) -> Make:
    """Make a token with time claims relative to the moment of its creation, in seconds."""

    def make(creds: Credentials) -> str:
        return body(**{name: int(time.time()) + seconds})(creds)

    return make


# RFC 7515 §4: unknown header members are ignored; the key is always found by its id.
ACCEPTED = [
    head(jku="https://keys.example/"),
    head(x5c=["MIIB" * 1_000]),
    head(x5t="q83vEjRWeJCrze8SNFZ4kKvN7xI"),
    head(vendor={"a": 1}),
    head(jwk=STRANGER.as_dict(private=False)),
]
TOKENS: dict[str, tuple[Make, str]] = {
    "alg none": (lambda creds: f"{b64({**HEADER, 'alg': 'none'})}.{b64(claims(creds.service))}.", "form"),
    "alg none, a signature": (head(alg="none"), "alg"),
    "alg a list": (head(alg=["ES256"]), "alg"),
    "alg an object": (head(alg={}), "alg"),
    "alg of clients": (
        lambda creds: signed({**HEADER, "alg": "ES384"}, claims(creds.service), key_of("stranger")),
        "alg",
    ),
    "HS256 with the public key": (
        lambda creds: under_hmac({**HEADER, "alg": "HS256"}, claims(creds.service), ISSUER_KEY.as_pem(private=False)),
        "alg",
    ),
    "typ JWT": (head(typ="JWT"), "typ"),
    "typ missing": (head(typ=None), "typ"),
    "typ a list": (head(typ=["at+jwt"]), "typ"),
    "kid missing": (head(kid=None), "kid"),
    "kid unknown": (head(kid=CANARY), "unknown_key"),
    "kid of a path": (head(kid="../jwks"), "unknown_key"),
    "kid very long": (head(kid="k" * 2_000), "kid"),
    "a jwk that signed it": (
        lambda creds: signed({**HEADER, "jwk": STRANGER.as_dict(private=False)}, claims(creds.service), STRANGER),
        "signature",
    ),
    "crit": (head(crit=["exp"]), "header"),
    "signed by a stranger under this kid": (lambda creds: signed(HEADER, claims(creds.service), STRANGER), "signature"),
    "tampered": (
        lambda creds: (
            (token := body()(creds)).split(".")[0]
            + "."
            + b64(claims(creds.service, roles=["admin"]))
            + "."
            + token.split(".")[2]
        ),
        "signature",
    ),
    "same bytes in other letters": (lambda creds: (token := body()(creds))[:-1] + chr(ord(token[-1]) + 1), "form"),
    "another issuer": (body(iss="https://login.example"), "iss"),
    "issuer with a slash": (body(iss=ISSUER + "/"), "iss"),
    "issuer missing": (body(iss=None), "iss"),
    "issuer a list": (body(iss=[ISSUER]), "iss"),
    "for another service": (body(aud=["urn:cleio:elsewhere"]), "aud"),
    "for the issuer": (body(aud=ISSUER), "aud"),
    "without an audience": (body(aud=None), "aud"),
    "for an object": (lambda creds: body(aud={f"urn:cleio:{creds.service}": 1})(creds), "aud"),
    "for part of a name": (lambda creds: body(aud=f"urn:cleio:{creds.service}x")(creds), "aud"),
    "expired": (soon("exp", 0), "expired"),
    "expired long ago": (soon("exp", -10_000), "expired"),
    "exp a float": (soon("exp", 100.5), "exp"),
    "exp a string": (body(exp="9999999999"), "exp"),
    "exp true": (body(exp=True), "exp"),
    "exp missing": (body(exp=None), "exp"),
    "exp without end": (body(exp=2**53), "exp"),
    "valid for a month": (soon("exp", 30 * 24 * 3600), "exp_too_far"),
    "iat missing": (body(iat=None), "iat"),
    "iat ahead": (soon("iat", 60), "not_yet"),
    "nbf ahead": (soon("nbf", 60), "not_yet"),
    "no organisation": (body(org=None), "claims"),
    "no kind": (body(org_kind=None), "claims"),
    "kind of a service": (body(org_kind="service"), "claims"),
    "kind of the public": (body(org_kind="public"), "claims"),
    "kind a list": (body(org_kind=["coordination"]), "claims"),
    "role of no meaning": (body(roles=["root"]), "claims"),
    "roles as one text": (body(roles="admin"), "claims"),
    "roles of another type": (body(roles=[["admin"]]), "claims"),
    "scope a list": (body(scope=["trial.read"]), "claims"),
    "client a number": (body(client_id=7), "claims"),
    "centre a list": (body(centre=["fr-necker"]), "claims"),
    "version missing": (body(version=None), "claims"),
    "version a string": (body(version="1"), "claims"),
    "version true": (body(version=True), "claims"),
    "an assertion": (lambda creds: creds.assertion, "iss"),
    "four parts": (lambda creds: body()(creds) + ".AAAA", "form"),
    "no token": (lambda _: CANARY, "form"),
    "a key with another end": (lambda creds: creds.key[:-1] + ("A" if creds.key[-1] != "A" else "B"), "unknown"),
    "a key with one character more": (lambda creds: creds.key + "A", "form"),
    "a key with one character less": (lambda creds: creds.key[:-1], "form"),
    "a key of capitals": (lambda creds: creds.key.upper(), "form"),
    "a client with another client's secret": (
        lambda creds: "_".join([*creds.key.split("_", 2)[:2], creds.other.split("_", 2)[2]]),
        "unknown",
    ),
    "the beginning of a key": (lambda creds: creds.key[:39], "form"),
    "a key of no client": (lambda _: f"cleio_{'0' * 32}_{'A' * 43}", "unknown"),
    "a key of SQL": (lambda _: f"cleio_{'0' * 32}_' OR 1=1", "form"),
    "a revoked key": (lambda creds: creds.revoked, "unknown"),
    "an expired key": (lambda creds: creds.expired, "unknown"),
    "half of the internal token": (lambda _: INTERNAL[:-1], "form"),
    "very long": (body(filler="x" * 6_000), "form"),
}


@pytest.fixture(scope="module")
async def credentials(services: Services) -> Credentials:
    network = services.network
    name = await network.organisation()
    revoked, expired = await network.client(name), await network.client(name)
    await network.call(
        "DELETE", f"/registry/v1/organisations/{name}/clients/{revoked['id']}", network.admin, headers={"If-Match": "*"}
    )
    async with network.app.state.database.transaction() as connection:
        await connection.exec_driver_sql(
            f"UPDATE clients SET expires_at = '2020-01-01T00:00:00.000000Z' WHERE id = '{expired['id']}'"
        )
    keys = [(await network.client(name))["key"] for _ in range(2)]
    return Credentials("", *keys, revoked["key"], expired["key"], (await network.signer(name)).assertion())


@pytest.mark.parametrize("service", SERVICES)
async def test_an_invalid_token_is_refused(
    services: Services, credentials: Credentials, service: str, caplog: pytest.LogCaptureFixture
) -> None:
    credentials.service = service
    for good in (
        *(make(credentials) for make in ACCEPTED),
        body()(credentials),
        body(aud=f"urn:cleio:{service}")(credentials),
        credentials.key,
        credentials.other,
        INTERNAL,
        None,
    ):
        assert (await services.alive(service, good)).status_code == 200
    caplog.set_level(logging.INFO, "shared")
    wrong = []
    for name, (make, reason) in TOKENS.items():
        caplog.clear()
        answer = await services.alive(service, make(credentials))
        codes = [record.code for record in caplog.records if record.msg == "credential_refused"]
        written = "\n".join(map(JsonFormatter(service).format, caplog.records))
        seen = (
            answer.status_code,
            answer.headers.get("www-authenticate"),
            answer.json()["code"],
            codes,
            CANARY in answer.text + written,
        )
        if seen != (401, 'Bearer error="invalid_token"', "unauthenticated", [reason], False):
            wrong.append((name, seen, reason))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("service", SERVICES)
async def test_a_token_is_accepted_in_one_header_only(
    services: Services, credentials: Credentials, service: str
) -> None:
    key = credentials.key
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert (await services.alive(service, headers={"Authorization": f"{scheme} {key}"})).status_code == 200
    for value in (
        f"Basic {key}",
        f"Token {key}",
        "Bearer",
        "Bearer ",
        f"Bearer  {key}",
        f"Bearer {key} ",
        f"Bearer,{key}",
        key,
        "",
        f"Bearer {key}é",
    ):
        answer = await services.alive(service, headers={"Authorization": value.encode()})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), value.replace(key, "…")
    async with client_of(services.apps[service]) as caller:
        twice = await caller.get(
            f"/{service}/livez", headers=[("Authorization", f"Bearer {key}"), ("Authorization", f"Bearer {key}")]
        )
        assert twice.status_code == 401, "which of the two would be meant?"
        for query in ("access_token", "token", "bearer"):
            answer = await caller.get(f"/{service}/livez", params={query: key})
            assert answer.status_code == 400
            assert key not in answer.text
    for header in (
        "X-User",
        "X-Organisation",
        "X-Forwarded-User",
        "X-Cleio-Principal",
        "Cookie",
        "Proxy-Authorization",
    ):
        assert (await me(services.network, **{header: f"Bearer {key}"})).status_code == 401, (
            "no other header identifies the caller"
        )


async def me(network: Network, **headers: str) -> httpx.Response:
    return await network.call("GET", "/registry/v1/me", headers=headers)
