"""Loads releases into the database, and builds the terminology with all that is loaded."""

import asyncio
import base64
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from services.registry.schema import FEED
from services.registry.terminology.model import LoadedRelease
from services.registry.terminology.problems import UnreadableStatementsError
from services.registry.terminology.releases.statements import read_statements
from services.registry.terminology.repository import TerminologyRepository
from services.registry.terminology.schemas import ReleaseInput
from services.registry.terminology.terminology import Terminology, builtin, terminology_with
from shared.feed.changes import Change, Routing

EVENT: Final = "terminology.updated"
SUBJECT: Final = "terminology/current"
_EVERYONE = Routing(frozenset({"public"}))


class TerminologyService:
    """Loaded releases of one database."""

    def __init__(self, repository: TerminologyRepository) -> None:
        self._repository = repository

    async def load(self, releases: Sequence[ReleaseInput]) -> None:
        """Store what release files say. A running registry uses it within seconds (`CurrentTerminology`).

        :raises UnreadableStatementsError: 422, the content of one is not what `write_statements` writes.
        """
        for number, one in enumerate(releases):
            try:
                content = base64.b64decode(one.content, validate=True)
                await asyncio.to_thread(read_statements, content)
            except (OSError, EOFError, ValueError, zlib.error):
                raise UnreadableStatementsError(f"/releases/{number}/content") from None
            await self._repository.add(one.name, one.kind, one.sha256, one.codes, content, datetime.now(UTC))

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


async def build_terminology(contents: Sequence[bytes]) -> Terminology:
    """Build `terminology_of` in a thread."""
    return await asyncio.to_thread(terminology_of, contents)


def terminology_of(contents: Sequence[bytes]) -> Terminology:
    """Return the packaged terminology with the statements of loaded releases, the last one loaded first."""
    return terminology_with([read_statements(content) for content in contents]) if contents else builtin()
