"""Decisions about e-mail subscriptions."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from services.notifications.deliveries.repository import DeliveryRepository, NewDelivery
from services.notifications.deliveries.schemas import Delivery, LoggedState
from services.notifications.deliveries.service import deliver_own
from services.notifications.events.model import CONFIRM_TYPE, new_own_event
from services.notifications.mail.limits import RequestCount
from services.notifications.mail.problems import ADDRESS_FIXED, MailNotConfiguredError
from services.notifications.mail.repository import MailRepository, NewMailRow
from services.notifications.mail.schemas import MailSubscription, MailSubscriptionInput, MailSubscriptionUpdate
from services.notifications.subscriptions.problems import SubscriptionDisabledError, TooManySubscriptionsError
from services.notifications.subscriptions.repository import UNCONFIRMED, SubscriptionRepository
from services.notifications.subscriptions.service import NOT_SENT
from shared.access.policy import Access
from shared.access.views import view_of
from shared.persistence import Writing
from shared.values.clock import Clock, utc_now
from shared.values.problems import InvalidBodyError, NotFoundError, StaleVersionError


class MailService:
    """Reads and changes the e-mail subscriptions of the caller's organisation, in one transaction."""

    def __init__(self, connection: Writing, access: Access, clock: Clock = utc_now) -> None:
        self._connection = connection
        self._access = access
        self._clock = clock
        self._mail = MailRepository(connection)
        self._subscriptions = SubscriptionRepository(connection)

    @property
    def _owner(self) -> str:
        return self._access.principal.organisation or self._access.principal.kind

    async def get(self, subscription: str) -> MailSubscription:
        """Return one subscription.

        :raises NotFoundError: 404, it does not exist or belongs to another organisation.
        """
        found = await self._mail.get(subscription, self._owner)
        if found is None:
            raise NotFoundError
        return found

    async def page(self, after: tuple[datetime, str] | None, limit: int) -> list[MailSubscription]:
        """Return the organisation's subscriptions, oldest first."""
        return await self._mail.page(self._owner, after, limit)

    async def create(
        self,
        asked: MailSubscriptionInput,
        maximum: int,
        installation: str,
        counts: Sequence[RequestCount],
        *,
        can_send: bool,
    ) -> MailSubscription:
        """Create a subscription, and ask its address for consent, unless there were too many requests for it.

        The answer is the same then: nothing shows what others asked of an address.

        It receives what its creator may read in the feed: the right to subscribe gives no right to read more.

        :param installation: the URI that names this installation in events.
        :param counts: what the request for consent counts for.

        :raises MailNotConfiguredError: 409, there is no mail server.
        :raises TooManySubscriptionsError: 409, the organisation has ``maximum`` already, by all channels.
        """
        if not can_send:
            raise MailNotConfiguredError
        if await self._subscriptions.count(self._owner) >= maximum:
            raise TooManySubscriptionsError
        new_id, now = str(uuid.uuid4()), self._clock()
        requests = [(await self._mail.count_request(one.digest, now), one.most) for one in counts]
        silent = any(made > most for made, most in requests)
        audiences = sorted(view_of(self._access.principal).audiences - NOT_SENT)
        await self._mail.add(NewMailRow(new_id, self._owner, audiences, now, silent), asked)
        await deliver_own(self._connection, new_own_event(new_id, now, installation, CONFIRM_TYPE))
        return await self.get(new_id)

    async def replace(self, subscription: str, asked: MailSubscriptionUpdate, expected: int | None) -> MailSubscription:
        """Replace version ``expected`` (None: any). Set to active again, its pending deliveries are due now.

        :raises NotFoundError: 404, as in `get`.
        :raises InvalidBodyError: 422, another address.
        :raises StaleVersionError: 412, another change came first.
        """
        now = self._clock()
        current = await self._get_version(subscription, expected)
        if asked.channel.address != current.channel.address:
            raise InvalidBodyError(errors=[ADDRESS_FIXED])
        # Only the address itself can end that it is unconfirmed.
        status = UNCONFIRMED if asked.status == "active" and current.confirmed_at is None else asked.status
        reason = (current.disabled_reason or "owner") if status == "disabled" else None
        if not await self._mail.replace(current, asked, status, reason, now):
            raise StaleVersionError
        if current.status == "disabled" and status != "disabled":
            await self._subscriptions.reschedule_deliveries(subscription, now)
        return await self.get(subscription)

    async def delete(self, subscription: str, expected: int | None) -> None:
        """Delete version ``expected`` (None: any) with its address and its deliveries.

        :raises NotFoundError: 404, as in `get`.
        :raises StaleVersionError: 412, another change came first.
        """
        current = await self._get_version(subscription, expected)
        if not await self._mail.delete(current.id, current.version):
            raise StaleVersionError

    async def deliveries(
        self, subscription: str, state: LoggedState | None, before: int | None, limit: int
    ) -> list[Delivery]:
        """Return deliveries with their attempts, as `DeliveryService.page`.

        :raises NotFoundError: 404, as in `get`.
        """
        await self.get(subscription)
        return await DeliveryRepository(self._connection).page(subscription, state, before, limit)

    async def send_test(self, subscription: str, installation: str) -> NewDelivery:
        """Add a delivery of a test event.

        :raises NotFoundError: 404, as in `get`.
        :raises SubscriptionDisabledError: 409, it is disabled or unconfirmed.
        """
        if (await self.get(subscription)).status != "active":
            raise SubscriptionDisabledError
        return await deliver_own(self._connection, new_own_event(subscription, self._clock(), installation))

    async def _get_version(self, subscription: str, expected: int | None) -> MailSubscription:
        found = await self.get(subscription)
        if expected not in {None, found.version}:
            raise StaleVersionError
        return found
