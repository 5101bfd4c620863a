"""A service that is told to stop finishes what it has begun: under load through the gateway, no request fails."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import System, alive, eventually
from tests.e2e.test_main_job import BOY

pytestmark = pytest.mark.anyio
CALLERS = 8
ROUNDS = 3


async def until(fact: Callable[[], bool]) -> None:
    assert await asyncio.to_thread(eventually, fact, 60)


@pytest.mark.parametrize("service", ["registry", "matching"])
async def test_a_service_that_is_stopped_under_load_fails_no_request(tmp_path: Path, service: str) -> None:
    # The gateway holds requests for longer than a start takes here, however busy the machine is.
    system = System(tmp_path / "var", CLEIO_GATEWAY_PATIENCE="60s")
    answers: Counter[object] = Counter()
    ended = False

    async def call(client: httpx.AsyncClient) -> None:
        while not ended:
            try:
                if service == "matching":
                    answer = await client.post("/matching/v1/match?limit=3", json=BOY)
                else:
                    answer = await client.get("/registry/v1/trials?limit=5")
                answers[answer.status_code] += 1
            except httpx.TransportError as error:
                answers[type(error).__name__] += 1

    try:
        await asyncio.to_thread(system.read_until, "ready in")
        async with httpx.AsyncClient(base_url=system.url, timeout=90, trust_env=False) as client:
            callers = [asyncio.create_task(call(client)) for _ in range(CALLERS)]
            for _ in range(ROUNDS):
                seen = answers.total()
                await until(lambda: answers.total() >= seen + 50)
                stopped = system.programs()[service]
                os.kill(stopped, signal.SIGTERM)
                await until(lambda: not alive(stopped))
                # The one that takes its place answers under the same load.
                seen = answers.total()
                await until(lambda: answers.total() >= seen + 50)
            ended = True
            await asyncio.gather(*callers)
        assert set(answers) == {200}, answers
    finally:
        system.end()
