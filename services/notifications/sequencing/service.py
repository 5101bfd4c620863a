"""Decides, in one transaction with the feed's position, which subscriptions get which events, with which numbers."""

import logging
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.notifications.deliveries.repository import DeliveryRepository, NewDelivery
from services.notifications.events.model import FeedEvent, read_event
from services.notifications.events.repository import EventRepository, event_row
from services.notifications.subscriptions.frequency import next_message
from services.notifications.subscriptions.model import Subscriber
from services.notifications.subscriptions.repository import SubscriptionRepository
from shared.feed import Visibility
from shared.persistence import Writing

logger = logging.getLogger(__name__)


class SubscriberCache:
    """All subscribers in memory; only those whose version changed are parsed again."""

    def __init__(self) -> None:
        self._parsed: dict[str, tuple[int, Subscriber]] = {}

    async def current(self, repository: SubscriptionRepository) -> list[Subscriber]:
        """Return all subscribers as of this transaction."""
        versions = await repository.versions()
        stale = [one for one, version in versions.items() if self._parsed.get(one, (0,))[0] != version]
        for start in range(0, len(stale), 500):
            for subscriber in await repository.subscribers(stale[start : start + 500]):
                self._parsed[subscriber.id] = (versions[subscriber.id], subscriber)
        self._parsed = {one: self._parsed[one] for one in versions if one in self._parsed}
        return [subscriber for _, subscriber in self._parsed.values()]


class SequencingService:
    """Turns a batch of feed events into numbered deliveries."""

    def __init__(self, connection: Writing, subscribers: SubscriberCache) -> None:
        self._subscribers = subscribers
        self._events = EventRepository(connection)
        self._subscriptions = SubscriptionRepository(connection)
        self._deliveries = DeliveryRepository(connection)

    async def sequence(
        self, documents: Sequence[Mapping[str, Any]], now: datetime, former: Collection[str] | None = None
    ) -> list[NewDelivery]:
        """Store the events that were not read before, and their deliveries; return the deliveries.

        Numbers have no gap within a subscription. A subscription receives what is sequenced after it was created.

        :param former: while old events are being read, the subscriptions from before that began: only these receive
            all events, newer ones receive events dated after them. None: no old events are being read.
        """
        fresh = await self._fresh(documents)
        subscribers = await self._subscribers.current(self._subscriptions) if fresh else []
        wanted: dict[str, list[tuple[FeedEvent, bool]]] = {}
        rows = []
        for event in fresh:
            seen = _visibility(event, subscribers, former)
            rows.append(
                event_row(event, sent=Visibility.EVENT in seen.values(), removed=Visibility.TOMBSTONE in seen.values())
            )
            for subscription, visibility in seen.items():
                wanted.setdefault(subscription, []).append((event, visibility is Visibility.TOMBSTONE))
        await self._events.add(rows)
        due = {one.id: next_message(one.frequency, now) for one in subscribers if one.id in wanted}
        new = await self._number(wanted, due)
        await self._deliveries.add(new, now)
        return new

    async def _number(
        self, wanted: Mapping[str, Sequence[tuple[FeedEvent, bool]]], due: Mapping[str, datetime]
    ) -> list[NewDelivery]:
        new: list[NewDelivery] = []
        # Always in the same order, so that two transactions cannot deadlock.
        for subscription, sent in sorted(wanted.items()):
            first = await self._subscriptions.take_numbers(subscription, len(sent))
            if first is not None:
                new += [
                    NewDelivery(
                        str(uuid.uuid4()),
                        subscription,
                        first + index,
                        event.source,
                        event.id,
                        tombstone,
                        due[subscription],
                    )
                    for index, (event, tombstone) in enumerate(sent)
                ]
        return new

    async def _fresh(self, documents: Sequence[Mapping[str, Any]]) -> list[FeedEvent]:
        read: dict[tuple[str, str], FeedEvent] = {}
        for document in documents:
            try:
                event = read_event(document)
            except (KeyError, TypeError, ValueError):
                # Skip it: one unreadable entry must not block all later ones.
                logger.exception("event_unreadable")
                continue
            read.setdefault((event.source, event.id), event)
        known: set[tuple[str, str]] = set()
        for source in sorted({source for source, _ in read}):
            ids = [event_id for of, event_id in read if of == source]
            known |= {(source, event_id) for event_id in await self._events.known(source, ids)}
        return [event for key, event in read.items() if key not in known]


def _visibility(
    event: FeedEvent, subscribers: Sequence[Subscriber], former: Collection[str] | None
) -> dict[str, Visibility]:
    """Return what each subscriber receives of an event; those that receive nothing are left out."""
    if event.routing is None:
        return {}
    before, after = event.routing
    seen = {}
    for one in subscribers:
        # Dates are compared only if positions in the feed do not decide: a clock set back must lose no event.
        at = None if former is None or one.id in former else event.at
        seen[one.id] = one.sees(event.type, before, after, at)
    return {
        subscription: visibility for subscription, visibility in seen.items() if visibility is not Visibility.NOTHING
    }
