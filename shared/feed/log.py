"""The feed's tables and their SQL."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic_core import from_json
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
    type_coerce,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.feed.changes import NOT_VISIBLE, Change, StoredRouting, with_services, write_routing
from shared.persistence.columns import UtcInstant
from shared.persistence.engine import Database
from shared.persistence.unit_of_work import collect, mark_changed
from shared.tracing import remember

# Upper bound of rows deleted per transaction when trimming the feed.
COMPACTED_AT_ONCE = 1_000
# Delivered to the listeners of this database when the transaction is committed.
_NOTIFY = text("SELECT pg_notify(:channel, '')")
GENERATION_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


_NOT_VISIBLE = _compact(write_routing(NOT_VISIBLE))
_EMPTY = StoredRouting([], {})


@dataclass(frozen=True, slots=True)
class Position:
    """A position in a feed: the generation of its history, and the number of the last entry read."""

    generation: int
    seq: int


class Entry:
    """One stored change. The fields named ``…_json`` are JSON texts as stored."""

    __slots__ = (
        "_after", "_before", "after_json", "at", "before_json", "changed_json", "encoded", "extra_json", "id", "seq",
        "subject", "type", "version",
    )  # fmt: skip

    def __init__(self, row: Sequence[Any]) -> None:
        """``row``: the columns in the order of `FeedLog.read`; ``at`` is text, RFC 3339 in UTC with microseconds."""
        self.seq: int
        self.id: str
        self.type: str
        self.subject: str
        self.version: int
        self.at: str
        self.changed_json: str
        self.extra_json: str
        self.before_json: str
        self.after_json: str
        (
            self.seq, self.id, self.type, self.subject, self.version, self.at,
            self.changed_json, self.extra_json, self.before_json, self.after_json,
        ) = row  # fmt: skip
        self._before: StoredRouting | None = None
        self._after: StoredRouting | None = None
        # Its JSON for each kind of reader, once made (`shared.feed.encoding`).
        self.encoded: dict[tuple[bool, bool], bytes] | None = None

    @property
    def before(self) -> StoredRouting:
        if self._before is None:
            # Most changes leave the routing as it is: it is not parsed twice.
            self._before = self.after if self.before_json == self.after_json else _parse(self.before_json)
        return self._before

    @property
    def after(self) -> StoredRouting:
        if self._after is None:
            self._after = _parse(self.after_json)
        return self._after


def _parse(text: str) -> StoredRouting:
    if text == _NOT_VISIBLE:
        return _EMPTY
    document = from_json(text, cache_strings="none")  # half of the time of `json.loads`
    return StoredRouting(document["audience"], document["facets"])


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
        # Completed compactions in this process: what was read before may contain entries that are deleted now.
        self.compactions = 0
        columns = self.entries.c
        self._columns = select(
            columns.seq, columns.id, columns.type, columns.subject, columns.version, type_coerce(columns.at, String),
            columns.changed, columns.extra, columns.before, columns.after,
        )  # fmt: skip

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
                    "changed": _compact(list(change.changed)),
                    "extra": _compact(dict(change.extra)),
                    "before": _compact(write_routing(with_services(change.before))),
                    "after": _compact(write_routing(with_services(change.after))),
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
        self,
        connection: AsyncConnection,
        after: int,
        limit: int,
        event_type: str | None = None,
        last: int | None = None,
    ) -> list[Entry]:
        """Up to ``limit`` entries after number ``after``, in order, optionally of one type or up to number ``last``."""
        entries = self.entries.c
        statement = self._columns.where(entries.seq > after).order_by(entries.seq).limit(limit)
        if event_type is not None:
            statement = statement.where(entries.type == event_type)
        if last is not None:
            statement = statement.where(entries.seq <= last)
        return [Entry(row) for row in await connection.execute(statement)]

    async def superseded(
        self, connection: AsyncConnection, before: datetime, after: int
    ) -> tuple[list[int], int | None]:
        """Numbers of entries that need not be kept, and the last number inspected (None: none is left).

        They follow number ``after`` and are older than ``before`` (UTC). The last entry of each subject is kept for
        each routing (parties may have entries of their own), and every entry that hid a subject from a reader.
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
        has_newer = exists().where(
            newer.c.subject == entries.c.subject, newer.c.seq > entries.c.seq, newer.c.after == entries.c.after
        )
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
            break
        if numbers:
            async with database.transaction() as connection:
                await log.drop(connection, numbers)
        count, after = count + len(numbers), last
    if count:
        log.compactions += 1
    return count
