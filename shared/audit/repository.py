"""The only SQL about the record."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.audit.chain import BEGINNING, Seal, digest_of, line_of
from shared.audit.entries import Entry
from shared.audit.tables import AuditLog

SEALED_AT_ONCE = 2_000


class AuditRepository:
    """The record in one transaction."""

    def __init__(self, connection: AsyncConnection, log: AuditLog, service: str) -> None:
        self.connection = connection
        self.log = log
        self.service = service

    async def append(self, entries: Sequence[Entry]) -> None:
        """Number and keep entries. Call it last: the head stays locked until the commit, so numbers are gapless and in commit order."""
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

    async def last_seal(self) -> Seal | None:
        row = (
            await self.connection.execute(select(self.log.seals).order_by(self.log.seals.c.number.desc()).limit(1))
        ).first()
        return self._seal(row) if row else None

    async def seals_after(self, number: int, limit: int = 1_000) -> list[Seal]:
        statement = (
            select(self.log.seals)
            .where(self.log.seals.c.number > number)
            .order_by(self.log.seals.c.number)
            .limit(limit)
        )
        return [self._seal(row) for row in await self.connection.execute(statement)]

    async def is_sealed(self) -> bool:
        """Whether nothing waits for a seal."""
        last = (await self.connection.execute(select(func.max(self.log.seals.c.last)))).scalar_one()
        return bool((last or 0) == await self.head())

    async def seal(self, key: Ed25519PrivateKey, now: datetime) -> Seal | None:
        """Seal what waits (at most 2,000 entries); None when nothing does."""
        # One at a time above PostgreSQL: the head's row is the lock, and no entry is numbered meanwhile.
        await self.connection.execute(select(self.log.head.c.number).with_for_update())
        before = await self.last_seal()
        rows = await self.lines_after(before.last if before else 0, SEALED_AT_ONCE)
        if not rows:
            return None
        previous = before.digest if before else BEGINNING
        made = Seal(
            service=self.service,
            number=before.number + 1 if before else 1,
            first=rows[0][0],
            last=rows[-1][0],
            previous=previous,
            digest=digest_of(previous, (line for _, line in rows)),
            at=now,
        ).signed(key)
        columns = {column.name for column in self.log.seals.columns}
        await self.connection.execute(
            insert(self.log.seals).values({name: value for name, value in asdict(made).items() if name in columns})
        )
        return made

    async def lines_after(self, number: int, limit: int) -> list[tuple[int, str]]:
        """Entries as the texts that are sealed, with their numbers."""
        entries = self.log.entries
        rows = await self.connection.execute(
            select(entries).where(entries.c.number > number).order_by(entries.c.number).limit(limit)
        )
        return [(row.number, line_of(row.number, _entry(row))) for row in rows]

    async def page(self, organisation: str | None, before: int | None, limit: int) -> list[tuple[int, Entry]]:
        """Entries with their numbers, newest first; of one organisation where it is given."""
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

    def _seal(self, row: Row[Any]) -> Seal:
        return Seal(service=self.service, kind="seal", **dict(row._mapping))


def _entry(row: Row[Any]) -> Entry:
    return Entry(**{name: value for name, value in row._mapping.items() if name != "number"})
