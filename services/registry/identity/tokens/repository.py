"""The only SQL about the issuer's keys and used assertions."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.identity.tokens.tables import signing_keys, used_assertions


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A signing key as it is kept: `active` signs, `next` is announced, `retired` still verifies."""

    kid: str
    state: str
    sealed: bytes
    public: dict[str, Any]


@dataclass(frozen=True, slots=True)
class IssuerRepository:
    """The issuer's own data in one transaction."""

    connection: AsyncConnection

    async def keys(self, retired_after: datetime) -> list[SealedKey]:
        """Those that are published; of the retired ones those that were retired after this."""
        published = (signing_keys.c.state != "retired") | (signing_keys.c.retired_at > retired_after)
        rows = await self.connection.execute(
            select(signing_keys).where(published).order_by(signing_keys.c.created_at, signing_keys.c.kid)
        )
        return [SealedKey(row.kid, row.state, row.sealed, json.loads(row.public)) for row in rows]

    async def add_key(self, key: SealedKey, now: datetime) -> bool:
        """False when another process keeps one in this state already."""
        try:
            async with self.connection.begin_nested():
                await self.connection.execute(
                    insert(signing_keys).values(
                        kid=key.kid,
                        state=key.state,
                        sealed=key.sealed,
                        public=json.dumps(key.public),
                        created_at=now,
                        retired_at=None,
                    )
                )
        except IntegrityError:
            return False
        return True

    async def announced_at(self) -> datetime | None:
        """Since when the announced key is published."""
        found: datetime | None = (
            await self.connection.execute(select(signing_keys.c.created_at).where(signing_keys.c.state == "next"))
        ).scalar()
        return found

    async def turn(self, now: datetime) -> bool:
        """Retire the active key and let the announced one sign; False when another process did."""
        retired = await self.connection.execute(
            update(signing_keys).where(signing_keys.c.state == "active").values(state="retired", retired_at=now)
        )
        if retired.rowcount != 1:
            return False
        raised = await self.connection.execute(
            update(signing_keys).where(signing_keys.c.state == "next").values(state="active")
        )
        return bool(raised.rowcount == 1)

    async def retire(self, kids: Iterable[str], now: datetime) -> None:
        """They sign no more."""
        await self.connection.execute(
            update(signing_keys).where(signing_keys.c.kid.in_(list(kids))).values(state="retired", retired_at=now)
        )

    async def drop_keys(self) -> None:
        """All of them, also those that sign."""
        await self.connection.execute(delete(signing_keys))

    async def forget_keys(self, retired_before: datetime) -> None:
        """Drop those that no valid token was signed with."""
        await self.connection.execute(
            delete(signing_keys).where(signing_keys.c.state == "retired", signing_keys.c.retired_at < retired_before)
        )

    async def forget_assertions(self, now: datetime, limit: int) -> int:
        """Drop up to ``limit`` of those that nobody would believe any more; how many they were."""
        used = used_assertions.c
        oldest = select(used.client, used.jti).where(used.forget_at < now).order_by(used.forget_at).limit(limit)
        dropped = await self.connection.execute(
            delete(used_assertions).where(tuple_(used.client, used.jti).in_(oldest))
        )
        return int(dropped.rowcount)

    async def use(self, client: str, jti: str, forget_at: datetime) -> bool:
        """Note an assertion as used; False when it was used before, whenever and on whichever replica."""
        try:
            async with self.connection.begin_nested():
                await self.connection.execute(
                    insert(used_assertions).values(client=client, jti=jti, forget_at=forget_at)
                )
        except IntegrityError:
            return False
        return True
