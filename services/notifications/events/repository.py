"""The only SQL about events and feed positions."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.events.model import FeedEvent
from services.notifications.events.tables import events, tails


class EventRepository:
    """The inbox in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def following(self, feed: str) -> str | None:
        """The path that reads on; None before the first batch."""
        found: str | None = (
            await self.connection.execute(select(tails.c.following).where(tails.c.feed == feed))
        ).scalar_one_or_none()
        return found

    async def advance(self, feed: str, held: str | None, following: str) -> bool:
        """Move from ``held`` to ``following``; False when another replica has moved already. The row stays locked: one sequencer at a time."""
        if held is None:
            try:
                async with self.connection.begin_nested():
                    await self.connection.execute(insert(tails).values(feed=feed, following=following))
            except IntegrityError:
                return False
            return True
        moved = await self.connection.execute(
            update(tails).where(tails.c.feed == feed, tails.c.following == held).values(following=following)
        )
        return bool(moved.rowcount == 1)

    async def known(self, source: str, ids: Sequence[str]) -> set[str]:
        """Those of the ids that are in the inbox."""
        rows = await self.connection.execute(select(events.c.id).where(events.c.source == source, events.c.id.in_(ids)))
        return {row.id for row in rows}

    async def add(self, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            await self.connection.execute(insert(events), rows)


def event_row(event: FeedEvent, *, told: bool, removed: bool) -> dict[str, Any]:
    """An event's row: its texts only where they are sent."""
    return {
        "source": event.source,
        "id": event.id,
        "type": event.type,
        "subject": event.subject,
        "at": event.at,
        "body": event.body if told else None,
        "tombstone": event.tombstone if removed else None,
    }
