"""A copy equals its source after any interleaving of pages, changes, faults and crashes."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from services.registry.synchronisation.connectors.opening import open_connector
from services.registry.synchronisation.model import Listing, Page, Requested, Run, SyncState
from services.registry.synchronisation.plan import SyncPlan
from services.registry.synchronisation.repository import SyncRepository
from services.registry.synchronisation.running import Synchroniser
from shared.clients.outbound import OutboundClient
from shared.clients.public_addresses import read_networks
from tests.conftest import ADMIN, client_of
from tests.contract.processes import ServiceProcess
from tests.contract.registers import FAULTS, Ctgov, serving
from tests.contract.test_synchronisation import dated, numbers

pytestmark = pytest.mark.anyio

STATUSES = ("RECRUITING", "COMPLETED", "SUSPENDED")
OURS = {"RECRUITING": "recruiting", "COMPLETED": "completed", "SUSPENDED": "suspended"}
Step = tuple[str, int]
# A change of the register, a fault of it, or a crash here: before or after the effect of a page is stored.
STEPS = st.lists(
    st.tuples(st.sampled_from(["change", "remove", *FAULTS, "good", "crash before", "crash after"]), st.integers(0, 8)),
    max_size=14,
)


class Crash(BaseException):
    """The process was killed."""


@dataclass(frozen=True, slots=True)
class Mortal(Synchroniser):
    """Dies where the list says: at the first letter before, at the second after a page is stored."""

    deaths: list[str] = field(default_factory=list)

    async def _store(self, state: SyncState, run: Run, page: Page, listings: Sequence[Listing]) -> None:
        death = self.deaths.pop(0) if self.deaths else ""
        if death == "crash before":
            raise Crash
        await super(Mortal, self)._store(state, run, page, listings)
        if death == "crash after":
            raise Crash


async def run_to_the_end(mortal: Mortal) -> None:
    database = mortal.database
    for _ in range(200):
        try:
            if not await mortal.work():
                async with database.read() as connection:
                    state = await SyncRepository(connection).state(mortal.source)
                if state is None or (state.run is None and state.requested is None):
                    return
                await asyncio.sleep(0.002)
        except Crash:
            async with database.transaction() as connection:
                await SyncRepository(connection).release()
    raise AssertionError("the run has no end")


async def ask(mortal: Mortal, *, full: bool) -> None:
    async with mortal.database.transaction() as connection:
        repository = SyncRepository(connection)
        await repository.ensure(mortal.source)
        await repository.request(mortal.source, Requested(full=full))


def apply(register: Ctgov, steps: Sequence[Step], day: str) -> None:
    """Do one change of the register before each page, as long as there are some."""
    changes = [step for step in steps if step[0] in {"change", "remove"}]

    def change() -> None:
        if changes:
            kind, number = changes.pop(0)
            name = numbers(9)[number]
            if kind == "remove":
                register.records.pop(name, None)
            else:
                register.records[name] = dated(name, day, STATUSES[number % 3])

    register.before_page = change


async def test_a_copy_equals_the_source_after_any_interleaving(registry: FastAPI) -> None:
    register, today = Ctgov(), time.strftime("%Y-%m-%d", time.gmtime())
    plan = SyncPlan(pause_seconds=0, retry_seconds=0.001)

    async def try_out(steps: Sequence[Step], records: Sequence[int]) -> None:
        register.records = {numbers(9)[one]: dated(numbers(9)[one], today, STATUSES[one % 3]) for one in records}
        register.faults.extend("" if kind == "good" else kind for kind, _ in steps if kind in {*FAULTS, "good"})
        apply(register, steps, today)
        mortal = Mortal(
            "ctgov",
            SyncPlan(**{**plan.model_dump(), "url": register.url}),
            open_connector("ctgov", SyncPlan(url=register.url, pause_seconds=0), outbound),
            registry.state.database,
            lambda: registry.state.trial_rules,
            deaths=[kind for kind, _ in steps if kind.startswith("crash")],
        )
        for full in (False, True):
            await ask(mortal, full=full)
            await run_to_the_end(mortal)
        apply(register, [], today)
        register.faults.clear()
        await ask(mortal, full=True)
        await run_to_the_end(mortal)
        async with registry.state.database.read() as connection:
            found = await SyncRepository(connection).listed("ctgov", numbers(9))
        assert {name for name, one in found.items() if one.missing_since is None} == set(register.records)
        for name, record in register.records.items():
            trial = (await client.get(f"/registry/v1/trials/{name}")).json()
            assert trial["status"] == OURS[record["protocolSection"]["statusModule"]["overallStatus"]]

    async with (
        serving(register),
        OutboundClient(developer=read_networks("127.0.0.0/8")) as outbound,
        client_of(registry, token=ADMIN) as client,
    ):
        loop = asyncio.get_running_loop()

        @given(steps=STEPS, records=st.lists(st.integers(0, 8), unique=True))
        @settings(max_examples=12)
        def any_interleaving(steps: Sequence[Step], records: Sequence[int]) -> None:
            asyncio.run_coroutine_threadsafe(try_out(steps, records), loop).result()

        await asyncio.to_thread(any_interleaving)


@pytest.fixture
async def slow_register() -> AsyncIterator[Ctgov]:
    async with serving(Ctgov()) as register:
        register.records = {number: dated(number) for number in numbers(12)}
        yield register


async def test_a_killed_registry_goes_on_where_it_was(tmp_path: Path, slow_register: Ctgov) -> None:
    plan = {"url": slow_register.url, "hours": 24, "pause_seconds": 0.1, "retry_seconds": 0.05}
    environment = {
        "CLEIO_REGISTRY_SYNC": json.dumps({"ctgov": plan}),
        "CLEIO_OUTBOUND_DEV_HOSTS": "127.0.0.0/8",
    }
    first = await asyncio.to_thread(ServiceProcess, tmp_path / "data", sample=False, **environment)
    async with asyncio.timeout(20):
        while len(slow_register.asked) < 4:  # noqa: ASYNC110 - another process asks
            await asyncio.sleep(0.01)
    first.kill()
    asked = len(slow_register.asked)
    second = await asyncio.to_thread(ServiceProcess, tmp_path / "data", sample=False, **environment)
    try:
        headers = {"Authorization": f"Bearer {ADMIN}"}
        async with httpx.AsyncClient(base_url=second.url, headers=headers, trust_env=False) as client:
            state = await until_ended(client)
    finally:
        second.kill()
    assert state["listed"] == 12
    # The pages before the kill are not asked for again: only the one that was not stored.
    assert [one for one in slow_register.asked[asked:] if "pageToken" not in one] == []


async def until_ended(client: httpx.AsyncClient) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            with suppress(httpx.TransportError):
                state: dict[str, Any] = (await client.get("/registry/v1/sources/ctgov")).json()
                if state.get("last_run"):
                    return state
            await asyncio.sleep(0.05)
