"""Writes everything a caller may see as JSON lines: a header, the centres, the trials and an end line.

The header's feed cursor is taken before anything is read, so a copy that loads the export and then follows the feed
misses nothing. A file without its end line is incomplete. Demonstration trials go to the network's own services and
coordination only.
"""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from services.registry.centres.repository import CentreRepository
from services.registry.schema import FEED
from services.registry.trials.model import StoredTrial
from services.registry.trials.repository import TrialRepository
from shared.access.policy import Access, decide
from shared.feed.log import Position
from shared.persistence import Database

PAGE = 50


class ExportService:
    """The export for one caller. Each page is read in a transaction of its own, so a slow reader keeps none open."""

    def __init__(self, database: Database, access: Access) -> None:
        self.database = database
        self.access = access

    async def position(self) -> Position:
        """Return the feed's position as of now."""
        async with self.database.read() as connection:
            return await FEED.position(connection)

    async def lines(self, feed: str, terminology: str) -> AsyncIterator[str]:
        """Yield the export in chunks. ``feed``: where to follow the feed afterwards. ``terminology``: its version."""
        count = 0
        yield _line({"kind": "header", "following": feed, "terminology": terminology})
        for pages in (self._centres(), self._trials()):
            async for page in pages:
                count += len(page)
                yield "".join(page)
        yield _line({"kind": "end", "count": count})

    async def _centres(self) -> AsyncIterator[list[str]]:
        after: str | None = None
        while True:
            async with self.database.read() as connection:
                centres = await CentreRepository(connection).page(after, PAGE)
            if not centres:
                return
            yield [f'{{"kind":"centre","centre":{centre.model_dump_json()}}}\n' for centre in centres]
            after = centres[-1].id

    async def _trials(self) -> AsyncIterator[list[str]]:
        access = self.access
        sites_read = decide(access.principal, "read", "site")
        slots = sites_read is not None and sites_read.fields == "all"
        after = ""
        while True:
            async with self.database.read() as connection:
                repository = TrialRepository(connection)
                trials = await repository.after(after, access.rows, PAGE, demo="demo" in access.audiences)
                page = [await _trial(repository, stored, with_slots=slots) for stored in trials]
            if not trials:
                return
            yield page
            after = trials[-1].trial.id


async def _trial(repository: TrialRepository, stored: StoredTrial, *, with_slots: bool) -> str:
    trial, now = stored.trial, datetime.now(UTC)
    sites = [
        site.document(trial.id, now, with_slots=with_slots).model_dump_json()
        for site in await repository.sites(stored.key)
    ]
    criteria = await repository.criteria(stored.key)
    return (
        f'{{"kind":"trial","id":{json.dumps(trial.id)},"version":{trial.version},"trial":{trial.model_dump_json()},'
        f'"criteria":{criteria or "null"},"sites":[{",".join(sites)}]}}\n'
    )


def _line(value: object) -> str:
    return json.dumps(value) + "\n"
