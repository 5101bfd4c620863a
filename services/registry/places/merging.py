"""Merges trials again whose facility texts have another place now. Any replica does it, some trials at a time."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from services.registry.centres.repository import CentreRepository
from services.registry.trials.places.repository import PlaceRepository
from services.registry.trials.repository import TrialRepository
from services.registry.trials.rules import TrialRules
from services.registry.trials.service import TrialService
from shared.persistence import Database
from shared.values.problems import Problem

logger = logging.getLogger(__name__)

# SQLite has one writer: a transaction is short, and others get their turn after it.
TOGETHER: Final = 5
PAUSE_SECONDS: Final = 0.05
EVERY_SECONDS: Final = 30.0
COMMIT_SECONDS: Final = 0.3


class PlaceMerges:
    """The work that waits in the database. ``wake``: some is about to be added."""

    def __init__(self, database: Database, rules: Callable[[], TrialRules]) -> None:
        self._database = database
        self._rules = rules
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look for work soon."""
        self._woken.set()

    async def step(self) -> None:
        """Do a part of the work; where there is none, wait until there may be some."""
        self._woken.clear()
        if await self.merge_some():
            await asyncio.sleep(PAUSE_SECONDS)
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), EVERY_SECONDS)
            # The request that asked for it has not committed yet.
            await asyncio.sleep(COMMIT_SECONDS)

    async def merge_some(self) -> int:
        """Take some trials and do what waits for them. Return their number."""
        async with self._database.read(as_service=True) as connection:
            if not await PlaceRepository(connection).has_merges():
                return 0
        async with self._database.transaction() as connection:
            found = await PlaceRepository(connection).take_merges(TOGETHER)
            trials = TrialService(TrialRepository(connection), CentreRepository(connection), self._rules())
            for key, merges in found.items():
                try:
                    async with connection.begin_nested():
                        await _look_at(trials, key, merges=merges)
                except Problem as problem:
                    # Such a trial waits for its next record: it must not stop the others.
                    logger.warning("place_merge_failed", extra={"code": problem.code})
        return len(found)


async def _look_at(trials: TrialService, key: str, *, merges: bool) -> None:
    stored = await trials.repository.present(key)
    if merges:
        await trials.merger.merge_stored(stored)
    else:
        await trials.merger.find_places(stored)
