"""The SQL of sessions."""

import json
from dataclasses import replace
from datetime import datetime

from cryptography.exceptions import InvalidTag
from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.portal.sessions.model import Secret, Session
from services.portal.sessions.tables import sessions
from shared.values.encryption import Seal


class SessionRepository:
    """Reads and writes sessions. ``seal`` encrypts their secrets, each bound to its session."""

    def __init__(self, connection: AsyncConnection, seal: Seal) -> None:
        self._connection = connection
        self._seal = seal

    async def get(self, digest: str) -> Session | None:
        """Return a session; None: there is none, or another installation sealed it."""
        row = (await self._connection.execute(select(sessions).where(sessions.c.digest == digest))).one_or_none()
        if row is None:
            return None
        try:
            secret = Secret.read(json.loads(self._seal.open(digest, row.sealed)))
        except InvalidTag:
            return None
        return Session(row.digest, row.created_at, row.seen_at, row.ends_at, row.version, secret)

    async def add(self, session: Session) -> None:
        """Store a new session."""
        await self._connection.execute(
            insert(sessions).values(
                digest=session.digest,
                created_at=session.created_at,
                seen_at=session.seen_at,
                ends_at=session.ends_at,
                version=session.version,
                sealed=self._sealed(session),
            )
        )

    async def touch(self, digest: str, now: datetime) -> None:
        """Record that a session is in use."""
        await self._connection.execute(
            update(sessions).where(sessions.c.digest == digest, sessions.c.seen_at < now).values(seen_at=now)
        )

    async def replace(self, session: Session) -> Session | None:
        """Store a changed secret; None: another process changed or ended the session in the meantime."""
        changed = replace(session, version=session.version + 1)
        done = await self._connection.execute(
            update(sessions)
            .where(sessions.c.digest == session.digest, sessions.c.version == session.version)
            .values(sealed=self._sealed(changed), version=changed.version)
        )
        return changed if done.rowcount else None

    async def remove(self, digest: str) -> None:
        """End a session."""
        await self._connection.execute(delete(sessions).where(sessions.c.digest == digest))

    async def remove_old(self, now: datetime, unused_since: datetime) -> int:
        """Remove sessions that are over, and return their number."""
        old = or_(sessions.c.ends_at <= now, sessions.c.seen_at <= unused_since)
        return (await self._connection.execute(delete(sessions).where(old))).rowcount

    def _sealed(self, session: Session) -> bytes:
        return self._seal.seal(session.digest, json.dumps(session.secret.write()).encode())
