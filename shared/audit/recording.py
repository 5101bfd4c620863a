"""Writes and signs audit logs: in the service's database with the effect, or in a file for a service without one."""

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

from shared.audit.chain import BEGINNING, Checkpoint, digest_of, line_of
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

CHECKPOINT_SECONDS = 1.0


class AuditSigner(ABC):
    """Common to both kinds of log: aggregated denials, and a signed checkpoint each second if there are new entries."""

    def __init__(self, folder: Path, service: str, key: Ed25519PrivateKey) -> None:
        self.service = service
        self.key = key
        self.checkpoints = CheckpointFile(folder, service)
        self._denials = DenialAggregator()
        self._task: RepeatedTask | None = None
        self._stepping = asyncio.Lock()

    def note(self, entry: Entry) -> None:
        self._denials.add(entry)

    def start(self, tasks: BackgroundTasks) -> None:
        self.checkpoints.publish(self.key)
        self._task = tasks.repeat(self._later, "sign_audit_log")

    async def stop(self) -> None:
        """Sign the remaining entries."""
        if self._task is not None:
            async with self._stepping:  # let the step end: its thread cannot be cancelled
                await self._task.stop()
        with suppress(Exception):  # otherwise signed at the next start
            await self.step()

    async def step(self) -> None:
        """Write aggregated denials, sign new entries, append the checkpoints to the file."""
        async with self._stepping:
            await self._step()

    @abstractmethod
    async def page(
        self, organisation: str | None, after: list[Any] | None, limit: int
    ) -> Sequence[tuple[list[Any], Entry]]:
        """As `shared.endpoints.audit.Record` says."""

    @abstractmethod
    async def _step(self) -> None:
        """Do the step for one kind of log."""

    async def _later(self) -> None:
        await self.step()
        await asyncio.sleep(CHECKPOINT_SECONDS)


class DatabaseAudit(AuditSigner):
    """An audit log in a database. The transaction of a writing request also writes its entry."""

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
        """Write an entry in a transaction of the request. Call it last: the head row stays locked until the commit."""
        await self._on(connection).append([entry])

    async def page(
        self, organisation: str | None, after: list[Any] | None, limit: int
    ) -> Sequence[tuple[list[Any], Entry]]:
        async with self._database.read() as connection:
            found = await self._on(connection).page(organisation, after[0] if after else None, limit)
        return [([number], entry) for number, entry in found]

    async def _step(self) -> None:
        if self._exported is None:
            await self._begin()
        with self._denials.taken() as denials:
            if denials:
                async with self._database.transaction(as_service=True) as connection:
                    await self._on(connection).append(denials)
                denials.clear()
        while True:
            async with self._database.read(as_service=True) as connection:
                if await self._on(connection).is_covered():
                    break
            async with self._database.transaction(as_service=True) as connection:
                await self._on(connection).add_checkpoint(self.key, datetime.now(UTC))
        await self._export()

    async def _begin(self) -> None:
        """Find out at the first step what the file has; an empty log is begun now."""
        last = await asyncio.to_thread(self.checkpoints.last)
        async with self._database.read(as_service=True) as connection:
            stored, count = await self._on(connection).last_checkpoint(), await self._on(connection).head()
        if last is None and not count:
            await asyncio.to_thread(self.checkpoints.begin, self.key)
        self._exported = last.number if last else 0
        if self._exported > (stored.number if stored else 0):
            logger.error("audit_log_shorter_than_checkpoints", extra={"seq": self._exported})

    async def _export(self) -> None:
        """Append new checkpoints to the file; every replica keeps all of them, whichever signed them."""
        assert self._exported is not None, "not begun"
        while True:
            async with self._database.read(as_service=True) as connection:
                checkpoints = await self._on(connection).checkpoints_after(self._exported)
            if not checkpoints:
                return
            await asyncio.to_thread(self.checkpoints.append, checkpoints)
            self._exported = checkpoints[-1].number

    def _on(self, connection: Writing) -> AuditRepository:
        return AuditRepository(connection, self._log, self.service)


class FileAudit(AuditSigner):
    """An audit log in the file ``<service>.entries.ndjson``; a second process of the service uses ``<service>-2…``.

    An entry is written before the request is answered, so that a killed process loses none; it is flushed to disk with
    its checkpoint within a second.
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
        self._last: Checkpoint | None = None
        self._continue(folder / f"{name}.entries.ndjson")

    def _continue(self, path: Path) -> None:
        """Continue after the former process; an incomplete last line is removed: its request was not answered."""
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
            # The disk was full in the middle: half a line would spoil the next one.
            os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - kept)
            raise StorageFullError
        self._number += 1
        self._waiting.append(line)

    async def page(
        self, organisation: str | None, after: list[Any] | None, limit: int
    ) -> Sequence[tuple[list[Any], Entry]]:
        """Entries of all processes of this service on this machine."""
        base = self.service.partition("-")[0]
        files = sorted(self._folder.glob(f"{base}*.entries.ndjson"))
        return await asyncio.to_thread(newest_of, files, organisation, after, limit)

    async def _step(self) -> None:
        with self._denials.taken() as denials:
            while denials:
                await self.record(denials[0])
                denials.pop(0)
        if self._last is None and not self._number:
            self._last = await asyncio.to_thread(self.checkpoints.begin, self.key)
        if not self._waiting:
            return
        lines, self._waiting = self._waiting, []
        last = self._last
        first = last.last + 1 if last else 1
        previous = last.digest if last else BEGINNING
        made = Checkpoint(
            self.service,
            last.number + 1 if last else 1,
            first,
            first + len(lines) - 1,
            previous,
            digest_of(previous, lines),
            datetime.now(UTC),
        ).signed(self.key)
        try:
            await asyncio.to_thread(self._store, made)
        except BaseException:
            self._waiting = lines + self._waiting
            raise
        self._last = made

    async def stop(self) -> None:
        await super().stop()
        os.close(self._descriptor)

    def _store(self, checkpoint: Checkpoint) -> None:
        os.fsync(self._descriptor)
        self.checkpoints.append([checkpoint])
