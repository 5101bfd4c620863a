"""The SQL of the audit log."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Row, Table, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.audit.chain import BEGINNING, Checkpoint, digest_of, line_of
from shared.audit.entries import Entry
from shared.audit.tables import AuditLog

COVERED_AT_ONCE = 2_000


class AuditRepository:
    """The audit log in one transaction."""

    def __init__(self, connection: AsyncConnection, log: AuditLog, service: str) -> None:
        self.connection = connection
        self.log = log
        self.service = service

    async def append(self, entries: Sequence[Entry]) -> None:
        """Number and store entries. The head stays locked until the commit: numbers are gapless and in commit order."""
        if not entries:
            return
        head = self.log.head
        last: int = (
            await self.connection.execute(
                update(head).where(head.c.id == 1).values(number=head.c.number + len(entries)).returning(head.c.number)
            )
        ).scalar_one()
        first = last - len(entries) + 1
        await self.connection.execute(
            insert(self.log.entries),
            [{"number": first + index, **asdict(entry)} for index, entry in enumerate(entries)],
        )

    async def head(self) -> int:
        """The number of the last entry."""
        found: int = (await self.connection.execute(select(self.log.head.c.number))).scalar_one()
        return found

    async def last_checkpoint(self) -> Checkpoint | None:
        row = (
            await self.connection.execute(
                select(self.log.checkpoints).order_by(self.log.checkpoints.c.number.desc()).limit(1)
            )
        ).first()
        return self._checkpoint(row) if row else None

    async def checkpoints_after(self, number: int, limit: int = 1_000) -> list[Checkpoint]:
        statement = (
            select(self.log.checkpoints)
            .where(self.log.checkpoints.c.number > number)
            .order_by(self.log.checkpoints.c.number)
            .limit(limit)
        )
        return [self._checkpoint(row) for row in await self.connection.execute(statement)]

    async def is_covered(self) -> bool:
        """Whether checkpoints cover all entries."""
        last = (await self.connection.execute(select(func.max(self.log.checkpoints.c.last)))).scalar_one()
        return bool((last or 0) == await self.head())

    async def add_checkpoint(self, key: Ed25519PrivateKey, now: datetime) -> Checkpoint | None:
        """Add a signed checkpoint for at most 2,000 new entries; None if there are none."""
        # Of several replicas one at a time: the row of the head is the lock, and no entry is numbered meanwhile.
        await self.connection.execute(select(self.log.head.c.number).with_for_update())
        before = await self.last_checkpoint()
        rows = await self.lines_after(before.last if before else 0, COVERED_AT_ONCE)
        if not rows:
            return None
        previous = before.digest if before else BEGINNING
        made = Checkpoint(
            service=self.service,
            number=before.number + 1 if before else 1,
            first=rows[0][0],
            last=rows[-1][0],
            previous=previous,
            digest=digest_of(previous, (line for _, line in rows)),
            at=now,
        ).signed(key)
        columns = {column.name for column in self.log.checkpoints.columns}
        await self.connection.execute(
            insert(self.log.checkpoints).values(
                {name: value for name, value in asdict(made).items() if name in columns}
            )
        )
        return made

    async def lines_after(self, number: int, limit: int) -> list[tuple[int, str]]:
        """Entries with their numbers, as the texts that checkpoints cover."""
        entries = self.log.entries
        rows = await self.connection.execute(
            select(entries).where(entries.c.number > number).order_by(entries.c.number).limit(limit)
        )
        return [(row.number, line_of(row.number, _entry(row))) for row in rows]

    async def page(self, organisation: str | None, before: int | None, limit: int) -> list[tuple[int, Entry]]:
        """Entries with their numbers, newest first, optionally of one organisation."""
        entries = self.log.entries
        statement = select(entries).order_by(entries.c.number.desc()).limit(limit)
        if organisation is not None:
            statement = statement.where(entries.c.organisation == organisation)
        if before is not None:
            statement = statement.where(entries.c.number < before)
        return [(row.number, _entry(row)) for row in await self.connection.execute(statement)]

    async def every_line(self) -> AsyncIterator[tuple[int, str]]:
        after = 0
        while page := await self.lines_after(after, 1_000):
            for one in page:
                yield one
            after = page[-1][0]

    def _checkpoint(self, row: Row[Any]) -> Checkpoint:
        return Checkpoint(service=self.service, kind="seal", **dict(row._mapping))


async def oldest_row(connection: AsyncConnection, tables: Sequence[Table]) -> datetime | None:
    """When the oldest row of these tables was created; None: they are empty."""
    found = [(await connection.execute(select(func.min(table.c.created_at)))).scalar_one() for table in tables]
    return min((at for at in found if at is not None), default=None)


def _entry(row: Row[Any]) -> Entry:
    return Entry(**{name: value for name, value in row._mapping.items() if name != "number"})
