"""An assertion is accepted once: by parallel requests, by replicas, after a restart. Clocks may differ by 30 s."""

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.registry.identity.tokens.assertions import TokenRequest, check_assertion
from services.registry.identity.tokens.problems import TokenRefusedError
from shared.access.tokens import CLOCK_SKEW, LIFETIME
from tests.conftest import INTERNAL, ISSUER, new_database
from tests.contract.network import ORGANISATIONS, TOKEN, Network, Signer, form, key_of, key_set
from tests.contract.processes import ServiceProcess
from tests.contract.registry import running_registry

pytestmark = pytest.mark.anyio

NOW = 1_709_164_800  # 29 February 2024


async def test_of_twenty_requests_with_one_assertion_one_succeeds(network: Network) -> None:
    signer = await network.signer(await network.organisation())
    for age in (0, 320):  # new, and in the last seconds in which a clock that is behind still accepts it
        assertion = signer.assertion(exp=int(time.time()) + LIFETIME - age, iat=int(time.time()) - age)
        statuses = [answer.status_code for answer in await asyncio.gather(*(network.ask(assertion) for _ in range(20)))]
        assert sorted(statuses) == [200] + 19 * [401]
        assert (await network.ask(assertion)).json()["error"] == "invalid_client"


async def test_two_clients_may_use_the_same_jti(network: Network) -> None:
    name = await network.organisation()
    first, second = await network.signer(name), await network.signer(name)
    for signer in (first, second):
        assert (await network.ask(signer.assertion(jti="1"))).status_code == 200


async def test_a_jti_may_be_any_printable_text(network: Network) -> None:
    signer = await network.signer(await network.organisation())
    for jti in ("j" * 128, "é" * 128, "'); DROP TABLE clients; --", "𝒿", "a b"):
        assert (await network.ask(signer.assertion(jti=jti))).status_code == 200, jti
        assert (await network.ask(signer.assertion(jti=jti))).status_code == 401, jti


async def test_another_replica_knows_used_assertions(postgres: str) -> None:
    with new_database(postgres) as url:
        async with running_registry(url) as first, running_registry(url) as second:
            network = await administered(Network(first, url))
            signer = await network.signer(await network.organisation())
            replica = Network(second, url)
            assertion = signer.assertion()
            assert (await network.ask(assertion)).status_code == 200
            assert (await replica.ask(assertion)).status_code == 401
            both = [one.ask(assertion) for assertion in [signer.assertion()] for one in 10 * [network, replica]]
            assert sorted([answer.status_code for answer in await asyncio.gather(*both)]) == [200] + 19 * [401]


async def administered(network: Network) -> Network:
    made = await network.call("POST", "/registry/v1/internal/administrators", INTERNAL, json={"name": "of the tests"})
    network.admin = made.json()["key"]
    return network


async def registered(client: httpx.AsyncClient) -> Signer:
    """A client of a hospital in a registry that runs as a separate process."""
    made = await client.post(
        "/registry/v1/internal/administrators",
        json={"name": "of the tests"},
        headers={"Authorization": f"Bearer {INTERNAL}"},
    )
    admin = {"Authorization": f"Bearer {made.json()['key']}"}
    path = f"{ORGANISATIONS}/some-hospital"
    await client.put(path, json={"kind": "hospital", "name": "H"}, headers={**admin, "If-None-Match": "*"})
    key = key_of("of-a-process")
    asked: dict[str, Any] = {"name": "EHR", "method": "private_key_jwt", "scopes": ["trial.read"], "jwks": key_set(key)}
    shown = await client.post(
        f"{path}/clients", json=asked, headers={**admin, "Idempotency-Key": "the-client-of-some-hospital"}
    )
    assert shown.status_code == 201, shown.text
    return Signer(shown.json()["id"], key)


