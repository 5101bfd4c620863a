"""The SQL of idempotency keys."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.idempotency.tables import IdempotencyLog

DELETED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Claim:
    """The right of one call to take effect for a key. ``token`` distinguishes it from other claims of the same key."""

    id: str
    organisation: str | None
    route: str
    fingerprint: str
    token: str


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Held:
    """The row of a key. ``answer`` None: a call is in progress."""

    fingerprint: str
    answer: KeptAnswer | None


class IdempotencyRepository:
    """Keys, within one transaction."""

    def __init__(self, connection: AsyncConnection, log: IdempotencyLog) -> None:
        self.connection = connection
        self.keys = log.keys

    async def claim(self, claim: Claim, now: datetime, until: datetime) -> bool:
        """Take a key that is free or expired; False: another call has it."""
        insert = sqlite.insert if self.connection.dialect.name == "sqlite" else postgresql.insert
        row = {
            "id": claim.id,
            "organisation": claim.organisation,
            "route": claim.route,
            "fingerprint": claim.fingerprint,
            "claim": claim.token,
            "until": until,
            "status": None,
            "headers": None,
            "body": None,
        }
        statement = insert(self.keys).values(row)
        taken = statement.on_conflict_do_update(
            index_elements=[self.keys.c.id], set_=row, where=self.keys.c.until <= now
        )
        return bool((await self.connection.execute(taken)).rowcount == 1)

    async def held(self, claim: Claim) -> Held | None:
        row = (await self.connection.execute(select(self.keys).where(self.keys.c.id == claim.id))).one_or_none()
        if row is None:
            return None
        return Held(
            row.fingerprint, None if row.status is None else KeptAnswer(row.status, json.loads(row.headers), row.body)
        )

    async def keep(self, claim: Claim, answer: KeptAnswer, until: datetime) -> bool:
        """Store the answer; False: another call has claimed the key since, so the effect must be rolled back."""
        kept = await self.connection.execute(
            update(self.keys)
            .where(self.keys.c.id == claim.id, self.keys.c.claim == claim.token, self.keys.c.status.is_(None))
            .values(status=answer.status, headers=json.dumps(answer.headers), body=answer.body, until=until)
        )
        return bool(kept.rowcount == 1)

    async def release(self, claim: Claim) -> None:
        """Release a key whose call had no effect."""
        await self.connection.execute(
            delete(self.keys).where(
                self.keys.c.id == claim.id, self.keys.c.claim == claim.token, self.keys.c.status.is_(None)
            )
        )

    async def release_all(self) -> None:
        """Release every claim: when the one process of a SQLite file starts."""
        await self.connection.execute(delete(self.keys).where(self.keys.c.status.is_(None)))

    async def forget(self, now: datetime) -> int:
        """Delete a batch of expired rows; returns their number."""
        over = select(self.keys.c.id).where(self.keys.c.until <= now).limit(DELETED_AT_ONCE)
        return int(
            (
                await self.connection.execute(
                    delete(self.keys).where(self.keys.c.id.in_(over), self.keys.c.until <= now)
                )
            ).rowcount
        )
