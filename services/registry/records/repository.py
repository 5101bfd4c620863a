"""The only SQL about source records."""

import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.merge.reading import Record
from services.registry.records.originals import StoredForm, compressed, restored
from services.registry.records.tables import source_records, source_versions

OBSOLETE, POSSIBLE_DUPLICATE = "obsolete", "possible_duplicate"
# Results of records that are read again at every opportunity: something else may have changed meanwhile.
UNSETTLED = frozenset({"invalid", POSSIBLE_DUPLICATE})
# Results of records about which a person decides.
QUARANTINED = "quarantined"
WAITING = frozenset({POSSIBLE_DUPLICATE, QUARANTINED})


@dataclass(frozen=True, slots=True)
class Form:
    """A stored form of a record."""

    version: int
    dated: str | None
    bytes_hash: str
    canonical_hash: str

    def is_same(self, other: StoredForm) -> bool:
        """Return whether what counts in another form is the same."""
        return self.canonical_hash == other.canonical_hash or self.bytes_hash == other.bytes_hash


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """What is stored of a record.

    ``version``: the number of its newest form. ``canonical_hash``, ``rules``: of that form, and of the rules by which
    it was read last. ``result``: of that reading. ``trial_key``: its trial, if any.
    """

    version: int
    canonical_hash: str
    rules: str
    result: str
    trial_key: str | None

    def is_read(self, canonical_hash: str, rules: str) -> bool:
        """Return whether this form was read by these rules, with a result that nothing else can change."""
        return (self.canonical_hash, self.rules) == (canonical_hash, rules) and self.result not in UNSETTLED


