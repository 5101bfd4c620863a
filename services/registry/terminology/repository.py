"""The only SQL about loaded releases and published versions."""

from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.terminology.model import LoadedRelease
from services.registry.terminology.tables import terminology_releases, terminology_versions

_PLAIN = [column for column in terminology_releases.c if column.name != "content"]


class TerminologyRepository:
    """Reads and writes loaded releases."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def releases(self) -> list[LoadedRelease]:
        """Return the loaded releases, the first one loaded first."""
        rows = await self.connection.execute(select(*_PLAIN).order_by(terminology_releases.c.number))
        return [LoadedRelease(*row) for row in rows]

    async def numbers(self) -> list[int]:
        """Return the numbers of the loaded releases, the first one loaded first."""
        column = terminology_releases.c.number
        return list((await self.connection.execute(select(column).order_by(column))).scalars())

    async def contents(self) -> list[bytes]:
        """Return the statements of the loaded releases as they were written, the last one loaded first."""
        column = terminology_releases.c.content
        rows = await self.connection.execute(select(column).order_by(terminology_releases.c.number.desc()))
        return [row.content for row in rows]

    async def add(self, name: str, kind: str, sha256: str, codes: int, content: bytes, now: datetime) -> None:
        values = {"name": name, "kind": kind, "sha256": sha256, "codes": codes, "content": content, "loaded_at": now}
        await self.connection.execute(insert(terminology_releases).values(values))

    async def remove(self, number: int) -> None:
        await self.connection.execute(delete(terminology_releases).where(terminology_releases.c.number == number))

    async def last_version(self) -> tuple[int, str] | None:
        """Return the number and the version that was published last; None before the first."""
        found = await self.connection.execute(
            select(terminology_versions.c.number, terminology_versions.c.version)
            .order_by(terminology_versions.c.number.desc())
            .limit(1)
        )
        row = found.first()
        return None if row is None else (row.number, row.version)

    async def add_version(self, version: str, now: datetime) -> None:
        await self.connection.execute(insert(terminology_versions).values(version=version, published_at=now))
