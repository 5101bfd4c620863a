"""SQL for the states of the records of one source."""

import base64
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.records.repository import SourceRecord
from services.registry.records.states.model import UNDONE, RecordState
from services.registry.records.tables import source_records, source_versions
from shared.persistence.columns import UtcInstant

_KEY = frozenset({"source", "source_id"})


@dataclass(frozen=True, slots=True)
class Newest:
    """What is stored of a record, the SHA-256 of the bytes of its newest form, and whether its source lacks it."""

    record: SourceRecord
    bytes_hash: str
    is_missing: bool


class RecordStates:
    """The records of one source in one transaction."""

    def __init__(self, connection: AsyncConnection, source: str) -> None:
        self.connection = connection
        self.source = source

    async def newest(self, source_ids: Collection[str]) -> dict[str, Newest]:
        """Return records with the hash of their newest form, by id; those without a form are left out."""
        records, versions = source_records.c, source_versions.c
        statement = (
            select(source_records, versions.bytes_hash)
            .join(
                source_versions,
                (versions.source == records.source)
                & (versions.source_id == records.source_id)
                & (versions.version == records.version),
            )
            .where(records.source == self.source, records.source_id.in_(source_ids))
        )
        return {
            row.source_id: Newest(
                SourceRecord(row.version, row.canonical_hash, row.rules, row.result, row.trial_key),
                row.bytes_hash,
                row.missing_since is not None,
            )
            for row in await self.connection.execute(statement)
        }

    async def get(self, source_id: str) -> RecordState | None:
        """Return the state of a record; None: there is no record."""
        row = (await self.connection.execute(select(source_records).where(*self._place(source_id)))).one_or_none()
        if row is None:
            return None
        return RecordState({name: _as_json(value) for name, value in row._mapping.items() if name not in _KEY})

    async def put_back(self, source_id: str, before: RecordState | None, now: datetime) -> None:
        """Put a record back to an earlier state; the forms that came since are deleted.

        ``before``: None: it says nothing any more. It keeps its trial: if it is sent again, it is that trial again.
        """
        kept = 0 if before is None else before.values["version"]
        await self.connection.execute(
            delete(source_versions).where(
                source_versions.c.source == self.source,
                source_versions.c.source_id == source_id,
                source_versions.c.version > kept,
            )
        )
        values = _undone(now) if before is None else _row(before)
        await self.connection.execute(update(source_records).where(*self._place(source_id)).values(**values))
        if before is None:
            never_assigned = (*self._place(source_id), source_records.c.trial_key.is_(None))
            await self.connection.execute(delete(source_records).where(*never_assigned))

    async def present(self, after: str, limit: int) -> list[str]:
        """Return the next ids of records that say something and are not marked as missing, in their order."""
        records = source_records.c
        statement = (
            select(records.source_id)
            .where(
                records.source == self.source,
                records.source_id > after,
                records.version > 0,
                records.missing_since.is_(None),
            )
            .order_by(records.source_id)
            .limit(limit)
        )
        return [row.source_id for row in await self.connection.execute(statement)]

    async def mark(self, source_ids: Iterable[str], missing_since: datetime | None) -> None:
        """Mark records as missing from their source, or, with None, as seen again."""
        records = source_records.c
        await self.connection.execute(
            update(source_records)
            .where(records.source == self.source, records.source_id.in_(list(source_ids)))
            .where(records.missing_since.is_(None) if missing_since else records.missing_since.is_not(None))
            .values(missing_since=missing_since)
        )

    def _place(self, source_id: str) -> tuple[Any, ...]:
        return (source_records.c.source == self.source, source_records.c.source_id == source_id)


def _row(state: RecordState) -> dict[str, Any]:
    return {name: _from_json(name, value) for name, value in state.values.items()}


def _undone(now: datetime) -> dict[str, Any]:
    nothing = {column.name: None for column in source_records.c if column.nullable and column.name != "trial_key"}
    return {**nothing, "version": 0, "canonical_hash": "", "rules": "", "result": UNDONE, "read_at": now}


def _as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value.isoformat() if isinstance(value, datetime) else value


def _from_json(name: str, value: Any) -> Any:
    kind = source_records.c[name].type
    if value is None:
        return None
    if isinstance(kind, LargeBinary):
        return base64.b64decode(value)
    return datetime.fromisoformat(value) if isinstance(kind, UtcInstant) else value
