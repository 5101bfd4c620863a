"""Begin, find, renew and end sessions."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

from services.portal.clients.api import Api
from services.portal.clients.problems import ApiError, ApiUnavailableError
from services.portal.sessions.model import Secret, Session, Source, Tokens, digest_of, new_id
from services.portal.sessions.repository import SessionRepository
from shared.persistence import Database
from shared.values.clock import Clock, utc_now
from shared.values.encryption import Seal

logger = logging.getLogger(__name__)

ME = "/registry/v1/me"
ME_SECONDS = 180
# Tokens are renewed this long before they expire, so that they last for the calls of a page.
RENEWED_BEFORE = 60
SWEEP_SECONDS = 60.0
# A use is written only when it prolongs the session noticeably.
TOUCHES_PER_IDLE = 30

# Returns new tokens; None: the issuer gives none any more.
Renewal = Callable[[Tokens], Awaitable[Tokens | None]]


class SessionEndedError(Exception):
    """The issuer of the tokens or the API does not accept this visitor any more."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long sessions last: unused, and at most."""

    idle: timedelta
    absolute: timedelta


class Sessions:
    """The sessions of the portal. ``renewals``: what renews tokens, by their source.

    ``api_of`` returns the API with the rights of an access token.
    """

    def __init__(
        self,
        database: Database,
        key: bytes,
        limits: SessionLimits,
        renewals: Mapping[Source, Renewal],
        api_of: Callable[[str], Api],
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._seal = Seal(key, "portal/sessions")
        self._limits = limits
        self._renewals = renewals
        self._api_of = api_of
        self._clock = clock
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def begin(self, tokens: Tokens, former: str | None = None) -> str:
        """Begin a session and return its id, which is always a new one. ``former``: the id of one that it replaces.

        :raises SessionEndedError: the API knows no such person.
        """
        now, identifier = self._clock(), new_id()
        secret = Secret(tokens, secrets.token_urlsafe(32), await self._me(tokens), int(now.timestamp()))
        session = Session(digest_of(identifier), now, now, now + self._limits.absolute, 1, secret)
        async with self._database.transaction(as_service=True) as connection:
            repository = SessionRepository(connection, self._seal)
            if former is not None:
                await repository.remove(digest_of(former))
            await repository.add(session)
        return identifier

    async def find(self, identifier: str) -> Session | None:
        """Return a session with valid tokens; None: there is none, or it is over."""
        digest, now = digest_of(identifier), self._clock()
        async with self._database.read(as_service=True) as connection:
            session = await SessionRepository(connection, self._seal).get(digest)
        if session is None or session.is_over(now, self._limits.idle):
            return None
        if now - session.seen_at >= self._limits.idle / TOUCHES_PER_IDLE:
            async with self._database.transaction(as_service=True) as connection:
                await SessionRepository(connection, self._seal).touch(digest, now)
        return await self._renewed(session) if _is_stale(session, now) else session

    async def end(self, identifier: str) -> Tokens | None:
        """End a session and return its tokens; None: there is none."""
        async with self._database.transaction(as_service=True) as connection:
            repository = SessionRepository(connection, self._seal)
            found = await repository.get(digest_of(identifier))
            await repository.remove(digest_of(identifier))
        return None if found is None else found.secret.tokens

    async def sweep(self) -> None:
        """Remove the sessions that are over, then wait."""
        now = self._clock()
        async with self._database.transaction(as_service=True) as connection:
            await SessionRepository(connection, self._seal).remove_old(now, now - self._limits.idle)
        await asyncio.sleep(SWEEP_SECONDS)

    async def _renewed(self, session: Session) -> Session | None:
        """Renew tokens and rights. Of concurrent requests one does the work: a refresh token is valid once."""
        lock = self._locks.setdefault(session.digest, asyncio.Lock())
        async with lock:
            current = await self._read(session.digest)
            if current is None or not _is_stale(current, self._clock()):
                return current
            try:
                secret = await self._renew(current.secret)
            except SessionEndedError:
                return await self._changed_elsewhere(current)
            async with self._database.transaction(as_service=True) as connection:
                stored = await SessionRepository(connection, self._seal).replace(replace(current, secret=secret))
            return stored or await self._read(session.digest)

    async def _changed_elsewhere(self, session: Session) -> Session | None:
        """Return the session as another replica renewed it meanwhile; otherwise end it."""
        current = await self._read(session.digest)
        if current is not None and current.version != session.version:
            return current
        async with self._database.transaction(as_service=True) as connection:
            await SessionRepository(connection, self._seal).remove(session.digest)
        return None

    async def _read(self, digest: str) -> Session | None:
        async with self._database.read(as_service=True) as connection:
            return await SessionRepository(connection, self._seal).get(digest)

    async def _renew(self, secret: Secret) -> Secret:
        now, tokens = self._clock(), secret.tokens
        if _expires_soon(tokens, now):
            tokens = await self._renewed_tokens(tokens, now)
        return replace(secret, tokens=tokens, me=await self._me(tokens), me_at=int(now.timestamp()))

    async def _renewed_tokens(self, tokens: Tokens, now: datetime) -> Tokens:
        """:raises SessionEndedError: the issuer refuses."""
        renew = self._renewals.get(tokens.source)
        found = await renew(tokens) if renew is not None and tokens.refresh else None
        if found is not None:
            return found
        if tokens.expires_at <= now.timestamp():
            raise SessionEndedError
        return tokens

    async def _me(self, tokens: Tokens) -> Mapping[str, Any]:
        """:raises SessionEndedError: the API does not accept the token."""
        try:
            found: Mapping[str, Any] = await self._api_of(tokens.access).get(ME)
        except ApiError as error:
            if error.status not in {401, 403, 404}:
                raise ApiUnavailableError from error
            raise SessionEndedError from None
        return found


def _is_stale(session: Session, now: datetime) -> bool:
    age = now.timestamp() - session.secret.me_at
    return age >= ME_SECONDS or _expires_soon(session.secret.tokens, now)


def _expires_soon(tokens: Tokens, now: datetime) -> bool:
    return tokens.expires_at - RENEWED_BEFORE <= now.timestamp()
