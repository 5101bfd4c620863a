"""Which credentials each service accepts during changes: revocations, a registry that is down, rotated keys, races."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from shared.access import directory as directories
from shared.access.directory import RemoteDirectory
from shared.access.fetched_keys import Pace
from shared.access.tokens import verify
from shared.clients.internal import InternalClient
from shared.operations.service import Health, create_service
from shared.settings import ServiceSettings
from tests.conftest import INTERNAL, ISSUER, client_of, new_database
from tests.contract.matching import Line
from tests.contract.network import ORGANISATIONS, Network, Services, b64, key_set, running_network
from tests.contract.registry import running_registry
from tests.contract.test_assertions import administered

pytestmark = pytest.mark.anyio

SERVICES = ("registry", "matching", "notifications")
IF_ANY = {"If-Match": "*"}
ME = "/registry/v1/me"
PROMISED = 5.0  # seconds


async def statuses(services: Services, token: str) -> list[int]:
    return [(await services.alive(service, token)).status_code for service in SERVICES]


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = PROMISED) -> float:
    """Wait for a condition that becomes true in the background; return the seconds it took."""
    started = time.perf_counter()
    async with asyncio.timeout(seconds):
        while True:
            if await condition():
                return time.perf_counter() - started
            await asyncio.sleep(0.01)


async def test_a_revoked_client_is_refused_everywhere_within_seconds(
    services: Services, figure: Callable[[str, object], None]
) -> None:
    network = services.network
    name = await network.organisation()
    made, signer = await network.client(name), await network.signer(name)
    longest = 0.0
    for client, credential in ((made["id"], made["key"]), (signer.client, await network.token(signer))):
        assert await statuses(services, credential) == [200, 200, 200]
        await network.call("DELETE", f"{ORGANISATIONS}/{name}/clients/{client}", network.admin, headers=IF_ANY)
        assert (await services.alive("registry", credential)).status_code == 401, "where it was done, at once"

        async def out(credential: str = credential) -> bool:
            return await statuses(services, credential) == [401, 401, 401]

        longest = max(longest, await until(out))
    figure("seconds from a revocation to its refusal by every service", round(longest, 3))


async def test_new_rights_apply_everywhere_with_the_first_token_that_has_them(services: Services) -> None:
    network = services.network
    name = await network.organisation()
    admin = (await network.client(name, "admin"))["key"]
    signer = await network.signer(name)
    path = f"{ORGANISATIONS}/{name}/clients/{signer.client}"
    for number in range(5):
        former = await network.token(signer)
        update = {
            "name": f"n{number}",
            "scopes": ["trial.read", "match.execute", "subscription.read"],
            "jwks": key_set(signer.key),
        }
        assert (await network.call("PUT", path, admin, json=update, headers=IF_ANY)).status_code == 200
        latter = await network.token(signer)
        assert await statuses(services, latter) == [200, 200, 200], "in the very second"

        async def out(former: str = former) -> bool:
            return await statuses(services, former) == [401, 401, 401]

        await until(out)
        assert await statuses(services, latter) == [200, 200, 200]


async def test_a_suspension_ends_keys_and_tokens_and_a_reinstatement_needs_new_tokens(services: Services) -> None:
    network = services.network
    name = await network.organisation()
    key, signer = (await network.client(name))["key"], await network.signer(name)
    token = await network.token(signer)
    for credential in (key, token):
        assert await statuses(services, credential) == [200, 200, 200]

    async def become(status: str) -> None:
        document = {"kind": "hospital", "name": name, "status": status}
        answer = await network.call("PUT", f"{ORGANISATIONS}/{name}", network.admin, json=document, headers=IF_ANY)
        assert answer.status_code == 200

    async def are(*expected: int) -> bool:
        return [*await statuses(services, key), *await statuses(services, token)] == [
            *3 * [expected[0]],
            *3 * [expected[1]],
        ]

    await become("suspended")
    await until(lambda: are(401, 401))
    await become("active")
    await until(lambda: are(200, 401))
    assert await statuses(services, await network.token(signer)) == [200, 200, 200]


class Detour(Line):
    """A connection on which an action runs after the registry has answered and before the answer arrives."""

    then: Callable[[], Awaitable[None]] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if self.then is not None and request.url.path.endswith("/introspect"):
            then, self.then = self.then, None
            await response.aread()
            await then()
        return response


async def test_an_answer_overtaken_by_a_revocation_is_not_accepted(network: Network) -> None:
    name = await network.organisation()
    made = await network.client(name)
    line = Detour(network.app)
    directory = RemoteDirectory(InternalClient("http://registry", INTERNAL, line), feed_wait=0)
    await directory.step()

    async def revoke() -> None:
        await network.call("DELETE", f"{ORGANISATIONS}/{name}/clients/{made['id']}", network.admin, headers=IF_ANY)
        await directory.step()

    line.then = revoke
    found = await directory.introspect(made["key"])
    assert found is not None
    assert await directory.is_revoked(found)


async def test_a_token_issued_while_its_client_is_being_revoked_is_refused(
    postgres: str, stocked_database: str
) -> None:
    """The revocation has a feed number and is not committed; a second later a token is issued; then both commit."""
    with new_database(postgres, stocked_database) as url:
        async with running_network(url) as network:
            name = await network.organisation()
            signer = await network.signer(name)
            directory = RemoteDirectory(InternalClient("http://registry", INTERNAL, Line(network.app)), feed_wait=0)
            await directory.step()
            blocker = await asyncpg.connect(url)
            turn = blocker.transaction()
            await turn.start()
            await blocker.execute("SELECT number FROM audit_head FOR UPDATE")
            path = f"{ORGANISATIONS}/{name}/clients/{signer.client}"
            revoking = asyncio.create_task(network.call("DELETE", path, network.admin, headers=IF_ANY))
            await asyncio.sleep(1.1)
            asking = asyncio.create_task(network.token(signer))
            await asyncio.sleep(0.3)
            await turn.rollback()
            await blocker.close()
            assert (await revoking).status_code == 204
            token = await asking
            assert (await network.call("GET", ME, token)).status_code == 401
            await directory.step()
            published = (await network.call("GET", "/.well-known/jwks.json")).json()["keys"]
            credential = verify(token, published, ISSUER, "registry", int(time.time()))
            assert await directory.is_revoked(credential)


async def test_another_replica_of_the_registry_learns_of_a_revocation(postgres: str) -> None:
    with new_database(postgres) as url:
        async with running_registry(url) as first, running_registry(url) as second:
            network = await administered(Network(first, url))
            replica = Network(second, url)
            name = await network.organisation()
            made, signer = await network.client(name), await network.signer(name)
            other = await network.signer(name)
            token = await network.token(signer)
            for credential in (made["key"], token):
                assert (await replica.call("GET", ME, credential)).status_code == 200
            for client in (made["id"], signer.client):
                await network.call("DELETE", f"{ORGANISATIONS}/{name}/clients/{client}", network.admin, headers=IF_ANY)

            async def out() -> bool:
                return {(await replica.call("GET", ME, one)).status_code for one in (made["key"], token)} == {401}

            await until(out)
            # A key rotated on one replica verifies on the other, however often.
            for _ in range(3):
                await network.call("POST", "/registry/v1/signing-keys/rotate", network.admin)
                assert (await replica.call("GET", ME, await network.token(other))).status_code == 200


async def test_known_credentials_are_accepted_while_the_registry_is_down(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = services.network
    name = await network.organisation()
    key, token = (await network.client(name))["key"], await network.token(await network.signer(name))
    for service in ("matching", "notifications"):
        assert [(await services.alive(service, one)).status_code for one in (key, token)] == [200, 200]
    unseen = (await network.client(name))["key"]
    monkeypatch.setattr(directories, "FRESH_SECONDS", 0.0)
    services.line.up = False
    try:
        for service in ("matching", "notifications"):
            assert [(await services.alive(service, one)).status_code for one in (key, token)] == [200, 200]
            answer = await services.alive(service, unseen)
            assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
                503,
                "identity_unavailable",
                "2",
            )
            assert (await services.alive(service)).status_code == 200
            assert (await services.alive(service, "bad")).status_code == 401
        monkeypatch.setattr(directories, "LIFETIME", 0)
        assert (await services.alive("matching", key)).status_code == 503, "no longer than a token lives"
    finally:
        services.line.up = True
    assert (await services.alive("matching", unseen)).status_code == 200


async def test_a_service_that_never_reached_the_registry_answers_503_and_then_recovers(network: Network) -> None:
    """503 instead of 401: a client that gets 401 would discard its token."""
    name = await network.organisation()
    key, token = (await network.client(name))["key"], await network.token(await network.signer(name))
    line = Line(network.app)
    line.up = False
    async with listening(line) as service:
        for _ in range(3):
            assert [(await service(one)).status_code for one in (key, token)] == [503, 503]
        line.up = True

        async def accepted() -> bool:
            return [(await service(one)).status_code for one in (key, token)] == [200, 200]

        await until(accepted, 10)


@asynccontextmanager
async def listening(line: Line) -> AsyncIterator[Callable[[str | None], Awaitable[httpx.Response]]]:
    """A service with only health routes, which accepts the same credentials as the registry."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async def health() -> Health:
            return Health(ready=True)

        app.state.health = health
        app.state.callers.directory = directory = RemoteDirectory(
            InternalClient("http://registry", INTERNAL, line), feed_wait=1
        )
        directory.start(app.state.tasks)
        yield
        await directory.stop()

    app = create_service("matching", ServiceSettings(), [], lifespan, "A service of this test.")

    async def ask(token: str | None) -> httpx.Response:
        async with client_of(app, token=token) as caller:
            return await caller.get("/matching/livez")

    async with app.router.lifespan_context(app):
        yield ask


