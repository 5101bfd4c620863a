"""The only SQL about loaded geographies."""

from collections.abc import Sequence

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.geography.model import LoadedFile
from services.registry.geography.tables import geography_files

_PLAIN = [column for column in geography_files.c if column.name != "content"]


class GeographyRepository:
    """Reads and writes the loaded files."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def files(self) -> list[LoadedFile]:
        """Return the loaded files, the first one loaded first."""
        order = select(*_PLAIN).order_by(geography_files.c.version, geography_files.c.kind)
        return [LoadedFile(*row) for row in await self.connection.execute(order)]

    async def content(self, file: LoadedFile) -> bytes:
        """Return a file as it was stored."""
        found = select(geography_files.c.content).where(
            geography_files.c.version == file.version, geography_files.c.kind == file.kind
        )
        content: bytes = (await self.connection.execute(found)).scalar_one()
        return content

    async def add(self, files: Sequence[tuple[LoadedFile, bytes]]) -> None:
        await self.connection.execute(
            insert(geography_files),
            [
                {column.name: getattr(file, column.name) for column in _PLAIN} | {"content": content}
                for file, content in files
            ],
        )

    async def next_version(self) -> int:
        """Return the version of the next load."""
        return ((await self.connection.execute(select(func.max(geography_files.c.version)))).scalar_one() or 0) + 1

    async def remove(self, version: int) -> None:
        await self.connection.execute(delete(geography_files).where(geography_files.c.version == version))
