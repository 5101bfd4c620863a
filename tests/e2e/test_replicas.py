"""Several replicas of each service on a real PostgreSQL: any may be replaced or die without effect on callers."""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from services.supervisor.installation import CannotStartError, Installation
from tests.e2e.conftest import ROOT, System, alive, eventually
from tests.e2e.test_main_job import BOY

pytestmark = pytest.mark.anyio
TRIAL = "CLEIO-DEMO-0001"
# The calls of each caller, repeated; more reads than writes.
CALLS = ("read", "match", "read", "write", "read", "match")
ENOUGH = 8
PAUSE = 0.2  # seconds between two calls of a caller: a new replica starts on the same machine


@pytest.fixture
async def databases(postgres: str) -> AsyncIterator[dict[str, str]]:
    """An empty database for each service that has one."""
    server = make_url(postgres).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    names = {service: f"replicas_{service}_{os.getpid()}" for service in ("registry", "notifications")}
    async with engine.connect() as connection:
        for name in names.values():
            await connection.execute(text(f'CREATE DATABASE "{name}"'))
    yield {
        f"CLEIO_{service.upper()}_DATABASE_URL": server.set(drivername="postgresql", database=name).render_as_string(
            hide_password=False
        )
        for service, name in names.items()
    }
    async with engine.connect() as connection:
        for name in names.values():
            await connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    await engine.dispose()


class Load:
    """Callers of the gateway, with one request at a time each, and the answers."""

    def __init__(self, system: System) -> None:
        self.answers: Counter[tuple[str, object]] = Counter()
        self._url = system.url
        self._admin = {"Authorization": f"Bearer {system.admin_key}"}
        self._ended = False
        self._callers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._callers = [asyncio.create_task(self._call(kind)) for kind in CALLS]

    async def stop(self) -> None:
        self._ended = True
        await asyncio.gather(*self._callers)

    async def more(self) -> None:
        """Wait until each kind of call has been answered many more times."""
        before = {kind: self._answered(kind) for kind in set(CALLS)}
        assert await asyncio.to_thread(
            eventually, lambda: all(self._answered(kind) >= count + ENOUGH for kind, count in before.items()), 90
        ), self.answers

    def failed(self, *kinds: str) -> dict[tuple[str, object], int]:
        return {call: count for call, count in self.answers.items() if call[0] in kinds and call[1] != 200}

    def _answered(self, kind: str) -> int:
        return self.answers[kind, 200]

    async def _call(self, kind: str) -> None:
        async with httpx.AsyncClient(base_url=self._url, timeout=90, trust_env=False) as client:
            for turn in itertools.count():
                if self._ended:
                    return
                await asyncio.sleep(PAUSE)
                try:
                    answer = await self._once(client, kind, turn)
                    self.answers[kind, answer.status_code] += 1
                except httpx.TransportError as error:
                    self.answers[kind, type(error).__name__] += 1

    async def _once(self, client: httpx.AsyncClient, kind: str, turn: int) -> httpx.Response:
        if kind == "read":
            return await client.get("/registry/v1/trials?limit=5")
        if kind == "match":
            return await client.post("/matching/v1/match?limit=3", json=BOY)
        headers = {**self._admin, "If-Match": "*", "Content-Type": "application/merge-patch+json"}
        change = {"status": "recruiting" if turn % 2 else "suspended"}
        return await client.patch(f"/registry/v1/trials/{TRIAL}", content=json.dumps(change), headers=headers)


async def replace_one(system: System, service: str, number: signal.Signals) -> None:
    """Send the signal to one replica; return when another answers in its place."""
    port, pid = min(system.replicas(service).items())
    os.kill(pid, number)

    def answers() -> bool:
        with contextlib.suppress(httpx.TransportError):
            return (
                not alive(pid)
                and httpx.get(f"http://127.0.0.1:{port}/{service}/readyz", trust_env=False, timeout=5).status_code
                == 200
            )
        return False

    assert await asyncio.to_thread(eventually, answers, 90)
    assert system.replicas(service)[port] != pid


async def replace_one_of_each(system: System, services: list[str], number: signal.Signals) -> None:
    await asyncio.gather(*(replace_one(system, service, number) for service in services))


@pytest.mark.full
async def test_replicas_are_replaced_under_load(
    tmp_path: Path, databases: dict[str, str], figure: Callable[[str, object], None]
) -> None:
    services, rounds = ["registry", "matching", "notifications"], 4
    asked_for = [word for service in services for word in ("--replicas", f"{service}=2")]
    system = System(tmp_path / "var", None, *asked_for, **databases, CLEIO_GATEWAY_PATIENCE="60s")
    try:
        await asyncio.to_thread(system.read_until, "ready in")
        assert [len(system.replicas(service)) for service in services] == [2] * len(services)
        load = Load(system)
        load.start()
        await load.more()
        # Each handles part of the calls, and its log lines contain its name.
        for service, route in (("registry", "/registry/v1/trials"), ("matching", "/matching/v1/match")):
            for port in system.replicas(service):
                figures = await asyncio.to_thread(
                    httpx.get, f"http://127.0.0.1:{port}/metrics", trust_env=False, timeout=10
                )
                assert f'route="{route}",status="200"' in figures.text
            for number in (1, 2):
                assert (await asyncio.to_thread(system.read_until, f"{service}-{number} ")).startswith(
                    f"{service}-{number} "
                )
        for _ in range(rounds):
            await replace_one_of_each(system, services, signal.SIGTERM)
            await load.more()
        assert load.failed(*CALLS) == {}
        asked = load.answers.total()

        for _ in range(rounds):
            await replace_one_of_each(system, services, signal.SIGKILL)
            await load.more()
        await load.stop()
        failed = f"{sum(load.failed(*CALLS).values())} of {load.answers.total() - asked}"
        figure(f"requests failed while {rounds} x one replica of {' and '.join(services)} was killed", failed)
        # Reads go to another replica unless their answer has begun, which then breaks off. Writes are not repeated.
        assert set(load.failed("read", "match")) <= {("read", "RemoteProtocolError"), ("match", "RemoteProtocolError")}
        assert set(load.failed("write")) <= {("write", 502)}
    finally:
        system.end()
    assert (await asyncio.to_thread(audit_verification, system.folder, databases)).startswith("audit logs verified")


def audit_verification(folder: Path, databases: dict[str, str]) -> str:
    """The output of `cleio audit verify` for the logs of all replicas."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLEIO_")}
    environment |= {**databases, "CLEIO_DATA_DIR": str(folder)}
    command = [sys.executable, "-m", "services.cli", "audit", "verify"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    ).stdout


def test_several_processes_on_one_sqlite_file_are_refused_in_one_line(tmp_path: Path) -> None:
    refused = System(tmp_path / "var", None, CLEIO_REPLICAS="matching=2 registry=2")
    lines = refused.read_to_the_end()
    assert (refused.process.returncode, len(lines)) == (1, 1)
    assert "CLEIO_REGISTRY_DATABASE_URL" in lines[0]


@pytest.mark.parametrize("asked", ["matching", "matching=0", "matching=17", "elsewhere=2", "matching=²"])
def test_invalid_numbers_of_replicas_are_refused(asked: str) -> None:
    with pytest.raises(CannotStartError, match="--replicas is"):
        Installation.from_environment({}, ["matching=2", asked])