async def test_a_flood_of_forged_credentials_does_not_flood_the_registry(services: Services) -> None:
    network, line = services.network, services.line
    token = await network.token(await network.signer(await network.organisation()))
    assert (await services.alive("matching", token)).status_code == 200
    _, claims, signature = token.split(".")
    forged = [
        ".".join([b64({"alg": "ES256", "typ": "at+jwt", "kid": f"k{number}"}), claims, signature])
        for number in range(60)
    ]
    line.paths.clear()
    answers = await asyncio.gather(*(services.alive("matching", one) for one in forged))
    assert {answer.status_code for answer in answers} == {401}
    assert line.paths.count("/.well-known/jwks.json") <= 1
    line.paths.clear()
    malformed = [f"cleio_{number}" for number in range(30)] + [f"cleio_{'0' * 32}_{'A' * 42}"]
    assert {(await services.alive("matching", one)).status_code for one in malformed} == {401}
    assert [path for path in line.paths if path.endswith("/introspect")] == []
    unknown = [f"cleio_{number:032x}_{'A' * 43}" for number in range(40)]
    answers = await asyncio.gather(*(services.alive("matching", one) for one in [*unknown, token]))
    assert {answer.status_code for answer in answers[:-1]} == {401}
    assert answers[-1].status_code == 200


