"""SQL for the issuer's signing keys and used assertions."""

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
    """A stored signing key, encrypted: `active` signs, `next` is published for later use, `retired` only verifies."""

    kid: str
    state: str
    sealed: bytes
    public: dict[str, Any]


@dataclass(frozen=True, slots=True)
class IssuerRepository:
    """The issuer's data in one transaction."""

    connection: AsyncConnection

    async def keys(self, retired_after: datetime) -> list[SealedKey]:
        """Return the published keys; of the retired ones, those retired after ``retired_after``."""
        published = (signing_keys.c.state != "retired") | (signing_keys.c.retired_at > retired_after)
        rows = await self.connection.execute(
            select(signing_keys).where(published).order_by(signing_keys.c.created_at, signing_keys.c.kid)
        )
        return [SealedKey(row.kid, row.state, row.sealed, json.loads(row.public)) for row in rows]

    async def add_key(self, key: SealedKey, now: datetime) -> bool:
        """Insert a key; return False if there is one in this state already, from another process."""
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

    async def next_published_at(self) -> datetime | None:
        """Return when the next key was published."""
        found: datetime | None = (
            await self.connection.execute(select(signing_keys.c.created_at).where(signing_keys.c.state == "next"))
        ).scalar()
        return found

    async def activate_next(self, now: datetime) -> bool:
        """Retire the active key and activate the next one; return False if another process did so first."""
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
        """Retire these keys."""
        await self.connection.execute(
            update(signing_keys).where(signing_keys.c.kid.in_(list(kids))).values(state="retired", retired_at=now)
        )

    async def delete_keys(self) -> None:
        """Delete all keys, including the active one."""
        await self.connection.execute(delete(signing_keys))

    async def delete_retired_keys(self, retired_before: datetime) -> None:
        """Delete keys retired before this instant: no valid token is signed with them."""
        await self.connection.execute(
            delete(signing_keys).where(signing_keys.c.state == "retired", signing_keys.c.retired_at < retired_before)
        )

    async def delete_used_assertions(self, now: datetime, limit: int) -> int:
        """Delete up to ``limit`` records of assertions that expired before ``now``; return how many."""
        used = used_assertions.c
        oldest = select(used.client, used.jti).where(used.forget_at < now).order_by(used.forget_at).limit(limit)
        dropped = await self.connection.execute(
            delete(used_assertions).where(tuple_(used.client, used.jti).in_(oldest))
        )
        return int(dropped.rowcount)

    async def use(self, client: str, jti: str, forget_at: datetime) -> bool:
        """Record an assertion as used; return False if it was used before, on any replica."""
        try:
            async with self.connection.begin_nested():
                await self.connection.execute(
                    insert(used_assertions).values(client=client, jti=jti, forget_at=forget_at)
                )
        except IntegrityError:
            return False
        return True
