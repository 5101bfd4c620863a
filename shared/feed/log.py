"""The feed's tables and their SQL."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    delete,
    exists,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.feed.changes import Change, Routing, read_routing, write_routing
from shared.persistence.columns import UtcInstant
from shared.persistence.engine import Database
from shared.persistence.unit_of_work import collect, mark_changed
from shared.tracing import remember

# Upper bound of rows deleted per transaction when trimming the feed.
COMPACTED_AT_ONCE = 1_000
# Delivered to the listeners of this database when the transaction is committed.
_NOTIFY = text("SELECT pg_notify(:channel, '')")
GENERATION_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Position:
    """A position in a feed: the generation of its history, and the number of the last entry read."""

    generation: int
    seq: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored change."""

    seq: int
    id: str
    type: str
    subject: str
    version: int
    at: datetime
    changed: tuple[str, ...]
    extra: Mapping[str, str]
    before: Routing
    after: Routing


class FeedLog:
    """The feed of one service, in that service's database."""

    channel = "cleio_feed"

    def __init__(self, metadata: MetaData) -> None:
        self.head = Table(
            "feed_head",
            metadata,
            Column("id", Integer, primary_key=True, autoincrement=False),
            Column("generation", Integer, nullable=False),
            Column("seq", BigInteger, nullable=False),
            CheckConstraint("id = 1", name="one_row"),
        )
        self.entries = Table(
            "feed_entries",
            metadata,
            Column("seq", BigInteger, primary_key=True, autoincrement=False),
            Column("id", String(36), nullable=False, unique=True),
            Column("type", String(64), nullable=False),
            Column("subject", String(160), nullable=False),
            Column("version", Integer, nullable=False),
            Column("at", UtcInstant, nullable=False),
            Column("changed", Text, nullable=False),
            Column("extra", Text, nullable=False),
            Column("before", Text, nullable=False),
            Column("after", Text, nullable=False),
            Column("narrows", Boolean, nullable=False),
        )
        Index("ix_feed_entries_subject_seq", self.entries.c.subject, self.entries.c.seq)

    def record(self, connection: AsyncConnection, *changes: Change) -> None:
        """Collect changes: the transaction appends them when it is committed, in this order.

        A savepoint that is rolled back drops the changes recorded since it began.

        :raises RuntimeError: no transaction of a `Database` is open.
        """
        collect(connection, self.append, *changes)

    async def append(self, connection: AsyncConnection, changes: Sequence[Change]) -> int:
        """Number and store changes; returns the last number. Features call `record` instead.

        The head row stays locked from here to the commit, so numbers are gapless and in commit order.
        """
        if not changes:
            return 0
        mark_changed(connection)
        if connection.dialect.name == "postgresql":
            await connection.execute(_NOTIFY, {"channel": self.channel})
        last: int = (
            await connection.execute(
                update(self.head)
                .where(self.head.c.id == 1)
                .values(seq=self.head.c.seq + len(changes))
                .returning(self.head.c.seq)
            )
        ).scalar_one()
        now = datetime.now(UTC)
        first = last - len(changes) + 1
        names = [str(uuid.uuid4()) for _ in changes]
        for name in names:
            remember(name)
        await connection.execute(
            insert(self.entries),
            [
                {
                    "seq": first + index,
                    "id": names[index],
                    "type": change.type,
                    "subject": change.subject,
                    "version": change.version,
                    "at": now,
                    "changed": json.dumps(list(change.changed)),
                    "extra": json.dumps(dict(change.extra)),
                    "before": json.dumps(write_routing(change.before)),
                    "after": json.dumps(write_routing(change.after)),
                    "narrows": change.narrows,
                }
                for index, change in enumerate(changes)
            ],
        )
        return last

    async def position(self, connection: AsyncConnection) -> Position:
        """The newest committed position."""
        row = (await connection.execute(select(self.head.c.generation, self.head.c.seq))).one()
        return Position(row.generation, row.seq)

    async def read(
        self, connection: AsyncConnection, after: int, limit: int, event_type: str | None = None
    ) -> list[Entry]:
        """Up to ``limit`` entries after number ``after``, in order, optionally of one type."""
        statement = select(self.entries).where(self.entries.c.seq > after).order_by(self.entries.c.seq).limit(limit)
        rows = await connection.execute(
            statement if event_type is None else statement.where(self.entries.c.type == event_type)
        )
        return [
            Entry(
                seq=row.seq,
                id=row.id,
                type=row.type,
                subject=row.subject,
                version=row.version,
                at=row.at,
                changed=tuple(json.loads(row.changed)),
                extra=json.loads(row.extra),
                before=read_routing(json.loads(row.before)),
                after=read_routing(json.loads(row.after)),
            )
            for row in rows
        ]

    async def superseded(
        self, connection: AsyncConnection, before: datetime, after: int
    ) -> tuple[list[int], int | None]:
        """Numbers of entries that need not be kept, and the last number inspected (None: none is left).

        They follow number ``after`` and are older than ``before`` (UTC). The last entry of each subject is kept, and
        every entry that made a subject invisible to some reader.
        """
        entries, newer = self.entries, self.entries.alias("newer")
        inspected = (
            select(entries.c.seq)
            .where(entries.c.seq > after)
            .order_by(entries.c.seq)
            .limit(COMPACTED_AT_ONCE)
            .subquery()
        )
        last: int | None = (await connection.execute(select(func.max(inspected.c.seq)))).scalar_one()
        if last is None:
            return [], None
        has_newer = exists().where(newer.c.subject == entries.c.subject, newer.c.seq > entries.c.seq)
        statement = select(entries.c.seq).where(
            entries.c.seq > after, entries.c.seq <= last, entries.c.at < before, entries.c.narrows.is_(False), has_newer
        )
        return list((await connection.execute(statement)).scalars()), last

    async def drop(self, connection: AsyncConnection, numbers: Sequence[int]) -> None:
        await connection.execute(delete(self.entries).where(self.entries.c.seq.in_(numbers)))

    async def new_generation(self, connection: AsyncConnection) -> int:
        """Begin a new history and return its number.

        Cursors of earlier histories are refused (410), so that consumers load the export again. `cleio restore` does
        the same in the restored file.
        """
        statement = select(self.head.c.generation).with_for_update()
        generation = next_generation((await connection.execute(statement)).scalar_one())
        await connection.execute(update(self.head).values(generation=generation))
        mark_changed(connection)
        return generation


def next_generation(*known: int) -> int:
    """The number of a new history: above every known one, and above all that were begun in the past and lost.

    Seconds since 2025 keep it above numbers that can no longer be read, for example those of a lost server.
    """
    return max(*known, int((datetime.now(UTC) - GENERATION_EPOCH).total_seconds())) + 1


async def compact(database: Database, log: FeedLog, before: datetime) -> int:
    """Delete superseded entries older than ``before`` (UTC) in small transactions; returns their number."""
    count, after = 0, 0
    while True:
        async with database.read() as connection:
            numbers, last = await log.superseded(connection, before, after)
        if last is None:
            return count
        if numbers:
            async with database.transaction() as connection:
                await log.drop(connection, numbers)
        count, after = count + len(numbers), last