class TrialRecords:
    """What the records of trials say, in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def of_trials(self, keys: Collection[str]) -> dict[str, list[Record]]:
        """Return the records that describe these trials, by trial. Obsolete ones do not."""
        records = source_records.c
        statement = select(records.trial_key, records.source, records.source_id, records.reading).where(
            records.trial_key.in_(keys), records.result != OBSOLETE, records.reading.is_not(None)
        )
        found: dict[str, list[Record]] = {key: [] for key in keys}
        for row in await self.connection.execute(statement):
            found[row.trial_key].append(_record(row))
        return found

    async def add(self, record: Record, key: str) -> None:
        """Store a record that has no forms, as those of the sample."""
        await self.connection.execute(
            insert(source_records).values(
                source=record.source,
                source_id=record.source_id,
                version=0,
                canonical_hash="",
                rules="",
                result="created",
                trial_key=key,
                read_at=datetime.now(UTC),
                reading=packed(record),
            )
        )

    async def supersede_legacy(self, key: str) -> None:
        """Leave out what was stored of a trial before sources were merged: the record that it came from is read again.

        What people had written then stays.
        """
        records = source_records.c
        await self.connection.execute(
            update(source_records)
            .where(records.source == "legacy", records.source_id == key, records.result != OBSOLETE)
            .values(result=OBSOLETE)
        )


class SourceRepository:
    """Records of one source in one transaction."""

    def __init__(self, connection: AsyncConnection, source: str) -> None:
        self.connection = connection
        self.source = source

    async def find(self, source_ids: Sequence[str]) -> dict[str, SourceRecord]:
        """Return what is stored of some records, by source id."""
        found = await self.connection.execute(_FIND, {"source": self.source, "ids": list(source_ids)})
        return {
            row.source_id: SourceRecord(row.version, row.canonical_hash, row.rules, row.result, row.trial_key)
            for row in found
        }

    async def record(self, source_id: str) -> Record | None:
        """Return what the stored forms of a record say together; None if that is not known."""
        records = source_records.c
        statement = select(records.source, records.source_id, records.reading).where(
            records.source == self.source, records.source_id == source_id, records.reading.is_not(None)
        )
        row = (await self.connection.execute(statement)).one_or_none()
        return None if row is None else _record(row)

    async def forms(self, source_id: str) -> list[Form]:
        """Return the stored forms of a record, oldest first."""
        versions = source_versions.c
        statement = (
            select(versions.version, versions.dated, versions.bytes_hash, versions.canonical_hash)
            .where(versions.source == self.source, versions.source_id == source_id)
            .order_by(versions.version)
        )
        return [Form(*row) for row in await self.connection.execute(statement)]

    async def contents(self, source_id: str) -> list[tuple[int, bytes | None]]:
        """Return (version, content) of the stored forms of a record; None where the stored bytes are damaged."""
        versions = source_versions.c
        statement = (
            select(versions.version, versions.bytes_hash, versions.content)
            .where(versions.source == self.source, versions.source_id == source_id)
            .order_by(versions.version)
        )
        return [
            (row.version, restored(row.content, row.bytes_hash)) for row in await self.connection.execute(statement)
        ]

    async def describing(self, keys: Collection[str]) -> dict[str, frozenset[str]]:
        """Return the ids of the records that describe these trials, by key of trial. Obsolete ones do not."""
        records = source_records.c
        statement = select(records.trial_key, records.source_id).where(
            records.source == self.source, records.trial_key.in_(keys), records.result != OBSOLETE
        )
        found: dict[str, set[str]] = {key: set() for key in keys}
        for row in await self.connection.execute(statement):
            found[row.trial_key].add(row.source_id)
        return {key: frozenset(ids) for key, ids in found.items()}

    async def retire(self, source_ids: Collection[str]) -> None:
        """Mark records as obsolete: another record describes their trial from now on."""
        records = source_records.c
        await self.connection.execute(
            update(source_records)
            .where(records.source == self.source, records.source_id.in_(source_ids))
            .values(result=OBSOLETE)
        )

    async def save(
        self,
        source_id: str,
        known: SourceRecord | None,
        record: SourceRecord,
        said: bytes,
        form: StoredForm | None,
    ) -> None:
        """Store a reading. ``form``: the one that was read, if it is to be stored.

        ``known``: what was stored before; ``record``: what is now; ``said``: what its forms say together (`packed`).
        """
        now = datetime.now(UTC)
        values: dict[str, Any] = {
            "version": record.version,
            "canonical_hash": record.canonical_hash,
            "rules": record.rules,
            "result": record.result,
            "trial_key": record.trial_key,
            "read_at": now,
            "reading": said,
            "missing_since": None,
        }
        place = {"source": self.source, "source_id": source_id}
        if known is None or known.result != record.result:
            values["waiting_since"] = now if record.result in WAITING else None
        if known is None:
            await self.connection.execute(_ADD_RECORD, {**place, **values})
        else:
            same = (source_records.c.source == self.source, source_records.c.source_id == source_id)
            await self.connection.execute(update(source_records).where(*same).values(**values))
        if form is not None:
            row = {
                "version": record.version,
                "received_at": now,
                "dated": form.dated,
                "bytes_hash": form.bytes_hash,
                "canonical_hash": form.canonical_hash,
                "content": form.content,
            }
            await self.connection.execute(_ADD_VERSION, {**place, **row})

    async def take(self, source_id: str, key: str) -> None:
        """Assign a record that waited to a new trial."""
        same = (source_records.c.source == self.source, source_records.c.source_id == source_id)
        taken = update(source_records).where(*same).values(trial_key=key, result="created", waiting_since=None)
        await self.connection.execute(taken)

    async def outdated(self, rules: str, after: str, limit: int) -> list[tuple[str, bytes | None]]:
        """Return (source id, content) of the next records to be read again, in the order of ids.

        The content is None where the stored bytes are damaged.
        """
        records, versions = source_records.c, source_versions.c
        statement = (
            select(versions.source_id, versions.bytes_hash, versions.content)
            .join_from(
                source_records,
                source_versions,
                (versions.source == records.source)
                & (versions.source_id == records.source_id)
                & (versions.version == records.version),
            )
            .where(self._is_outdated(rules, after))
            .order_by(records.source_id)
            .limit(limit)
        )
        return [
            (row.source_id, restored(row.content, row.bytes_hash)) for row in await self.connection.execute(statement)
        ]

    def _is_outdated(self, rules: str, after: str) -> ColumnElement[bool]:
        records = source_records.c
        return and_(
            records.source == self.source,
            records.source_id > after,
            or_(records.rules != rules, records.result.in_(sorted(UNSETTLED))),
        )

    async def count_outdated(self, rules: str, after: str) -> int:
        """Return how many records with greater ids than ``after`` are to be read again."""
        records = source_records.c
        statement = select(func.count()).where(self._is_outdated(rules, after), records.version > 0)
        return int((await self.connection.execute(statement)).scalar_one())


# Built once: SQLAlchemy then finds the compiled statement without comparing it.
_FIND = select(
    *(source_records.c[name] for name in ("source_id", "version", "canonical_hash", "rules", "result", "trial_key"))
).where(
    source_records.c.source == bindparam("source"), source_records.c.source_id.in_(bindparam("ids", expanding=True))
)
_ADD_RECORD, _ADD_VERSION = insert(source_records), insert(source_versions)


def packed(record: Record) -> bytes:
    """Return what a record says as it is stored."""
    return compressed(record.dump().encode("ascii"))


def _record(row: Any) -> Record:
    return Record.load(row.source, row.source_id, zlib.decompress(row.reading))
