"""The sequencer's decision, in one transaction with the feed's position: which subscriptions are told which events, under which numbers."""

import logging
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.notifications.deliveries.repository import DeliveryRepository, NewDelivery
from services.notifications.events.model import FeedEvent, read_event
from services.notifications.events.repository import EventRepository, event_row
from services.notifications.subscriptions.model import Subscriber
from services.notifications.subscriptions.repository import SubscriptionRepository
from shared.feed import Visibility
from shared.persistence import Writing
from shared.values.wire import write_instant

logger = logging.getLogger(__name__)

TEST_SOURCE = "/notifications"
TEST_TYPE = "subscription.test"


class Subscribers:
    """All subscribers in memory, parsed again only where their version moved."""

    def __init__(self) -> None:
        self._parsed: dict[str, tuple[int, Subscriber]] = {}

    async def current(self, repository: SubscriptionRepository) -> list[Subscriber]:
        versions = await repository.versions()
        stale = [one for one, version in versions.items() if self._parsed.get(one, (0,))[0] != version]
        for start in range(0, len(stale), 500):
            for subscriber in await repository.subscribers(stale[start : start + 500]):
                self._parsed[subscriber.id] = (versions[subscriber.id], subscriber)
        self._parsed = {one: self._parsed[one] for one in versions if one in self._parsed}
        return [subscriber for _, subscriber in self._parsed.values()]


async def sequence(
    connection: Writing, documents: Sequence[Mapping[str, Any]], subscribers: Subscribers, now: datetime
) -> list[NewDelivery]:
    """Take a batch, but for events known already, and number its deliveries without gaps for each subscription; returns them."""
    fresh = await _fresh(EventRepository(connection), documents)
    everybody = await subscribers.current(SubscriptionRepository(connection)) if fresh else []
    wanted: dict[str, list[tuple[FeedEvent, bool]]] = {}
    rows = []
    for event in fresh:
        seen = _seen_by(event, everybody)
        rows.append(
            event_row(event, told=Visibility.EVENT in seen.values(), removed=Visibility.TOMBSTONE in seen.values())
        )
        for subscription, visibility in seen.items():
            wanted.setdefault(subscription, []).append((event, visibility is Visibility.TOMBSTONE))
    await EventRepository(connection).add(rows)
    new: list[NewDelivery] = []
    # In one order everywhere, so that two transactions never wait for each other.
    for subscription, told in sorted(wanted.items()):
        first = await SubscriptionRepository(connection).take_numbers(subscription, len(told))
        if first is not None:
            new += [
                NewDelivery(str(uuid.uuid4()), subscription, first + index, event.source, event.id, tombstone)
                for index, (event, tombstone) in enumerate(told)
            ]
    await DeliveryRepository(connection).add(new, now)
    return new


async def send_test(connection: Writing, subscription: str, now: datetime) -> NewDelivery | None:
    """A ``subscription.test`` event for one subscription, through the same ledger; None when the subscription is gone."""
    number = await SubscriptionRepository(connection).take_numbers(subscription, 1)
    if number is None:
        return None
    event = _test_event(subscription, now)
    await EventRepository(connection).add([event_row(event, told=True, removed=False)])
    delivery = NewDelivery(str(uuid.uuid4()), subscription, number, event.source, event.id, tombstone=False)
    await DeliveryRepository(connection).add([delivery], now)
    return delivery


async def _fresh(repository: EventRepository, documents: Sequence[Mapping[str, Any]]) -> list[FeedEvent]:
    read: dict[tuple[str, str], FeedEvent] = {}
    for document in documents:
        try:
            event = read_event(document)
        except (KeyError, TypeError, ValueError):
            # One unreadable entry must not hold all later ones.
            logger.exception("event_unreadable")
            continue
        read.setdefault((event.source, event.id), event)
    known: set[tuple[str, str]] = set()
    for source in sorted({source for source, _ in read}):
        ids = [event_id for of, event_id in read if of == source]
        known |= {(source, event_id) for event_id in await repository.known(source, ids)}
    return [event for key, event in read.items() if key not in known]


def _seen_by(event: FeedEvent, everybody: Sequence[Subscriber]) -> dict[str, Visibility]:
    if event.sides is None:
        return {}
    before, after = event.sides
    seen = {one.id: one.sees(event.type, event.subject, before, after, event.at) for one in everybody}
    return {
        subscription: visibility for subscription, visibility in seen.items() if visibility is not Visibility.NOTHING
    }


def _test_event(subscription: str, now: datetime) -> FeedEvent:
    event_id, subject = str(uuid.uuid4()), f"subscription/{subscription}"
    cloudevent = {
        "specversion": "1.0",
        "id": event_id,
        "source": TEST_SOURCE,
        "type": TEST_TYPE,
        "subject": subject,
        "time": write_instant(now),
        "datacontenttype": "application/json",
        "data": {"op": "test", "id": subscription},
    }
    return FeedEvent(TEST_SOURCE, event_id, TEST_TYPE, subject, now, cloudevent, None)
