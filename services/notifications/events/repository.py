"""SQL for events and feed positions."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.events.model import FeedEvent
from services.notifications.tables import events, feed_positions


class EventRepository:
    """Events in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def position(self, feed: str) -> str | None:
        """Return the path of the feed's next page; None before the first one."""
        found: str | None = (
            await self.connection.execute(select(feed_positions.c.following).where(feed_positions.c.feed == feed))
        ).scalar_one_or_none()
        return found

    async def advance(self, feed: str, current: str | None, following: str) -> bool:
        """Move the position from ``current`` to ``following``; return False if another replica has moved it already.

        The row stays locked until the commit, so that only one sequencer works at a time.
        """
        if current is None:
            try:
                async with self.connection.begin_nested():
                    await self.connection.execute(insert(feed_positions).values(feed=feed, following=following))
            except IntegrityError:
                return False
            return True
        moved = await self.connection.execute(
            update(feed_positions)
            .where(feed_positions.c.feed == feed, feed_positions.c.following == current)
            .values(following=following)
        )
        return bool(moved.rowcount == 1)

    async def known(self, source: str, ids: Sequence[str]) -> set[str]:
        """Return those of ``ids`` that were read before."""
        rows = await self.connection.execute(select(events.c.id).where(events.c.source == source, events.c.id.in_(ids)))
        return {row.id for row in rows}

    async def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows made by `event_row`."""
        if rows:
            await self.connection.execute(insert(events), rows)


def event_row(event: FeedEvent, *, sent: bool, removed: bool) -> dict[str, Any]:
    """Return the row of an event, with its text if it is ``sent``, and its tombstone if it is sent as ``removed``."""
    return {
        "source": event.source,
        "id": event.id,
        "type": event.type,
        "subject": event.subject,
        "at": event.at,
        "body": event.body if sent else None,
        "tombstone": event.tombstone if removed else None,
    }
