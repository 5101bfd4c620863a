"""The only SQL about keys."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.idempotency.tables import IdempotencyLog

FORGOTTEN_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Claim:
    """One call's right to take effect for a key. ``token`` tells it from every other claim of the same key."""

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
    """What stands under a key. ``answer`` None: a call is under way."""

    fingerprint: str
    answer: KeptAnswer | None


class IdempotencyRepository:
    """Keys in one transaction."""

    def __init__(self, connection: AsyncConnection, log: IdempotencyLog) -> None:
        self.connection = connection
        self.keys = log.keys

    async def claim(self, claim: Claim, now: datetime, until: datetime) -> bool:
        """Take a key that is free, or whose time is over; False: another holds it."""
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
        """Lay the answer under the key; False: the claim was another's by then, and the effect must not stand."""
        kept = await self.connection.execute(
            update(self.keys)
            .where(self.keys.c.id == claim.id, self.keys.c.claim == claim.token, self.keys.c.status.is_(None))
            .values(status=answer.status, headers=json.dumps(answer.headers), body=answer.body, until=until)
        )
        return bool(kept.rowcount == 1)

    async def release(self, claim: Claim) -> None:
        """Give a key back that nothing came of."""
        await self.connection.execute(
            delete(self.keys).where(
                self.keys.c.id == claim.id, self.keys.c.claim == claim.token, self.keys.c.status.is_(None)
            )
        )

    async def release_all(self) -> None:
        """Give every claim back: for the one process of a SQLite file, when it starts."""
        await self.connection.execute(delete(self.keys).where(self.keys.c.status.is_(None)))

    async def forget(self, now: datetime) -> int:
        """Drop a batch of what is past its time; how many rows went."""
        over = select(self.keys.c.id).where(self.keys.c.until <= now).limit(FORGOTTEN_AT_ONCE)
        return int(
            (
                await self.connection.execute(
                    delete(self.keys).where(self.keys.c.id.in_(over), self.keys.c.until <= now)
                )
            ).rowcount
        )
