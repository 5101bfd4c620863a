"""Keeps the terminology in use equal to the loaded releases in the database, without a restart."""

import asyncio
from collections.abc import Callable
from typing import Final

from services.registry.terminology.repository import TerminologyRepository
from services.registry.terminology.service import TerminologyService, build_terminology
from services.registry.terminology.terminology import Terminology
from shared.persistence import Database

SECONDS: Final = 2.0


class CurrentTerminology:
    """``use`` gets each terminology before its version is announced on the feed."""

    def __init__(self, database: Database, use: Callable[[Terminology], None]) -> None:
        self._database = database
        self._use = use
        self._terminology: Terminology | None = None
        self._loaded: list[int] | None = None
        self._version = self._published = ""
        self._lock = asyncio.Lock()

    async def refresh(self) -> None:
        """Use the releases that are loaded now. It is built in a thread, while requests use the one before."""
        async with self._lock:
            async with self._database.read(as_service=True) as connection:
                repository = TerminologyRepository(connection)
                loaded = await repository.numbers()
                if loaded == self._loaded:
                    return
                contents = await repository.contents()
            self._terminology = terminology = await build_terminology(contents)
            self._use(terminology)
            self._loaded, self._version = loaded, terminology.version
            self._database.revision.advance()  # what was answered with the terminology before is no longer served

    async def publish(self) -> None:
        """Refresh, and announce a new version. Not inside a request: the announcement is no part of one."""
        await self.refresh()
        version = self._version
        if version != self._published:
            async with self._database.transaction() as connection:
                await TerminologyService(TerminologyRepository(connection)).publish(version)
            self._published = version

    async def watch(self) -> None:
        """Prepare for searches, wait, then publish: the command line or another replica may have loaded a release."""
        if self._terminology is not None:
            await asyncio.to_thread(self._terminology.prepare)
        await asyncio.sleep(SECONDS)
        await self.publish()
