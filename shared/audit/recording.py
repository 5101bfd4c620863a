"""Where a service's entries go: its database, with the effect; or, for a service that has none, a file of its own."""

import asyncio
import fcntl
import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.audit.chain import BEGINNING, Seal, digest_of, line_of
from shared.audit.checkpoints import CheckpointFile
from shared.audit.entries import DenialAggregator, Entry
from shared.audit.files import newest_of
from shared.audit.repository import AuditRepository
from shared.audit.tables import AuditLog
from shared.persistence import Database, Writing
from shared.persistence.request_scope import outside_request
from shared.tasks import BackgroundTasks, RepeatedTask
from shared.values.problems import StorageFullError, storage_problem

logger = logging.getLogger(__name__)

SEAL_SECONDS = 1.0


class AuditSigner(ABC):
    """What both kinds share: the crowd at the door, and a seal each second where something waits for one."""

    def __init__(self, folder: Path, service: str, key: Ed25519PrivateKey) -> None:
        self.service = service
        self.key = key
        self.checkpoints = CheckpointFile(folder, service)
        self._crowd = DenialAggregator()
        self._task: RepeatedTask | None = None
        self._stepping = asyncio.Lock()

    def note(self, entry: Entry) -> None:
        self._crowd.add(entry)

    def start(self, tasks: BackgroundTasks) -> None:
        self.checkpoints.publish(self.key)
        self._task = tasks.repeat(self._later, "seal_audit")

    async def stop(self) -> None:
        """Seal what is left."""
        if self._task is not None:
            async with self._stepping:  # let the step end: its thread cannot be cancelled
                await self._task.stop()
        with suppress(Exception):  # what cannot be sealed now is sealed at the next start
            await self.step()

    async def step(self) -> None:
        """Write down the crowd, seal what waits, export the seals."""
        async with self._stepping:
            await self._step()

    @abstractmethod
    async def page(
        self, organisation: str | None, after: list[Any] | None, limit: int
    ) -> Sequence[tuple[list[Any], Entry]]:
        """As `shared.endpoints.audit.Record` says."""

    @abstractmethod
    async def _step(self) -> None:
        """The same, in the place where a kind keeps its record."""

    async def _later(self) -> None:
        await asyncio.sleep(SEAL_SECONDS)
        await self.step()


class DatabaseAudit(AuditSigner):
    """The record in a service's database. Every transaction of a writing request takes its entry with it."""

    def __init__(self, database: Database, log: AuditLog, folder: Path, service: str, key: Ed25519PrivateKey) -> None:
        super().__init__(folder, service, key)
        self._database = database
        self._log = log
        self._exported: int | None = None

    async def record(self, entry: Entry) -> None:
        with outside_request():  # this transaction must not record the request once more
            async with self._database.transaction(as_service=True) as connection:
                await self.append(connection, entry)

    async def append(self, connection: Writing, entry: Entry) -> None:
        """Write an entry in a transaction of the request; call it last, because the head row stays locked until the commit."""
        await self._on(connection).append([entry])

    async def page(
        self, organisation: str | None, after: list[Any] | None, limit: int
    ) -> Sequence[tuple[list[Any], Entry]]:
        async with self._database.read() as connection:
            found = await self._on(connection).page(organisation, after[0] if after else None, limit)
        return [([number], entry) for number, entry in found]

    async def _step(self) -> None:
        with self._crowd.taken() as crowd:
            if crowd:
                async with self._database.transaction(as_service=True) as connection:
                    await self._on(connection).append(crowd)
                crowd.clear()
        while True:
            async with self._database.read(as_service=True) as connection:
                if await self._on(connection).is_sealed():
                    break
            async with self._database.transaction(as_service=True) as connection:
                await self._on(connection).seal(self.key, datetime.now(UTC))
        await self._export()

    async def _export(self) -> None:
        """Every replica keeps the whole list: what it lacks is read from the database, whoever sealed it."""
        if self._exported is None:
            last = await asyncio.to_thread(self.checkpoints.last)
            self._exported = last.number if last else 0
            async with self._database.read(as_service=True) as connection:
                held = await self._on(connection).last_seal()
            if self._exported > (held.number if held else 0):
                logger.error("audit_record_shorter_than_checkpoints", extra={"seq": self._exported})
        while True:
            async with self._database.read(as_service=True) as connection:
                seals = await self._on(connection).seals_after(self._exported)
            if not seals:
                return
            await asyncio.to_thread(self.checkpoints.append, seals)
            self._exported = seals[-1].number

    def _on(self, connection: Writing) -> AuditRepository:
        return AuditRepository(connection, self._log, self.service)


class FileAudit(AuditSigner):
    """The record of a service without a database: ``<service>.entries.ndjson``, one writer a file.

    An entry is handed to the system before the request is answered, so a killed process loses none; it is on the disk with its seal,
    within a second. A second process of the same service on this folder takes the next name.
    """

    def __init__(self, folder: Path, service: str, key: Ed25519PrivateKey) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            name = service if number == 1 else f"{service}-{number}"
            descriptor = os.open(folder / f"{name}.entries.ndjson", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                os.close(descriptor)
                number += 1
        super().__init__(folder, name, key)
        self._folder = folder
        self._descriptor = descriptor
        self._waiting: list[str] = []
        self._number = 0
        self._last: Seal | None = None
        self._take_up(folder / f"{name}.entries.ndjson")

    def _take_up(self, path: Path) -> None:
        """Go on where the former process ended: a line cut short was never answered for, and goes."""
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            os.ftruncate(self._descriptor, whole)
        lines = content[:whole].decode().splitlines()
        self._number = len(lines)
        self._last = self.checkpoints.last()
        self._waiting = lines[self._last.last if self._last else 0 :]

    async def record(self, entry: Entry) -> None:
        line = line_of(self._number + 1, entry)
        written = f"{line}\n".encode()
        try:
            kept = os.write(self._descriptor, written)
        except OSError as error:
            raise storage_problem(error) from None
        if kept != len(written):
            # The disk was full in the middle of it: half a line would spoil the next.
            os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - kept)
            raise StorageFullError
        self._number += 1
        self._waiting.append(line)

    async def page(
        self, organisation: str | None, after: list[Any] | None, limit: int
    ) -> Sequence[tuple[list[Any], Entry]]:
        """What the processes of this service on this machine wrote, together."""
        base = self.service.partition("-")[0]
        files = sorted(self._folder.glob(f"{base}*.entries.ndjson"))
        return await asyncio.to_thread(newest_of, files, organisation, after, limit)

    async def _step(self) -> None:
        with self._crowd.taken() as crowd:
            while crowd:
                await self.record(crowd[0])
                crowd.pop(0)
        if not self._waiting:
            return
        lines, self._waiting = self._waiting, []
        last = self._last
        first = last.last + 1 if last else 1
        previous = last.digest if last else BEGINNING
        made = Seal(
            self.service,
            last.number + 1 if last else 1,
            first,
            first + len(lines) - 1,
            previous,
            digest_of(previous, lines),
            datetime.now(UTC),
        ).signed(self.key)
        try:
            await asyncio.to_thread(self._keep, made)
        except BaseException:
            self._waiting = lines + self._waiting
            raise
        self._last = made

    async def stop(self) -> None:
        await super().stop()
        os.close(self._descriptor)

    def _keep(self, seal: Seal) -> None:
        os.fsync(self._descriptor)
        self.checkpoints.append([seal])
