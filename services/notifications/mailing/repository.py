"""SQL for sending e-mail. Claims and outcomes are those of the common ledger."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.deliveries.repository import Ready
from services.notifications.mail.repository import SCHEME
from services.notifications.subscriptions.repository import UNCONFIRMED
from services.notifications.tables import IS_EMAIL, PENDING, deliveries, subscriptions
from shared.values.language import Language

MOST_REFUSALS = 3


@dataclass(frozen=True, slots=True)
class Recipient:
    """A subscription by e-mail with something due."""

    ready: Ready
    address: str
    language: Language


class MailingRepository:
    """Subscriptions by e-mail in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def ready(self, before: datetime, limit: int) -> list[Recipient]:
        """Return up to ``limit`` recipients with a delivery due ``before`` then, in random order.

        An unconfirmed one has nothing but the request for its consent.
        """
        due = exists().where(deliveries.c.subscription_id == subscriptions.c.id, PENDING, deliveries.c.due_at <= before)
        sending = subscriptions.c.status.in_(("active", UNCONFIRMED)) & ~subscriptions.c.silent
        statement = select(subscriptions).where(IS_EMAIL, sending, due)
        return [
            Recipient(Ready(row.id, row.owner, row.url, row.sealed_secret), row.url.removeprefix(SCHEME), row.language)
            for row in await self.connection.execute(statement.order_by(func.random()).limit(limit))
        ]

    async def accepted(self, ids: Collection[str]) -> None:
        """Forget earlier refusals of these, because a message was accepted."""
        await self.connection.execute(
            update(subscriptions).where(subscriptions.c.id.in_(ids), subscriptions.c.refusals > 0).values(refusals=0)
        )

    async def refused(self, ids: Collection[str], now: datetime) -> None:
        """Count a refusal for good; the third in a row disables the subscription."""
        refused = subscriptions.c.id.in_(ids)
        await self.connection.execute(
            update(subscriptions).where(refused).values(refusals=subscriptions.c.refusals + 1)
        )
        await self.connection.execute(
            update(subscriptions)
            .where(refused, subscriptions.c.refusals >= MOST_REFUSALS, subscriptions.c.status != "disabled")
            .values(status="disabled", disabled_reason="refused", version=subscriptions.c.version + 1, updated_at=now)
        )
