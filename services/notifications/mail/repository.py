"""SQL for e-mail subscriptions. They are rows of the same table as webhooks, and share their ledger."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, case, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.mail.limits import DAY
from services.notifications.mail.schemas import EmailChannel, MailSubscription, MailSubscriptionInput
from services.notifications.subscriptions.repository import UNCONFIRMED
from services.notifications.subscriptions.schemas import SubscriptionFilter
from services.notifications.tables import IS_EMAIL, consent_requests, subscriptions

SCHEME = "mailto:"


@dataclass(frozen=True, slots=True)
class NewMailRow:
    """The part of a new e-mail subscription that its owner does not choose. ``silent``: nothing is sent."""

    id: str
    owner: str
    audiences: Sequence[str]
    at: datetime
    silent: bool


class MailRepository:
    """E-mail subscriptions in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def count_request(self, digest: bytes, now: datetime) -> int:
        """Count a request for consent; return how many there were within a day of the first of them."""
        insert_into = sqlite.insert if self.connection.dialect.name == "sqlite" else postgresql.insert
        known = consent_requests.c
        over = known.since <= now - DAY
        counted = insert_into(consent_requests).values(digest=digest, since=now, requests=1)
        counted = counted.on_conflict_do_update(
            index_elements=[known.digest],
            set_={
                "since": case((over, counted.excluded.since), else_=known.since),
                "requests": case((over, 1), else_=known.requests + 1),
            },
        )
        return int((await self.connection.execute(counted.returning(known.requests))).scalar_one())

    async def forget_requests(self, now: datetime) -> None:
        """Delete the counts of days that are over."""
        await self.connection.execute(delete(consent_requests).where(consent_requests.c.since <= now - DAY))

    async def add(self, new: NewMailRow, asked: MailSubscriptionInput) -> None:
        await self.connection.execute(
            insert(subscriptions).values(
                id=new.id,
                owner=new.owner,
                audiences=json.dumps(sorted(new.audiences)),
                version=1,
                status=UNCONFIRMED,
                channel="email",
                url=SCHEME + asked.channel.address,
                sealed_secret=b"",
                silent=new.silent,
                last_number=0,
                created_at=new.at,
                updated_at=new.at,
                **_columns(asked),
            )
        )

    async def get(self, subscription: str, owner: str | None = None) -> MailSubscription | None:
        """Return one subscription, of this owner or, with None, of any."""
        statement = select(subscriptions).where(subscriptions.c.id == subscription, IS_EMAIL)
        if owner is not None:
            statement = statement.where(subscriptions.c.owner == owner)
        row = (await self.connection.execute(statement)).one_or_none()
        return None if row is None else _read(row)

    async def page(self, owner: str, after: tuple[datetime, str] | None, limit: int) -> list[MailSubscription]:
        """Return the owner's subscriptions, oldest first, those after ``after`` (created_at, id)."""
        key = (subscriptions.c.created_at, subscriptions.c.id)
        statement = select(subscriptions).where(IS_EMAIL, subscriptions.c.owner == owner).order_by(*key).limit(limit)
        if after is not None:
            statement = statement.where(tuple_(*key) > after)
        return [_read(row) for row in await self.connection.execute(statement)]

    async def of_address(self, owner: str, address: str) -> list[MailSubscription]:
        """Return the owner's subscriptions of an address, in any spelling of its letters."""
        statement = select(subscriptions).where(
            IS_EMAIL, subscriptions.c.owner == owner, func.lower(subscriptions.c.url) == (SCHEME + address).lower()
        )
        return [_read(row) for row in await self.connection.execute(statement)]

    async def count_unconfirmed(self, owner: str) -> int:
        """Return how many of the owner's subscriptions wait for the consent of their address."""
        statement = select(func.count()).where(
            IS_EMAIL, subscriptions.c.owner == owner, subscriptions.c.confirmed_at.is_(None)
        )
        found: int = (await self.connection.execute(statement)).scalar_one()
        return found

    async def replace(
        self, current: MailSubscription, asked: MailSubscriptionInput, status: str, reason: str | None, at: datetime
    ) -> bool:
        """Store the successor of ``current``; return False if another change came first."""
        return await self._change(
            current, status=status, disabled_reason=reason, refusals=0, updated_at=at, **_columns(asked)
        )

    async def confirm(self, current: MailSubscription, at: datetime) -> bool:
        """Record that the address agreed; return False if another change came first."""
        status = "active" if current.status == UNCONFIRMED else current.status
        return await self._change(current, status=status, confirmed_at=at, updated_at=at)

    async def _change(self, current: MailSubscription, **values: Any) -> bool:
        changed = await self.connection.execute(
            update(subscriptions)
            .where(subscriptions.c.id == current.id, subscriptions.c.version == current.version)
            .values(version=current.version + 1, **values)
        )
        return bool(changed.rowcount == 1)

    async def delete(self, subscription: str, version: int | None = None) -> bool:
        """Delete it with its deliveries; return False if there is no such version (None: any)."""
        statement = delete(subscriptions).where(subscriptions.c.id == subscription, IS_EMAIL)
        if version is not None:
            statement = statement.where(subscriptions.c.version == version)
        return bool((await self.connection.execute(statement)).rowcount == 1)

    async def delete_unconfirmed(self, before: datetime) -> int:
        """Delete those whose address had not agreed when ``before`` came; return how many."""
        statement = delete(subscriptions).where(
            IS_EMAIL, subscriptions.c.confirmed_at.is_(None), subscriptions.c.updated_at < before
        )
        return (await self.connection.execute(statement)).rowcount


def _columns(asked: MailSubscriptionInput) -> dict[str, Any]:
    return {
        "language": asked.channel.language,
        "frequency": asked.channel.frequency,
        "types": json.dumps(asked.types),
        "filter": asked.filter.model_dump_json(),
    }


def _read(row: Row[Any]) -> MailSubscription:
    return MailSubscription(
        id=row.id,
        version=row.version,
        status=row.status,
        disabled_reason=row.disabled_reason,
        channel=EmailChannel(
            type="email", address=row.url.removeprefix(SCHEME), language=row.language, frequency=row.frequency
        ),
        types=json.loads(row.types),
        filter=SubscriptionFilter.model_validate_json(row.filter),
        last_number=row.last_number,
        confirmed_at=row.confirmed_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
