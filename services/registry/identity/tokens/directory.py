"""The registry's own directory: it reads what the other services learn from it (`shared.access.directory`)."""

import asyncio
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from time import time

from services.registry.identity.clients.keys import client_of, digest_of
from services.registry.identity.clients.repository import ClientRepository
from services.registry.identity.credentials.repository import CredentialRepository
from services.registry.identity.members.repository import MemberRepository
from services.registry.identity.tokens.keys import SigningKeys
from services.registry.identity.tokens.provider import IdentityProvider
from services.registry.schema import FEED
from shared.access.directory import REVOKED, Directory, Revocation, State
from shared.access.fetched_keys import Jwk
from shared.access.principal import Credential
from shared.access.tokens import LONGEST
from shared.feed import Position
from shared.persistence import Database

LOOK_SECONDS = 1.0
READ_AT_ONCE = 500


class LocalDirectory(Directory):
    """Learns from the database: at once what this process has committed, within a second what another replica has.

    ``provider`` is the OpenID provider of the people, if there is one.
    """

    def __init__(self, database: Database, signing: SigningKeys, provider: IdentityProvider | None) -> None:
        super().__init__()
        self._database = database
        self._signing = signing
        self._provider = provider
        self._at = Position(0, 0)
        self._committed: asyncio.Event | None = None
        self._looking = asyncio.Lock()

    async def learn(self) -> None:
        """The present state, before the first caller."""
        self._committed = self._database.committed
        state, self._at = await self.state()
        self._learn(state)

    async def state(self) -> tuple[State, Position]:
        """What other services learn at their start, and the place in the feed where it goes on: taken before the rest was read."""
        async with self._database.read(as_service=True) as connection:
            position = await FEED.position(connection)
        since = datetime.now(UTC) - timedelta(seconds=LONGEST)
        async with self._database.read(as_service=True) as connection:
            ended = await CredentialRepository(connection).ended_since(since)
        return State(await self._signing.public(), [Revocation(*one) for one in ended]), position

    async def step(self) -> None:
        await asyncio.sleep(LOOK_SECONDS)
        if not self._database.is_sqlite:  # which no other process writes
            async with self._looking:
                await self._look()

    async def _look(self) -> None:
        while True:
            async with self._database.read(as_service=True) as connection:
                newest = await FEED.position(connection)
                entries = await FEED.read(connection, self._at.seq, READ_AT_ONCE, REVOKED)
            if newest.generation != self._at.generation or newest.seq < self._at.seq:
                await self.learn()  # the history lost its end, or is another one: its numbers come a second time
                return
            self._revoke(Revocation(entry.subject.partition("/")[2], entry.version) for entry in entries)
            self._at = Position(newest.generation, entries[-1].seq if len(entries) == READ_AT_ONCE else newest.seq)
            if len(entries) < READ_AT_ONCE:
                return

    async def _catch_up(self) -> None:
        if self._database.committed is self._committed:
            return
        async with self._looking:  # one looks for all
            committed = self._database.committed
            if committed is not self._committed:
                await self._look()
                self._committed = committed

    async def introspect(self, credential: str) -> Credential | None:
        await self._catch_up()
        return await super().introspect(credential)

    async def is_revoked(self, credential: Credential) -> bool:
        await self._catch_up()
        return await super().is_revoked(credential)

    async def _ask_keys(self) -> Sequence[Jwk]:
        return await self._signing.public()

    async def ask(self, credential: str) -> Credential | None:
        client = client_of(credential)
        if client is not None:
            return await self._of_key(client, credential)
        return None if self._provider is None else await self._of_person(self._provider, credential)

    async def _of_key(self, client: str, key: str) -> Credential | None:
        async with self._database.read(as_service=True) as connection:
            held = await ClientRepository(connection).held(client)
        if held is None or not held.usable or held.client.method != "api_key" or held.client.expires_at is None:
            return None
        digest, now = digest_of(key), datetime.now(UTC)
        if held.keys.digest is not None and hmac.compare_digest(held.keys.digest, digest):
            until = held.client.expires_at
        elif (
            held.keys.former is not None
            and held.keys.former_until is not None
            and hmac.compare_digest(held.keys.former, digest)
        ):
            until = held.keys.former_until
        else:
            return None
        if until <= now:
            return None
        return Credential(
            client=client,
            organisation=held.client.organisation,
            kind=held.kind,
            roles=frozenset(held.client.roles),
            scopes=frozenset(held.client.scopes),
            issued_at=int(time()),
            expires_at=int(until.timestamp()),
            centre=held.centre,
            version=held.client.version,
        )

    async def _of_person(self, provider: IdentityProvider, token: str) -> Credential | None:
        claims = await provider.claims(token)
        if claims is None:
            return None
        async with self._database.read(as_service=True) as connection:
            held = await MemberRepository(connection).held((claims.issuer, claims.subject))
        if held is None or not held.usable:
            return None
        return Credential(
            client=held.member.id,
            organisation=held.member.organisation,
            kind=held.kind,
            roles=frozenset(held.member.roles),
            scopes=None,
            issued_at=int(time()),
            expires_at=claims.expires_at,
            centre=held.centre,
            human=held.member.id,
            version=held.member.version,
        )
