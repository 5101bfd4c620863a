"""The only SQL about source records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.sources.tables import source_records


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """What is stored of a record: its hash, the result of its last import, and its trial, if any."""

    hash: str
    result: str
    trial_key: str | None


class SourceRepository:
    """Source records in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def find(self, source: str, source_ids: Sequence[str]) -> dict[str, SourceRecord]:
        """Return what is stored of some records, by source id."""
        statement = select(source_records).where(
            source_records.c.source == source, source_records.c.source_id.in_(source_ids)
        )
        return {
            row.source_id: SourceRecord(row.hash, row.result, row.trial_key)
            for row in await self.connection.execute(statement)
        }

    async def save(self, source: str, source_id: str, record: SourceRecord, *, known: bool) -> None:
        """Store a record. ``known``: an earlier form of it is stored."""
        values = {
            "hash": record.hash,
            "result": record.result,
            "trial_key": record.trial_key,
            "read_at": datetime.now(UTC),
        }
        if known:
            same = (source_records.c.source == source, source_records.c.source_id == source_id)
            await self.connection.execute(update(source_records).where(*same).values(**values))
        else:
            await self.connection.execute(insert(source_records).values(source=source, source_id=source_id, **values))
