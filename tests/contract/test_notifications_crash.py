"""The service as a real process that is killed: what it accepted is delivered at least once, as the ledger says."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.persistence import open_database
from tests.conftest import free_port
from tests.contract.notifications import (
    Notifications,
    Receiver,
    Source,
    migrate,
    running_receiver,
    running_source,
    until,
)
from tests.contract.processes import ServiceProcess

pytestmark = pytest.mark.anyio


class Program:
    """The notifications service in a process of its own, which can be killed and started again on the same database."""

    def __init__(self, database_url: str, source: Source, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._settings = {
            "CLEIO_REGISTRY_URL": source.url,
            "CLEIO_NOTIFICATIONS_DATABASE_URL": database_url,
            "CLEIO_OUTBOUND_DEV_HOSTS": "127.0.0.0/8",
            "CLEIO_NOTIFICATIONS_RETRY_SECONDS": "[0, 0.05, 0.05, 0.05]",
            "CLEIO_NOTIFICATIONS_ATTEMPT_SECONDS": "2",
            "CLEIO_NOTIFICATIONS_LEASE_MARGIN_SECONDS": "1",
            "CLEIO_NOTIFICATIONS_SWEEP_SECONDS": "0.05",
            "CLEIO_LOG_LEVEL": "CRITICAL",
            **settings,
        }
        self._process: ServiceProcess | None = None

    async def start(self) -> None:
        """Start it on the port that it had, and return when it is ready."""
        port = self._process.port if self._process is not None else None
        self._process = await asyncio.to_thread(
            ServiceProcess, self._folder, "notifications", port=port, **self._settings
        )

    async def kill(self) -> None:
        if self._process is not None:
            await asyncio.to_thread(self._process.kill)

    def admin(self) -> httpx.AsyncClient:
        assert self._process is not None
        return self._process.admin()


@asynccontextmanager
async def running_program(
    database_url: str, folder: Path, **settings: str
) -> AsyncIterator[tuple[Program, Source, Notifications]]:
    await migrate(database_url)
    async with running_source(folder) as source:
        program = Program(database_url, source, folder / "var", **settings)
        try:
            await program.start()
            async with program.admin() as client:
                yield program, source, Notifications(None, client)  # type: ignore[arg-type]
        finally:
            await program.kill()


@dataclass
class Gate(Receiver):
    """A receiver that holds its first answer back until the gate opens."""

    opens: asyncio.Event = field(default_factory=asyncio.Event)
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def _take(self, request: Any) -> Any:
        first = not self.received
        answer = await super()._take(request)
        if first:
            await self.opens.wait()
            await answer.prepare(request)
            await answer.write_eof()
            self.answered.set()
        return answer


async def test_killed_between_the_receiver_s_answer_and_the_record_it_delivers_again(
    database_url: str, tmp_path: Path
) -> None:
    receiver = Gate(free_port())
    await receiver.open()
    ledger = None
    try:
        async with running_program(database_url, tmp_path) as (program, source, service):
            subscription = await service.subscribe(receiver)
            await source.publish_trial()
            await until(lambda: receiver.received)
            # With its ledger locked, the service can hear the answer and not write it down.
            ledger = open_database(database_url, exclusive=False)
            async with ledger.transaction() as connection:
                await connection.execute(text("UPDATE deliveries SET number = number"))
                receiver.opens.set()
                await until(receiver.answered.is_set)
                await asyncio.sleep(0.1)
                await program.kill()
                await connection.rollback()
            assert len(receiver.received) == 1
            await program.start()
            [logged] = await service.delivered(subscription, 1)
            assert [one["error"] or one["status"] for one in logged["attempts"]] == ["interrupted", 204]
    finally:
        if ledger is not None:
            await ledger.close()
        await receiver.close()
    first, second = receiver.received
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])


async def test_killed_again_and_again_it_loses_nothing(database_url: str, tmp_path: Path) -> None:
    async with running_receiver() as receiver, running_program(database_url, tmp_path) as (program, source, service):
        subscription = await service.subscribe(receiver)
        for round_of_kills in range(2):
            for n in range(15):
                await source.publish_trial(f"NCT{round_of_kills}{n:03}")
            wanted = len(receiver.received) + 4 + 3 * round_of_kills
            await until(lambda wanted=wanted: len(receiver.received) >= wanted)
            await program.kill()
            await program.start()
        delivered = await service.delivered(subscription, 30)
        assert sorted(one["number"] for one in delivered) == list(range(1, 31))
    assert len({got.event["id"] for got in receiver.received}) == 30
    assert {got.headers["webhook-id"] for got in receiver.received} == {one["id"] for one in delivered}
    # What was on its way when it was killed came again, and nothing else did.
    came = Counter(got.headers["webhook-id"] for got in receiver.received)
    assert max(came.values()) <= 1 + 2
