"""Notice changes that other replicas commit: PostgreSQL notifies, and a slow poll covers missed notifications."""

import asyncio
from time import monotonic
from typing import Any

from shared.feed.log import FeedLog
from shared.persistence import Database

POLL_SECONDS = 0.4
ANSWER_SECONDS = 0.5


class ChangeWatch:
    """Follows the head of a feed on PostgreSQL: wakes waiting readers and confirms the revision of the database."""

    def __init__(self, database: Database, log: FeedLog) -> None:
        self._database = database
        self._log = log
        self._notified = asyncio.Event()

    async def step(self) -> None:
        """Listen until the connection fails. For `shared.tasks`, which begins again.

        :raises DatabaseUnavailableError: the server is not there.
        :raises TimeoutError: it does not answer.
        """
        try:
            await self._listen()
        finally:
            self._database.wake()  # readers must learn that changes are no longer seen

    async def _listen(self) -> None:
        async with self._database.read(as_service=True) as connection:
            await connection.rollback()
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            await driver.add_listener(self._log.channel, self._on_notification)
            try:
                while True:
                    await self._look(driver)
            finally:
                if not driver.is_closed():
                    await driver.remove_listener(self._log.channel, self._on_notification)

    async def _look(self, driver: Any) -> None:
        self._notified.clear()
        asked_at = monotonic()
        async with asyncio.timeout(ANSWER_SECONDS):
            row = await driver.fetchrow("SELECT generation, seq FROM feed_head")
        self._database.confirm((row["generation"], row["seq"]), asked_at)
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._notified.wait()
        except TimeoutError:
            pass

    def _on_notification(self, *_: Any) -> None:
        self._database.wake()
        self._notified.set()
