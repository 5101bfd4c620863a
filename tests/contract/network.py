"""A registry with the organisations of a test: clients, keys, tokens, assertions, events and audit entries."""

import base64
import hmac
import json
import time
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey
from sqlalchemy import text

from services.notifications.app import create_app as create_notifications
from services.notifications.settings import NotificationsSettings
from services.registry.identity.tokens.assertions import ASSERTION_TYPE
from shared.access.policy import scopes_for
from shared.clients.internal import InternalClient
from tests.conftest import INTERNAL, ISSUER, client_of
from tests.contract.matching import Line, running_matching, until_loaded
from tests.contract.notifications import migrate
from tests.contract.registry import running_registry

ORGANISATIONS = "/registry/v1/organisations"
TOKEN = "/oauth/token"
CENTRE = "fr-strasbourg"


@cache
def key_of(name: str, family: str = "ES384") -> Key:
    """Return a client's key pair; always the same for a name."""
    if family == "ES384":
        return ECKey.generate_key("P-384", {"kid": name, "use": "sig", "alg": "ES384"})
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig"})


def key_set(*keys: Key) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


def b64(value: bytes | str | Mapping[str, Any]) -> str:
    raw = (
        value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else json.dumps(value).encode()
    )
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Signer:
    """A client that signs its assertions."""

    client: str
    key: Key
    algorithm: str = "ES384"
    audience: str = ISSUER

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return the claims of a valid assertion; a claim given as None is left out."""
        now = int(time.time())
        good = {
            "iss": self.client,
            "sub": self.client,
            "aud": self.audience,
            "iat": now,
            "exp": now + 300,
            "jti": uuid.uuid4().hex,
        }
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def assertion(self, header: Mapping[str, Any] | None = None, **changes: Any) -> str:
        members = {"alg": self.algorithm, "typ": "JWT", "kid": self.key.kid, **(header or {})}
        return jwt.encode(
            {name: value for name, value in members.items() if value is not None},
            self.claims(**changes),
            self.key,
            [self.algorithm],
        )


def form(assertion: str, **more: str) -> dict[str, str]:
    """Return the parameters of a valid request; an empty one is left out."""
    good = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    return {name: value for name, value in {**good, **more}.items() if value}


@dataclass
class Network:
    """A running registry with the sample, and an administrator of its coordination."""

    app: FastAPI
    url: str
    admin: str = ""
    made: dict[str, str] = field(default_factory=dict)

    async def call(
        self, method: str, path: str, token: str | None = None, *, address: str = "127.0.0.1", **options: Any
    ) -> httpx.Response:
        headers = {**({"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else {}), **options.pop("headers", {})}
        async with client_of(self.app, token=token, address=address) as caller:
            return await caller.request(method, path, headers=headers, **options)

    async def organisation(self, kind: str = "hospital", **more: Any) -> str:
        """Create an organisation; return its id."""
        name = f"{kind}-{uuid.uuid4().hex[:10]}"
        document = {"kind": kind, "name": name, **({"centre": CENTRE} if kind == "centre" else {}), **more}
        answer = await self.call(
            "PUT", f"{ORGANISATIONS}/{name}", self.admin, json=document, headers={"If-None-Match": "*"}
        )
        assert answer.status_code == 201, answer.text
        self.made[name] = kind
        return name

    async def client(
        self, organisation: str, *roles: str, scopes: Iterable[str] | None = None, by: str | None = None, **more: Any
    ) -> dict[str, Any]:
        """Create a client; return the answer. Default: with an API key and all scopes of its organisation."""
        given = scopes_for(self.made[organisation]) if scopes is None else scopes  # type: ignore[arg-type]
        document = {
            "name": "of the tests",
            "method": "api_key",
            "scopes": sorted(given),
            "roles": list(roles or ("system",)),
            **more,
        }
        answer = await self.call("POST", f"{ORGANISATIONS}/{organisation}/clients", by or self.admin, json=document)
        assert answer.status_code == 201, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    async def signer(self, organisation: str, *roles: str, family: str = "ES384", **more: Any) -> Signer:
        key = key_of(f"key-{family}", family)
        made = await self.client(organisation, *roles, method="private_key_jwt", **{"jwks": key_set(key), **more})
        return Signer(made["id"], key, family)

    async def ask(self, assertion: str, **more: str) -> httpx.Response:
        """Request a token."""
        return await self.call("POST", TOKEN, data=form(assertion, **more))

    async def token(self, signer: Signer, **more: str) -> str:
        answer = await self.ask(signer.assertion(), **more)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    async def announced_long_ago(self) -> None:
        """Change the announced signing key as if it had been published some time ago."""
        async with self.app.state.database.transaction() as connection:
            await connection.exec_driver_sql(
                "UPDATE signing_keys SET created_at = '2020-01-01T00:00:00.000000Z' WHERE state = 'next'"
            )

    async def now(self, token: str | None = None) -> str:
        """Return the present end of the feed."""
        following = "/registry/v1/feed?limit=1000"
        while True:
            answer = await self.call("GET", following, token)
            following = answer.links["next"]["url"]
            if not answer.json():
                return following

    async def events_after(self, following: str, token: str | None = None) -> list[tuple[str, str]]:
        """Return types and subjects of the events after a position."""
        answer = await self.call("GET", following, token)
        assert answer.status_code == 200, answer.text
        return [(event["type"], event["subject"]) for event in answer.json()]

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        async with self.app.state.database.read() as connection:
            return list(await connection.execute(text(statement), values))

    async def recorded(self) -> list[dict[str, Any]]:
        """Return the audit entries so far."""
        await self.app.state.audit.step()
        return [dict(row._mapping) for row in await self.rows("SELECT * FROM audit_entries ORDER BY number")]


@dataclass
class Services:
    """The three services on one registry; ``line`` is the connection of the other two to it."""

    network: Network
    line: Line
    apps: dict[str, FastAPI]

    async def alive(self, service: str, token: str | None = None, **options: Any) -> httpx.Response:
        """Call a route that needs no token and refuses an invalid one: the status shows if it is accepted."""
        async with client_of(self.apps[service], token=token) as caller:
            return await caller.request("GET", f"/{service}/livez", **options)


@asynccontextmanager
async def running_services(url: str, folder: Path) -> AsyncIterator[Services]:
    async with running_network(url) as network:
        line = Line(network.app)
        notifications = f"sqlite:///{folder / 'notifications.db'}"
        await migrate(notifications)
        settings = NotificationsSettings(database_url=notifications, feed_wait_seconds=1)
        app = create_notifications(settings, InternalClient("http://registry", INTERNAL, line))
        async with running_matching(line, data_dir=folder / "matching") as matching, app.router.lifespan_context(app):
            await until_loaded(matching)
            yield Services(network, line, {"registry": network.app, "matching": matching, "notifications": app})


@asynccontextmanager
async def running_network(url: str) -> AsyncIterator[Network]:
    async with running_registry(url) as app:
        network = Network(app, url)
        made = await network.call(
            "POST", "/registry/v1/internal/administrators", INTERNAL, json={"name": "of the tests"}
        )
        assert made.status_code == 201, made.text
        network.admin = made.json()["key"]
        network.made["coordination"] = "coordination"
        yield network


def signed(header: str | Mapping[str, Any], claims: str | Mapping[str, Any], key: Key, pad: str = "") -> str:
    """Sign exactly this text as a token, in forms that no library would write."""
    text = f"{b64(header)}{pad}.{b64(claims)}"
    private = key.private_key
    assert isinstance(private, EllipticCurvePrivateKey)
    size = private.key_size // 8
    first, second = decode_dss_signature(private.sign(text.encode(), ECDSA(SHA384() if size == 48 else SHA256())))
    return f"{text}.{b64(first.to_bytes(size, 'big') + second.to_bytes(size, 'big'))}"


def under_hmac(header: Mapping[str, Any], claims: Mapping[str, Any], secret: bytes) -> str:
    """Return a token signed with a public key as HMAC secret."""
    text = f"{b64(header)}.{b64(claims)}"
    return f"{text}.{b64(hmac.digest(secret, text.encode(), {'HS256': 'sha256', 'HS384': 'sha384'}[header['alg']]))}"
