"""Clients that publish their keys at a URL: what the issuer fetches, how often, and which answers it accepts."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from services.registry.identity.tokens import client_keys
from shared.access import fetched_keys
from shared.access.fetched_keys import Pace
from tests.conftest import install
from tests.contract.network import Network, Signer, key_of, key_set, running_network

pytestmark = pytest.mark.anyio

NEW, OLD = key_of("new"), key_of("old")
Answer = Callable[[], Awaitable[web.StreamResponse] | web.StreamResponse]


@dataclass
class KeyServer:
    """The web server of a client."""

    answers: Answer = lambda: web.Response(status=500)
    asked: int = 0
    port: int = 0
    paths: dict[str, Answer] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/jwks.json"

    def publish(self, *keys: Any) -> None:
        self.answers = lambda: web.json_response(key_set(*keys))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        answer = self.paths.get(request.path, self.answers)()
        return await answer if isinstance(answer, Awaitable) else answer


@pytest.fixture
async def server() -> AsyncIterator[KeyServer]:
    server = KeyServer()
    app = web.Application()
    app.router.add_get("/{path:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    yield server
    await runner.cleanup()


@pytest.fixture(scope="module")
async def network(stocked_file: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    """A network on SQLite that may call loopback addresses."""
    folder = tmp_path_factory.mktemp("network")
    with pytest.MonkeyPatch.context() as patch:
        install(patch, folder / "var")
        patch.setenv("CLEIO_OUTBOUND_DEV_HOSTS", "127.0.0.0/8")
        shutil.copyfile(stocked_file, folder / "registry.db")
        async with running_network(f"sqlite:///{folder / 'registry.db'}") as network:
            yield network


async def signer_at(network: Network, url: str) -> Signer:
    """Return a client of a new organisation whose keys are at this URL."""
    made = await network.client(await network.organisation(), method="private_key_jwt", jwks_url=url)
    assert made["jwks_url"] == url
    return Signer(made["id"], OLD)


async def statuses(network: Network, *assertions: str) -> list[int]:
    return [answer.status_code for answer in await asyncio.gather(*map(network.ask, assertions))]


async def test_keys_are_fetched_once_and_cached(network: Network, server: KeyServer) -> None:
    server.publish(OLD, NEW)
    signer = await signer_at(network, server.url)
    assert server.asked == 0
    assert await statuses(network, *(signer.assertion() for _ in range(20))) == 20 * [200]
    assert server.asked == 1, "twenty that come at once wait for one answer"
    signer.key = NEW
    assert await statuses(network, signer.assertion()) == [200]
    assert server.asked == 1


async def test_a_flood_of_unknown_key_ids_causes_no_fetches(network: Network, server: KeyServer) -> None:
    server.publish(OLD)
    signer = await signer_at(network, server.url)
    flood = [signer.assertion({"kid": f"k{number}"}) for number in range(50)]
    assert set(await statuses(network, *flood)) == {401}
    assert await statuses(network, signer.assertion()) == [200]
    assert server.asked == 1


async def test_a_failing_server_is_not_called_for_a_while(
    network: Network, server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_keys, "PACE", Pace(retried_after=1))
    signer = await signer_at(network, server.url)
    assert set(await statuses(network, *(signer.assertion() for _ in range(20)))) == {401}
    for _ in range(5):
        assert await statuses(network, signer.assertion()) == [401]
    assert server.asked == 1
    server.publish(OLD)
    await asyncio.sleep(1)
    assert await statuses(network, signer.assertion()) == [200]


async def test_a_rotated_key_is_found_and_a_removed_one_is_refused(
    network: Network, server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_keys, "PACE", Pace(renewed_after=0))
    server.publish(OLD)
    signer = await signer_at(network, server.url)
    assert await statuses(network, signer.assertion()) == [200]
    server.publish(NEW)
    signer.key = NEW
    assert await statuses(network, signer.assertion()) == [200]
    signer.key = OLD
    assert await statuses(network, signer.assertion()) == [401]


async def test_a_cached_key_set_is_used_while_its_server_is_down_for_a_limited_time(
    network: Network, server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_keys, "PACE", Pace(held=1, renewed_after=0))
    server.publish(OLD)
    signer = await signer_at(network, server.url)
    assert await statuses(network, signer.assertion()) == [200]
    server.answers = lambda: web.Response(status=503)
    assert await statuses(network, signer.assertion({"kid": "another"}), signer.assertion()) == [401, 200]
    await asyncio.sleep(1)
    assert await statuses(network, signer.assertion()) == [401]


async def slow() -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.json_response(key_set(OLD))


def written(body: bytes, **headers: str) -> Answer:
    return lambda: web.Response(body=body, headers={"Content-Type": "application/json", **headers})


UNUSABLE: dict[str, Answer] = {
    "a private key": lambda: web.json_response({"keys": [OLD.as_dict(private=True)]}),
    "no JSON": written(b"<html>"),
    "a list": written(b"[]"),
    "no keys": written(b"{}"),
    "keys of another type": written(json.dumps({"keys": {"kid": "old"}}).encode()),
    "a key of another type": written(json.dumps({"keys": [{**OLD.as_dict(private=False), "kty": ["EC"]}]}).encode()),
    "bottomless": written(b'{"keys":' + b"[" * 20_000),
    "not UTF-8": written(b'{"keys": "\xff"}'),
    "huge": written(json.dumps({"keys": [OLD.as_dict(private=False)], "filler": "x" * 100_000}).encode()),
    "without end": lambda: web.Response(body=b" " * 1_000_000),
    "compressed": written(b"\x1f\x8b\x08\x00", **{"Content-Encoding": "gzip"}),
    "elsewhere": lambda: web.Response(status=302, headers={"Location": "/keys-elsewhere"}),
    "not found": lambda: web.Response(status=404, text=json.dumps(key_set(OLD))),
    "slow": slow,
}


async def test_an_answer_that_is_not_a_key_set_is_not_used(
    network: Network, server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetched_keys, "FETCH_SECONDS", 0.5)
    server.paths["/keys-elsewhere"] = lambda: web.json_response(key_set(OLD))
    organisation = await network.organisation()
    for number, (name, answer) in enumerate(UNUSABLE.items()):
        server.paths[f"/{number}"] = answer
        made = await network.client(
            organisation, method="private_key_jwt", jwks_url=server.url.replace("jwks.json", str(number))
        )
        refused = await network.ask(Signer(made["id"], OLD).assertion())
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client"), name
    assert server.asked == len(UNUSABLE), "a redirect is not followed"


async def test_an_address_that_became_private_is_not_called(network: Network) -> None:
    signer = await signer_at(network, "http://127.0.0.1:9/jwks.json")
    async with network.app.state.database.transaction() as connection:
        await connection.exec_driver_sql(
            f"UPDATE clients SET jwks_url = 'https://169.254.169.254/keys' WHERE id = '{signer.client}'"
        )
    assert await statuses(network, signer.assertion()) == [401]


async def test_clients_with_the_same_url_share_only_the_key_set(network: Network, server: KeyServer) -> None:
    server.publish(OLD)
    first, second = await signer_at(network, server.url), await signer_at(network, server.url)
    tokens = [await network.token(signer) for signer in (first, second)]
    clients = [(await network.call("GET", "/registry/v1/me", token)).json()["client"] for token in tokens]
    assert clients == [first.client, second.client]
    assert server.asked == 1


async def test_a_jku_is_the_registered_url_or_is_refused(network: Network, server: KeyServer) -> None:
    """SMART Backend Services: a `jku` names the registered URL. It is never fetched."""
    server.publish(OLD)
    signer = await signer_at(network, server.url)
    assert (await network.ask(signer.assertion({"jku": server.url}))).status_code == 200
    refused = await network.ask(signer.assertion({"jku": server.url + "?elsewhere"}))
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert "jku" in refused.json()["error_description"]
    # Without the client's signature the answer does not reveal that the client has another URL.
    forged = Signer(signer.client, key_of("forged"))
    unproved = (await network.ask(forged.assertion())).json()
    assert (await network.ask(forged.assertion({"jku": server.url + "?elsewhere"}))).json() == unproved


async def test_a_key_for_encryption_in_a_published_set_is_ignored(network: Network, server: KeyServer) -> None:
    """RFC 7517 §5: publishing such a key must not lock the client out."""
    encryption = {**key_of("enc-1", "RS384").as_dict(private=False), "use": "enc", "alg": "RSA-OAEP-256"}
    server.answers = lambda: web.json_response({"keys": [encryption, *key_set(OLD)["keys"]]})
    signer = await signer_at(network, server.url)
    assert (await network.ask(signer.assertion())).status_code == 200
