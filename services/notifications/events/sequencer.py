"""The loop that takes a feed into the inbox. Position, events and deliveries are one transaction: a crash repeats a batch and changes nothing."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from services.notifications.events.repository import EventRepository
from services.notifications.events.service import Subscribers, sequence
from shared.clients.feed import FeedTail, HistoryRestartedError
from shared.persistence import Database
from shared.tracing import remember

logger = logging.getLogger(__name__)


class Sequencer:
    """Reads one feed, batch by batch. ``told`` is called after a commit that made deliveries, ``lag`` with the age of the newest event (seconds)."""

    def __init__(
        self, database: Database, tail: FeedTail, feed: str, told: Callable[[], None], lag: Callable[[float], None]
    ) -> None:
        self._database = database
        self._tail = tail
        self._feed = feed
        self._told = told
        self._lag = lag
        self._subscribers = Subscribers()
        self._read_at: float | None = None
        self._lag_seconds: float | None = None

    async def step(self) -> None:
        """One batch, perhaps empty."""
        async with self._database.read() as connection:
            held = await EventRepository(connection).following(self._feed)
        try:
            batch = await self._tail.next(held or None)
        except HistoryRestartedError:
            # Restored from a backup: read its history again. What was taken before is known by its id.
            logger.warning("feed_restarted", extra={"source": self._feed})
            async with self._database.transaction() as connection:
                await EventRepository(connection).advance(self._feed, held, "")
            return
        self._read_at = monotonic()
        if batch.next_path == held:
            return
        now = datetime.now(UTC)
        with batch.applying():
            async with self._database.transaction() as connection:
                if not await EventRepository(connection).advance(self._feed, held, batch.next_path):
                    return
                made = await sequence(connection, batch.events, self._subscribers, now)
            causes = batch.causes
            for delivery in made:
                remember(delivery.id, causes.get(delivery.event))
        if batch.events:
            self._lag_seconds = max(0.0, (now - datetime.fromisoformat(batch.events[-1]["time"])).total_seconds())
            self._lag(self._lag_seconds)
        if made:
            self._told()

    def health(self) -> dict[str, Any]:
        """How old the newest event was when it was taken, and how long ago the feed answered; null before the first answer."""
        return {
            "lag_seconds": None if self._lag_seconds is None else round(self._lag_seconds, 3),
            "read_seconds_ago": None if self._read_at is None else round(monotonic() - self._read_at, 3),
        }
