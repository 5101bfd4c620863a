"""The loop that reads a feed. Position, events and deliveries are written in one transaction, so that after a crash a
batch is read again without effect.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from services.notifications.events.repository import EventRepository
from services.notifications.sequencing.service import SequencingService, SubscriberCache
from services.notifications.subscriptions.repository import SubscriptionRepository
from shared.clients.feed import Batch, FeedTail, HistoryRestartedError
from shared.persistence import Database
from shared.tracing import remember

logger = logging.getLogger(__name__)


class Sequencer:
    """Reads one feed, batch by batch.

    ``wake_dispatcher`` is called after a commit that added deliveries; ``observe_lag`` with the age of the newest
    event, in seconds.
    """

    def __init__(
        self,
        database: Database,
        tail: FeedTail,
        feed: str,
        wake_dispatcher: Callable[[], None],
        observe_lag: Callable[[float], None],
    ) -> None:
        self._database = database
        self._tail = tail
        self._feed = feed
        self._wake_dispatcher = wake_dispatcher
        self._observe_lag = observe_lag
        self._subscribers = SubscriberCache()
        self._read_at: float | None = None
        self._lag_seconds: float | None = None
        # Old events are read until the end of the feed is reached; `former`: the subscriptions from before that began.
        self._former: frozenset[str] | None = None
        self._is_behind = True

    async def step(self) -> None:
        """Read one batch, which may be empty."""
        async with self._database.read() as connection:
            current = await EventRepository(connection).position(self._feed)
            if self._is_behind and self._former is None:
                self._former = frozenset(await SubscriptionRepository(connection).versions())
        try:
            batch = await self._tail.next(current or None, wait=not self._is_behind)
        except HistoryRestartedError:
            # Restored from a backup: read it from the beginning. Events that were read before are recognised by id.
            logger.warning("feed_restarted", extra={"source": self._feed})
            async with self._database.transaction() as connection:
                await EventRepository(connection).advance(self._feed, current, "")
            self._is_behind, self._former = True, None
            return
        self._read_at = monotonic()
        if batch.next_path == current:
            self._reached(batch)
            return
        now = datetime.now(UTC)
        with batch.applying():
            async with self._database.transaction() as connection:
                if not await EventRepository(connection).advance(self._feed, current, batch.next_path):
                    return
                new = await SequencingService(connection, self._subscribers).sequence(batch.events, now, self._former)
            causes = batch.causes
            for delivery in new:
                remember(delivery.id, causes.get(delivery.event))
        if batch.events:
            self._lag_seconds = max(0.0, (now - datetime.fromisoformat(batch.events[-1]["time"])).total_seconds())
            self._observe_lag(self._lag_seconds)
        self._reached(batch)
        if new:
            self._wake_dispatcher()

    def _reached(self, batch: Batch) -> None:
        if batch.is_last:
            self._is_behind, self._former = False, None

    def health(self) -> dict[str, Any]:
        """Return the age of the newest event when it was read, and the time since the feed answered; null before."""
        return {
            "lag_seconds": None if self._lag_seconds is None else round(self._lag_seconds, 3),
            "read_seconds_ago": None if self._read_at is None else round(monotonic() - self._read_at, 3),
        }
