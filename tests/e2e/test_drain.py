"""A service that is stopped finishes the requests under way: under load through the gateway, no request fails."""

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
SERVICES = ("registry", "matching")
CALLERS = 4  # of each service
PAUSE = 0.05  # seconds between two calls of a caller: the service that starts again needs the same processors


async def until(fact: Callable[[], bool]) -> None:
    assert await asyncio.to_thread(eventually, fact, 60)


@pytest.mark.full
async def test_services_that_are_stopped_under_load_fail_no_request(tmp_path: Path) -> None:
    # The gateway retries a request for longer than a start takes here, however busy the machine is.
    system = System(tmp_path / "var", CLEIO_GATEWAY_PATIENCE="60s")
    answers: dict[str, Counter[object]] = {service: Counter() for service in SERVICES}
    ended = False

    async def call(client: httpx.AsyncClient, service: str) -> None:
        while not ended:
            try:
                if service == "matching":
                    answer = await client.post("/matching/v1/match?limit=3", json=BOY)
                else:
                    answer = await client.get("/registry/v1/trials?limit=5")
                answers[service][answer.status_code] += 1
            except httpx.TransportError as error:
                answers[service][type(error).__name__] += 1
            await asyncio.sleep(PAUSE)

    async def more_answers(service: str) -> None:
        before = answers[service].total()
        await until(lambda: answers[service].total() >= before + 25)

    try:
        await asyncio.to_thread(system.read_until, "ready in")
        async with httpx.AsyncClient(base_url=system.url, timeout=90, trust_env=False) as client:
            callers = [asyncio.create_task(call(client, service)) for service in SERVICES for _ in range(CALLERS)]
            for service in SERVICES * 5:
                await more_answers(service)
                stopped = system.programs()[service]
                os.kill(stopped, signal.SIGTERM)
                await until(lambda stopped=stopped: not alive(stopped))
                # The process that takes its place answers under the same load.
                await more_answers(service)
            ended = True
            await asyncio.gather(*callers)
        assert {service: set(counted) for service, counted in answers.items()} == {
            service: {200} for service in SERVICES
        }, answers
    finally:
        system.end()
