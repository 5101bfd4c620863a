"""Decisions about subscriptions."""

import uuid
from datetime import datetime, timedelta

from services.notifications.subscriptions.problems import TooManySubscriptionsError
from services.notifications.subscriptions.repository import NewRow, SubscriptionRepository
from services.notifications.subscriptions.schemas import (
    NewSubscription,
    RotatedSubscription,
    Subscription,
    SubscriptionInput,
    SubscriptionSummary,
    SubscriptionUpdate,
)
from services.notifications.subscriptions.secrets import new_secret, write_secret
from shared.access.policy import Access
from shared.access.views import view_of
from shared.clients.outbound import OutboundClient, OutboundError
from shared.clients.problems import refused_url
from shared.persistence import Writing
from shared.values.clock import Clock, utc_now
from shared.values.encryption import Seal
from shared.values.problems import NotFoundError, StaleVersionError

# Fictitious trials are for demonstrations: their events are never sent.
NOT_SENT = frozenset({"demo"})


class SubscriptionService:
    """Reads and changes the subscriptions of the caller's organisation, in one transaction."""

    def __init__(self, connection: Writing, access: Access, clock: Clock = utc_now) -> None:
        self._access = access
        self._clock = clock
        self._subscriptions = SubscriptionRepository(connection)

    @property
    def _owner(self) -> str:
        return self._access.principal.organisation or self._access.principal.kind

    async def get(self, subscription: str) -> Subscription:
        """Return one subscription.

        :raises NotFoundError: 404, it does not exist or belongs to another organisation.
        """
        found = await self._subscriptions.get(self._owner, subscription)
        if found is None:
            raise NotFoundError
        return found

    async def page(self, after: tuple[datetime, str] | None, limit: int) -> list[Subscription]:
        """Return the organisation's subscriptions, oldest first."""
        return await self._subscriptions.page(self._owner, after, limit)

    async def summaries(self, after: tuple[datetime, str] | None, limit: int) -> list[SubscriptionSummary]:
        """Return the status of every organisation's subscriptions, oldest first."""
        return await self._subscriptions.summaries(after, limit)

    async def create(self, asked: SubscriptionInput, cipher: Seal, maximum: int) -> NewSubscription:
        """Create a subscription; the answer holds its signing secret.

        It receives what its creator may read in the feed: the right to subscribe gives no right to read more.

        :raises TooManySubscriptionsError: 409, the organisation has ``maximum`` already. Requests at the same moment
            may exceed it by a few.
        """
        if await self._subscriptions.count(self._owner) >= maximum:
            raise TooManySubscriptionsError
        new_id, secret = str(uuid.uuid4()), new_secret()
        audiences = sorted(view_of(self._access.principal).audiences - NOT_SENT)
        row = NewRow(new_id, self._owner, audiences, cipher.seal(new_id, secret), self._clock())
        await self._subscriptions.add(row, asked)
        return NewSubscription(**dict(await self.get(new_id)), secret=write_secret(secret))

    async def replace(self, subscription: str, asked: SubscriptionUpdate, expected: int | None) -> Subscription:
        """Replace version ``expected`` (None: any). Set to active again, its pending deliveries are due now.

        :raises NotFoundError: 404, as in `get`.
        :raises StaleVersionError: 412, another change came first.
        """
        now = self._clock()
        current = await self._get_version(subscription, expected)
        if not await self._subscriptions.replace(current, asked, asked.status, now):
            raise StaleVersionError
        if current.status != "active" and asked.status == "active":
            await self._subscriptions.reschedule_deliveries(subscription, now)
        return await self.get(subscription)

    async def rotate(
        self, subscription: str, overlap: timedelta, cipher: Seal, expected: int | None
    ) -> RotatedSubscription:
        """Replace the signing secret of version ``expected`` (None: any). The answer holds the new one.

        ``overlap``: how long the former one signs too. One that was still signing before ends at once.

        :raises NotFoundError: 404, as in `get`.
        :raises StaleVersionError: 412, another change came first.
        """
        now, secret = self._clock(), new_secret()
        current = await self._get_version(subscription, expected)
        if not await self._subscriptions.rotate(current, cipher.seal(current.id, secret), now + overlap, now):
            raise StaleVersionError
        return RotatedSubscription(**dict(await self.get(current.id)), secret=write_secret(secret))

    async def delete(self, subscription: str, expected: int | None) -> None:
        """Delete version ``expected`` (None: any) with its deliveries.

        :raises NotFoundError: 404, as in `get`.
        :raises StaleVersionError: 412, another change came first.
        """
        if not await self._subscriptions.delete(await self._get_version(subscription, expected)):
            raise StaleVersionError

    async def _get_version(self, subscription: str, expected: int | None) -> Subscription:
        found = await self.get(subscription)
        if expected not in {None, found.version}:
            raise StaleVersionError
        return found


async def check_url(asked: SubscriptionInput, outbound: OutboundClient) -> None:
    """Check that the URL is an address that may be called. Resolves its host name, which may take seconds.

    :raises InvalidBodyError: 422, with the reason.
    """
    try:
        await outbound.check(asked.channel.url)
    except OutboundError as error:
        raise refused_url(error, "/channel/url") from None
