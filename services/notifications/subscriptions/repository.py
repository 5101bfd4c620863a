"""SQL for subscriptions."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.subscriptions.model import Subscriber
from services.notifications.subscriptions.schemas import (
    Subscription,
    SubscriptionFilter,
    SubscriptionInput,
    SubscriptionSummary,
    WebhookChannel,
)
from services.notifications.tables import IS_WEBHOOK, PENDING, deliveries, subscriptions
from shared.feed import Reader
from shared.feed.changes import TRIAL_FACET
from shared.vocabulary.identifiers import alias_of

# The status of an e-mail subscription whose address has not agreed yet.
UNCONFIRMED = "unconfirmed"
FACETS = ("condition", "age_band", "departement", "atmp_class", "centre")


@dataclass(frozen=True, slots=True)
class NewRow:
    """The part of a new subscription that its owner does not choose."""

    id: str
    owner: str
    audiences: Sequence[str]
    sealed_secret: bytes
    at: datetime


class SubscriptionRepository:
    """Subscriptions in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def add(self, new: NewRow, asked: SubscriptionInput) -> None:
        await self.connection.execute(
            insert(subscriptions).values(
                id=new.id,
                owner=new.owner,
                audiences=json.dumps(sorted(new.audiences)),
                version=1,
                status="active",
                sealed_secret=new.sealed_secret,
                last_number=0,
                created_at=new.at,
                updated_at=new.at,
                **_columns(asked),
            )
        )

    async def get(self, owner: str, subscription: str) -> Subscription | None:
        row = (
            await self.connection.execute(
                select(subscriptions).where(
                    subscriptions.c.id == subscription, subscriptions.c.owner == owner, IS_WEBHOOK
                )
            )
        ).one_or_none()
        return None if row is None else _read(row)

    async def count(self, owner: str) -> int:
        """Return how many subscriptions the owner has, by all channels."""
        statement = select(func.count()).select_from(subscriptions).where(subscriptions.c.owner == owner)
        found: int = (await self.connection.execute(statement)).scalar_one()
        return found

    async def page(self, owner: str, after: tuple[datetime, str] | None, limit: int) -> list[Subscription]:
        """Return the owner's subscriptions, oldest first, those after ``after`` (created_at, id)."""
        return [
            _read(row)
            for row in await self.connection.execute(_oldest_first(after, limit).where(subscriptions.c.owner == owner))
        ]

    async def summaries(self, after: tuple[datetime, str] | None, limit: int) -> list[SubscriptionSummary]:
        """Return all subscriptions by webhook, oldest first, those after ``after`` (created_at, id)."""
        return [
            SubscriptionSummary(
                id=row.id,
                organisation=row.owner,
                status=row.status,
                disabled_reason=row.disabled_reason,
                last_number=row.last_number,
                created_at=row.created_at,
                updated_at=row.updated_at,
            )
            for row in await self.connection.execute(_oldest_first(after, limit))
        ]

    async def replace(self, current: Subscription, asked: SubscriptionInput, status: str, at: datetime) -> bool:
        """Store the successor of ``current``; return False if another change came first."""
        reason = None if status == "active" else current.disabled_reason or "owner"
        changed = await self.connection.execute(
            update(subscriptions)
            .where(subscriptions.c.id == current.id, subscriptions.c.version == current.version)
            .values(
                version=current.version + 1, status=status, disabled_reason=reason, updated_at=at, **_columns(asked)
            )
        )
        return bool(changed.rowcount == 1)

    async def rotate(self, current: Subscription, sealed_secret: bytes, until: datetime, at: datetime) -> bool:
        """Store a new secret; the former one signs too ``until`` then. Return False if another change came first."""
        overlaps = until > at
        changed = await self.connection.execute(
            update(subscriptions)
            .where(subscriptions.c.id == current.id, subscriptions.c.version == current.version)
            .values(
                version=current.version + 1,
                updated_at=at,
                former_secret=subscriptions.c.sealed_secret if overlaps else None,
                former_until=until if overlaps else None,
                sealed_secret=sealed_secret,
            )
        )
        return bool(changed.rowcount == 1)

    async def delete(self, current: Subscription) -> bool:
        """Delete it with its deliveries; return False if another change came first."""
        deleted = await self.connection.execute(
            delete(subscriptions).where(subscriptions.c.id == current.id, subscriptions.c.version == current.version)
        )
        return bool(deleted.rowcount == 1)

    async def reschedule_deliveries(self, subscription: str, now: datetime) -> None:
        """Make all pending deliveries due now, with a new retry schedule, because the receiver is back."""
        await self.connection.execute(
            update(deliveries)
            .where(deliveries.c.subscription_id == subscription, PENDING)
            .values(due_at=now, failures=0)
        )

    async def versions(self) -> dict[str, int]:
        """Return the version of every subscription that gets events, by id: those that wait for consent get none."""
        statement = select(subscriptions.c.id, subscriptions.c.version).where(subscriptions.c.status != UNCONFIRMED)
        return {row.id: row.version for row in await self.connection.execute(statement)}

    async def subscribers(self, ids: Sequence[str]) -> list[Subscriber]:
        rows = await self.connection.execute(select(subscriptions).where(subscriptions.c.id.in_(ids)))
        return [_subscriber(row) for row in rows]

    async def take_numbers(self, subscription: str, count: int) -> int | None:
        """Reserve ``count`` numbers; return the first, or None if the subscription was deleted.

        The row stays locked until the commit, so that numbers have no gap.
        """
        last: int | None = (
            await self.connection.execute(
                update(subscriptions)
                .where(subscriptions.c.id == subscription)
                .values(last_number=subscriptions.c.last_number + count)
                .returning(subscriptions.c.last_number)
            )
        ).scalar_one_or_none()
        return None if last is None else last - count + 1


def _oldest_first(after: tuple[datetime, str] | None, limit: int) -> Select[Any]:
    key = (subscriptions.c.created_at, subscriptions.c.id)
    statement = select(subscriptions).where(IS_WEBHOOK).order_by(*key).limit(limit)
    return statement if after is None else statement.where(tuple_(*key) > after)


def _columns(asked: SubscriptionInput) -> dict[str, Any]:
    return {"url": asked.channel.url, "types": json.dumps(asked.types), "filter": asked.filter.model_dump_json()}


def _read(row: Row[Any]) -> Subscription:
    return Subscription(
        id=row.id,
        version=row.version,
        status=row.status,
        disabled_reason=row.disabled_reason,
        channel=WebhookChannel(type="webhook", url=row.url),
        types=json.loads(row.types),
        filter=SubscriptionFilter.model_validate_json(row.filter),
        two_signatures_until=row.former_until,
        last_number=row.last_number,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _subscriber(row: Row[Any]) -> Subscriber:
    wanted = json.loads(row.filter)
    facets = {name: frozenset(wanted[name]) for name in FACETS if wanted[name]}
    if wanted[TRIAL_FACET]:
        facets[TRIAL_FACET] = frozenset(map(alias_of, wanted[TRIAL_FACET]))
    reader = Reader(frozenset(json.loads(row.audiences)), facets, frozenset(json.loads(row.types)))
    return Subscriber(row.id, row.created_at, reader, row.frequency or "immediate")
