"""Keeps the geography in use equal to the loaded files in the database, without a restart."""

import asyncio
from typing import Final

from services.registry.geography.atlas import Atlas
from services.registry.geography.model import LoadedFile
from services.registry.geography.problems import GeographyMissingError
from services.registry.geography.repository import GeographyRepository
from services.registry.geography.service import atlas_of, in_use
from shared.persistence import Database

SECONDS: Final = 2.0


class CurrentGeography:
    """The geography of one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._files: list[LoadedFile] | None = None
        self._atlas: Atlas | None = None
        self._lock = asyncio.Lock()

    async def atlas(self) -> Atlas | None:
        """Return the geography in use as of the last refresh; None: nothing is loaded."""
        if self._files is None:
            await self.refresh()
        return self._atlas

    async def required(self) -> Atlas:
        """Return the geography in use.

        :raises GeographyMissingError: 409, nothing is loaded.
        """
        atlas = await self.atlas()
        if atlas is None:
            raise GeographyMissingError
        return atlas

    async def refresh(self) -> None:
        """Use the files that are loaded now. They are read in a thread."""
        async with self._lock:
            async with self._database.read(as_service=True) as connection:
                repository = GeographyRepository(connection)
                files = in_use(await repository.files())
                if files == self._files:
                    return
                contents = {one.kind: await repository.content(one) for one in files}
            self._atlas = await asyncio.to_thread(atlas_of, files, contents)
            self._files = files
            self._database.revision.advance()  # what was answered with the files before is no longer served

    async def watch(self) -> None:
        """Refresh, then wait: the command line or another replica may have loaded files."""
        await self.refresh()
        await asyncio.sleep(SECONDS)
