"""A push survives the death of the processes that run it: it continues, and each line takes effect once."""

import asyncio
import random
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.registry.jobs import lines as running
from services.registry.jobs import worker as working
from services.registry.jobs.worker import JobWorker
from services.registry.sources.partner.files import NDJSON
from tests.conftest import ADMIN
from tests.contract.network import ORGANISATIONS, Network
from tests.contract.notifications import until
from tests.contract.processes import ServiceProcess
from tests.contract.test_jobs import ENDED, Partner, a_trial, lines

pytestmark = pytest.mark.anyio


async def test_any_process_continues_a_job_of_one_that_died(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (running, working):
        monkeypatch.setattr(module, "LEASE", timedelta(seconds=0.5))
    monkeypatch.setattr(JobWorker, "wake", lambda _: None)  # the process itself looks for jobs every two seconds
    partner, dice = await Partner.of(network), random.Random(7)
    state = network.app.state

    async def die_again_and_again() -> None:
        while True:
            worker = JobWorker(state.database, lambda: state.trial_rules)
            worker._is_first = False
            with suppress(TimeoutError):
                async with asyncio.timeout(dice.uniform(0.05, 1.5)):  # long enough for a slow machine
                    await worker.step()

    answer = await partner.send(lines(*(a_trial(f"K-{number}") for number in range(24))))
    processes = [asyncio.create_task(die_again_and_again()) for _ in range(2)]
    try:
        job, results = await partner.ended(answer.json()["id"])
    finally:
        for one in processes:
            one.cancel()
        await asyncio.gather(*processes, return_exceptions=True)
    assert (job["state"], job["counts"]) == ("done", {"created": 24})
    assert [one["line"] for one in results] == list(range(1, 25))
    assert len({one["trial_id"] for one in results}) == 24
    assert {(await partner.trial(one["trial_id"]))["version"] for one in results} == {1}


async def test_a_killed_registry_continues_after_its_restart(tmp_path: Path) -> None:
    headers = {"Authorization": f"Bearer {ADMIN}"}
    registry = ServiceProcess(tmp_path, sample=False)
    async with httpx.AsyncClient(base_url=registry.url, headers=headers, trust_env=False) as client:
        organisation = {"kind": "network", "name": "Network"}
        await client.put(f"{ORGANISATIONS}/fr-net", json=organisation, headers={"If-None-Match": "*"})
        sent = lines(*(a_trial(f"L-{number}") for number in range(60)))
        path = "/registry/v1/sources/partner:fr-net/trials"
        job = (await client.put(path, content=sent, headers={"Content-Type": NDJSON})).json()["id"]
        found = await until(lambda: _job(client, job, lambda one: one["done"] > 0))
        registry.kill()
    assert 0 < found["done"] < 60
    registry = ServiceProcess(tmp_path, sample=False)
    async with httpx.AsyncClient(base_url=registry.url, headers=headers, trust_env=False) as client:
        ended = await until(lambda: _job(client, job, lambda one: one["state"] in ENDED))
        assert (ended["state"], ended["counts"]) == ("done", {"created": 60})
        events: list[dict[str, Any]] = (await client.get("/registry/v1/feed?types=trial.published&limit=1000")).json()
        assert len(events) == len({one["subject"] for one in events}) == 60
    registry.kill()


async def _job(client: httpx.AsyncClient, job: str, fits: Any) -> dict[str, Any] | None:
    document: dict[str, Any] = (await client.get(f"/registry/v1/jobs/{job}")).json()
    return document if fits(document) else None
