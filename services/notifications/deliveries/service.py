"""The delivery log and the test button of a subscription."""

import uuid

from services.notifications.deliveries.repository import DeliveryRepository, NewDelivery
from services.notifications.deliveries.schemas import Delivery, LoggedState
from services.notifications.events.model import FeedEvent, new_own_event
from services.notifications.events.repository import EventRepository, event_row
from services.notifications.subscriptions.problems import SubscriptionDisabledError
from services.notifications.subscriptions.repository import SubscriptionRepository
from services.notifications.subscriptions.service import SubscriptionService
from shared.access.policy import Access
from shared.persistence import Writing
from shared.values.clock import Clock, utc_now
from shared.values.problems import NotFoundError


class DeliveryService:
    """Reads and adds deliveries of the caller's subscriptions, in one transaction."""

    def __init__(self, connection: Writing, access: Access, clock: Clock = utc_now) -> None:
        self._connection = connection
        self._clock = clock
        self._subscriptions = SubscriptionService(connection, access, clock)
        self._deliveries = DeliveryRepository(connection)

    async def page(
        self, subscription: str, state: LoggedState | None, before: int | None, limit: int
    ) -> list[Delivery]:
        """Return a subscription's deliveries with their attempts, newest first, those numbered below ``before``.

        The source of an event is the service that sent it, such as ``/registry``.

        :raises NotFoundError: 404, the subscription does not exist or belongs to another organisation.
        """
        await self._subscriptions.get(subscription)
        return await self._deliveries.page(subscription, state, before, limit)

    async def send_test(self, subscription: str, installation: str) -> NewDelivery:
        """Add a delivery of a test event, which is sent like any other.

        :param installation: the URI that names this installation in events.

        :raises NotFoundError: 404, the subscription does not exist or belongs to another organisation.
        :raises SubscriptionDisabledError: 409.
        """
        if (await self._subscriptions.get(subscription)).status != "active":
            raise SubscriptionDisabledError
        return await deliver_own(self._connection, new_own_event(subscription, self._clock(), installation))


async def deliver_own(connection: Writing, event: FeedEvent) -> NewDelivery:
    """Add an event about a subscription, and its delivery to that subscription, due now. Return the delivery.

    :raises NotFoundError: 404, the subscription was deleted meanwhile.
    """
    subscription = event.cloudevent["data"]["id"]
    number = await SubscriptionRepository(connection).take_numbers(subscription, 1)
    if number is None:
        raise NotFoundError
    await EventRepository(connection).add([event_row(event, sent=True, removed=False)])
    delivery = NewDelivery(str(uuid.uuid4()), subscription, number, event.source, event.id, False, event.at)
    await DeliveryRepository(connection).add([delivery], event.at)
    return delivery
