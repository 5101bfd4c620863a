"""Tokens of an OpenID provider, whose keys come from a real server that answers or fails."""

import base64
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from services.registry.identity.tokens.provider import IdentityProvider
from services.registry.settings import RegistrySettings
from shared.access.fetched_keys import Pace
from shared.clients.outbound import OutboundClient
from shared.clients.public_addresses import read_networks
from shared.settings import SettingError

pytestmark = pytest.mark.anyio

AUDIENCE = "urn:cleio:api"
KEY = ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})
RSA = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
STRANGER = ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})


class KeyServer:
    """The endpoints of a provider; ``away`` makes it fail."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False
        self.keys = [KEY.as_dict(private=False), RSA.as_dict(private=False)]
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked += 1
                documents = {
                    "/.well-known/openid-configuration": {"issuer": server.url, "jwks_uri": f"{server.url}/jwks"},
                    "/jwks": {"keys": server.keys},
                }
                body = json.dumps(documents[self.path]).encode()
                self.send_response(500 if server.away else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def keys() -> Iterator[KeyServer]:
    server = KeyServer()
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture
async def provider(keys: KeyServer) -> AsyncIterator[IdentityProvider]:
    async with OutboundClient(developer=read_networks("127.0.0.0/8")) as outbound:
        yield IdentityProvider(keys.url, AUDIENCE, outbound)


def token(
    issuer: str, key: Any = KEY, alg: str = "ES256", media: str | None = "at+jwt", kid: str | None = None, **claims: Any
) -> str:
    now = int(time.time())
    header = {"alg": alg, "kid": kid or key.kid, **({"typ": media} if media else {})}
    said = {"iss": issuer, "aud": AUDIENCE, "sub": "marie", "iat": now, "exp": now + 60, **claims}
    return jwt.encode(header, {name: value for name, value in said.items() if value is not None}, key, algorithms=[alg])


@pytest.mark.parametrize(
    ("key", "alg", "media", "claims"),
    [
        (KEY, "ES256", "at+jwt", {}),
        (RSA, "RS256", "JWT", {"typ": "Bearer"}),
        (RSA, "PS256", None, {"aud": ["account", AUDIENCE], "scope": "openid"}),
    ],
)
async def test_a_token_for_us_identifies_the_person(
    provider: IdentityProvider, keys: KeyServer, key: Any, alg: str, media: str | None, claims: dict[str, Any]
) -> None:
    found = await provider.claims(token(keys.url, key, alg, media, **claims))
    assert found is not None
    assert (found.issuer, found.subject) == (keys.url, "marie")


@pytest.mark.parametrize(
    ("how", "claims"),
    [
        ({}, {"iss": "https://elsewhere.example"}),
        ({}, {"aud": "urn:somebody:else"}),
        ({}, {"aud": None}),
        ({}, {"sub": None}),
        ({}, {"sub": ""}),
        ({}, {"exp": None}),
        ({}, {"exp": 1}),
        ({}, {"nbf": 2**33}),
        ({"key": STRANGER}, {}),
        ({"alg": "HS256", "key": OctKey.import_key(json.dumps(KEY.as_dict(private=False)), {"kid": "one"})}, {}),
        ({"media": "secevent+jwt"}, {}),
        # An ID token, a logout token and a refresh token of Keycloak, all with our audience.
        ({"media": "JWT"}, {}),
        ({"media": None}, {}),
        ({"media": "JWT"}, {"scope": "openid", "nonce": "n"}),
        ({"media": None}, {"scope": "openid", "at_hash": "h"}),
        ({"media": "JWT"}, {"scope": "openid", "events": {}}),
        ({"media": "JWT"}, {"typ": "ID"}),
        ({"media": "JWT"}, {"typ": "Refresh"}),
    ],
)
async def test_every_other_token_is_refused(
    provider: IdentityProvider, keys: KeyServer, how: dict[str, Any], claims: dict[str, Any]
) -> None:
    assert await provider.claims(token(keys.url, **how, **claims)) is None


async def test_a_token_without_a_signature_is_refused(provider: IdentityProvider, keys: KeyServer) -> None:
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt","kid":"one"}').rstrip(b"=").decode()
    claims = token(keys.url).split(".")[1]
    assert await provider.claims(f"{head}.{claims}.") is None


async def test_an_unknown_key_id_does_not_cause_a_fetch_at_each_call(
    provider: IdentityProvider, keys: KeyServer
) -> None:
    for _ in range(5):
        assert await provider.claims(token(keys.url, kid="unheard-of")) is None
    assert keys.asked == 2  # its description and its keys, once


async def test_a_new_key_is_found(provider: IdentityProvider, keys: KeyServer) -> None:
    assert await provider.claims(token(keys.url)) is not None
    keys.keys.append({**STRANGER.as_dict(private=False), "kid": "three"})
    provider._keys._pace = Pace(renewed_after=0.0)
    assert await provider.claims(token(keys.url, STRANGER, kid="three")) is not None


async def test_a_provider_that_is_down_is_reported_and_not_called_each_time(
    provider: IdentityProvider, keys: KeyServer
) -> None:
    keys.away = True
    for _ in range(5):
        with pytest.raises(OSError):
            await provider.claims(token(keys.url))
    assert keys.asked == 1


async def test_its_keys_are_used_for_a_while_when_it_is_down(provider: IdentityProvider, keys: KeyServer) -> None:
    assert await provider.claims(token(keys.url)) is not None
    keys.away = True
    provider._keys._pace = Pace(held=0.0, renewed_after=0.0, retried_after=0.0, stale=60.0)
    assert await provider.claims(token(keys.url)) is not None
    with pytest.raises(OSError):
        await provider.claims(token(keys.url, kid="unheard-of"))
    provider._keys._pace = Pace(held=0.0, renewed_after=0.0, retried_after=0.0, stale=0.0)
    with pytest.raises(OSError):
        await provider.claims(token(keys.url))


async def test_a_provider_that_describes_another_issuer_is_not_used(
    provider: IdentityProvider, keys: KeyServer
) -> None:
    async with OutboundClient(developer=read_networks("127.0.0.0/8")) as outbound:
        other = IdentityProvider(keys.url.replace("127.0.0.1", "127.0.0.2"), AUDIENCE, outbound)
        with pytest.raises(OSError):
            await other.claims(token(keys.url))


async def test_an_audience_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEIO_OIDC_ISSUER", "https://idp.example")
    with pytest.raises(SettingError, match="CLEIO_OIDC_AUDIENCE"):
        RegistrySettings()