async def test_concurrent_calls_with_one_key_cause_one_look_up(services: Services) -> None:
    key = (await services.network.client(await services.network.organisation()))["key"]
    services.line.paths.clear()
    for _ in range(20):
        assert (await services.alive("matching", key)).status_code == 200
    assert len([path for path in services.line.paths if path.endswith("/introspect")]) == 1


async def test_a_compromised_signing_key_is_accepted_nowhere_after_a_minute(
    stocked_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directories, "KEYS_SECONDS", 0.0)
    monkeypatch.setattr(directories, "PACE", Pace(held=600, renewed_after=0, retried_after=0))
    shutil.copyfile(stocked_file, tmp_path / "registry.db")
    async with (
        running_network(f"sqlite:///{tmp_path / 'registry.db'}") as network,
        listening(Line(network.app)) as service,
    ):
        signer = await network.signer(await network.organisation())
        token = await network.token(signer)
        assert (await service(token)).status_code == 200
        assert (
            await network.call("POST", "/registry/v1/signing-keys/rotate?compromised=true", network.admin)
        ).status_code == 200

        async def refused() -> bool:
            return (await service(token)).status_code == 401

        await until(refused)
        assert (await service(await network.token(signer))).status_code == 200


async def test_frequent_rotations_of_keys_refuse_no_token(network: Network) -> None:
    """Services fetch the keys at most every few seconds: a key must not sign before they can know it."""
    signer = await network.signer(await network.organisation())
    async with listening(Line(network.app)) as service:
        assert (await service(await network.token(signer))).status_code == 200
        for _ in range(4):
            await network.call("POST", "/registry/v1/signing-keys/rotate", network.admin)
            assert (await service(await network.token(signer))).status_code == 200
        await network.announced_long_ago()
        assert (await network.call("POST", "/registry/v1/signing-keys/rotate", network.admin)).status_code == 200
        refused = await network.call("POST", "/registry/v1/signing-keys/rotate", network.admin)
        assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (
            409,
            "signing_key_too_new",
            "10",
        )


async def test_a_cached_credential_ends_when_it_expires(services: Services) -> None:
    network = services.network
    made = await network.client(await network.organisation())
    soon = datetime.now(UTC) + timedelta(seconds=2)
    async with network.app.state.database.transaction() as connection:
        await connection.exec_driver_sql(
            f"UPDATE clients SET expires_at = '{soon.isoformat().replace('+00:00', 'Z')}' WHERE id = '{made['id']}'"
        )
    assert await statuses(services, made["key"]) == [200, 200, 200]
    await asyncio.sleep((soon - datetime.now(UTC)).total_seconds() + 0.01)
    assert await statuses(services, made["key"]) == [401, 401, 401]


async def test_a_history_without_its_end_is_read_anew(network: Network) -> None:
    """A promoted standby may lack the last entries: numbers are used again, and a waiting reader would miss them."""
    name = await network.organisation()
    signer = await network.signer(name)
    token = await network.token(signer)
    assert (await network.call("GET", ME, token)).status_code == 200
    async with network.app.state.database.transaction() as connection:
        await connection.exec_driver_sql("DELETE FROM feed_entries WHERE seq > (SELECT seq - 5 FROM feed_head)")
        await connection.exec_driver_sql("UPDATE feed_head SET seq = seq - 5, generation = generation + 1")
    path = f"{ORGANISATIONS}/{name}/clients/{signer.client}"
    assert (await network.call("DELETE", path, network.admin, headers=IF_ANY)).status_code == 204
    assert (await network.call("GET", ME, token)).status_code == 401