async def test_used_assertions_survive_a_restart(database_url: str) -> None:
    async with running_registry(database_url) as app:
        network = await administered(Network(app, database_url))
        signer = await network.signer(await network.organisation())
        assertion = signer.assertion()
        token = (await network.ask(assertion)).json()["access_token"]
    async with running_registry(database_url) as app:
        network.app = app
        assert (await network.ask(assertion)).status_code == 401
        assert (await network.call("GET", "/registry/v1/me", token)).status_code == 200
        assert (await network.ask(signer.assertion())).status_code == 200


@pytest.mark.full
async def test_an_assertion_used_before_a_kill_is_refused_after_it(tmp_path: Path) -> None:
    """Kill the registry between use and answer: the assertion counts as used, and a new one is accepted."""
    process = ServiceProcess(tmp_path / "var")
    try:
        async with httpx.AsyncClient(base_url=process.url, trust_env=False) as client:
            signer = await registered(client)
            served = signer.assertion()
            assert (await client.post(TOKEN, data=form(served))).status_code == 200
            caught = [signer.assertion() for _ in range(30)]
            asking = [asyncio.create_task(client.post(TOKEN, data=form(assertion))) for assertion in caught]
            await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
            os.kill(process.pid, signal.SIGKILL)
            answers = await asyncio.gather(*asking, return_exceptions=True)
        process.kill()
        again = ServiceProcess(tmp_path / "var")
        try:
            async with httpx.AsyncClient(base_url=again.url, trust_env=False) as client:
                assert (await client.post(TOKEN, data=form(served))).status_code == 401
                for assertion, answer in zip(caught, answers, strict=True):
                    status = (await client.post(TOKEN, data=form(assertion))).status_code
                    if isinstance(answer, httpx.Response):
                        assert (answer.status_code, status) == (200, 401), "an answered one has served"
                    assert status in {200, 401}
                fresh = await client.post(TOKEN, data=form(signer.assertion()))
                assert fresh.status_code == 200
                me = await client.get(
                    "/registry/v1/me", headers={"Authorization": f"Bearer {fresh.json()['access_token']}"}
                )
                assert me.json()["organisation"] == "some-hospital"
        finally:
            again.kill()
    finally:
        process.kill()


TIMES: list[tuple[dict[str, Any], str | None]] = [
    ({"exp": NOW + LIFETIME}, None),
    ({"exp": NOW + LIFETIME + CLOCK_SKEW}, None),
    ({"exp": NOW + LIFETIME + CLOCK_SKEW + 1}, "exp_too_far"),
    ({"exp": NOW - CLOCK_SKEW + 1}, None),
    ({"exp": NOW - CLOCK_SKEW}, "expired"),
    ({"exp": NOW + 60, "iat": NOW + CLOCK_SKEW}, None),
    ({"exp": NOW + 60, "iat": NOW + CLOCK_SKEW + 1}, "not_yet"),
    ({"exp": NOW + 60, "nbf": NOW + CLOCK_SKEW}, None),
    ({"exp": NOW + 60, "nbf": NOW + CLOCK_SKEW + 1}, "not_yet"),
    ({"exp": NOW + 60, "iat": NOW - 10**6}, None),
    ({"exp": 0}, "expired"),
    ({"exp": 2**40}, "exp"),
    ({"exp": NOW + 60.0}, "exp"),
    ({"exp": NOW + 600, "iat": NOW + 300}, "not_yet"),  # created on a host ten minutes ahead
    ({"exp": NOW - 300, "iat": NOW - 600}, "expired"),  # and ten minutes behind
]


@pytest.mark.parametrize(("changes", "reason"), TIMES)
def test_time_claims_are_checked_to_the_second(changes: dict[str, Any], reason: str | None) -> None:
    signer = Signer("00000000-0000-0000-0000-000000000000", key_of("edge"))
    request = TokenRequest(
        signer.client, "edge", "ES384", signer.assertion(**{"iat": None, "jti": "j", **changes}), None, frozenset()
    )
    keys = key_set(signer.key)["keys"]
    if reason is None:
        assert check_assertion(request, keys, ISSUER, NOW) == ("j", changes["exp"])
        return
    with pytest.raises(TokenRefusedError) as refused:
        check_assertion(request, keys, ISSUER, NOW)
    assert refused.value.reason == reason
