"""Loads releases into the database, and opens the terminology with all that is loaded."""

import asyncio
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from services.registry.schema import FEED
from services.registry.terminology.model import LoadedRelease
from services.registry.terminology.releases.draft import Draft
from services.registry.terminology.releases.statements import read_statements, write_statements
from services.registry.terminology.repository import TerminologyRepository
from services.registry.terminology.terminology import Terminology, builtin, terminology_with
from shared.feed.changes import Change, Routing

EVENT: Final = "terminology.updated"
SUBJECT: Final = "terminology/current"
_EVERYONE = Routing(frozenset({"public"}))


class TerminologyService:
    """Loaded releases of one database."""

    def __init__(self, repository: TerminologyRepository) -> None:
        self._repository = repository

    async def load(self, path: Path, draft: Draft, kind: str) -> None:
        """Store what a release file says. It counts from the next start of the registry on."""
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()  # noqa: ASYNC240 - the command line waits for it alone
        content = await asyncio.to_thread(write_statements, draft)
        await self._repository.add(path.name, kind, sha256, len(draft.codes), content, datetime.now(UTC))

    async def undo(self) -> LoadedRelease | None:
        """Remove the release that was loaded last and return it; None where there is none."""
        loaded = await self._repository.releases()
        if not loaded:
            return None
        await self._repository.remove(loaded[-1].number)
        return loaded[-1]

    async def releases(self) -> list[LoadedRelease]:
        """Return the loaded releases, the first one loaded first."""
        return await self._repository.releases()

    async def open(self) -> Terminology:
        """Return the packaged terminology with the loaded releases."""
        contents = await self._repository.contents()
        if not contents:
            return await asyncio.to_thread(builtin)
        return await asyncio.to_thread(lambda: terminology_with([read_statements(content) for content in contents]))

    async def publish(self, version: str) -> None:
        """Announce a version on the feed if it is not the one that was published last.

        The first one is not announced: no reader has an earlier copy.
        """
        last = await self._repository.last_version()
        if last is not None and last[1] == version:
            return
        await self._repository.add_version(version, datetime.now(UTC))
        if last is not None:
            change = Change(EVENT, SUBJECT, last[0] + 1, _EVERYONE, _EVERYONE, ("version",))
            FEED.record(self._repository.connection, change)
