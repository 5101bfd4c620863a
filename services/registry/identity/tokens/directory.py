"""The directory of credentials inside the registry, read from its database (see `shared.access.directory`)."""

import asyncio
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from time import time

from services.registry.identity.clients.keys import client_of, digest_of
from services.registry.identity.clients.repository import ClientRepository
from services.registry.identity.credentials.repository import CredentialRepository
from services.registry.identity.members.repository import MemberRepository
from services.registry.identity.tokens.client_tokens import ClientTokens
from services.registry.identity.tokens.keys import SigningKeys
from services.registry.identity.tokens.provider import IdentityProvider
from services.registry.schema import FEED
from shared.access.directory import REVOKED, Directory, Revocation, State
from shared.access.fetched_keys import Jwk
from shared.access.principal import Credential
from shared.access.tokens import LONGEST
from shared.feed import Position
from shared.persistence import Database

POLL_SECONDS = 1.0
BATCH = 500


class LocalDirectory(Directory):
    """Verifies API keys and people's tokens, and follows revocations.

    Commits of this process take effect at once, those of other replicas within a second. ``provider``: the OpenID
    provider of members, if the installation has one. ``client_tokens``: verifies tokens that clients sign themselves.
    """

    def __init__(
        self,
        database: Database,
        signing: SigningKeys,
        provider: IdentityProvider | None,
        client_tokens: ClientTokens | None = None,
    ) -> None:
        super().__init__()
        self._client_tokens = client_tokens
        self._database = database
        self._signing = signing
        self._provider = provider
        self._at = Position(0, 0)
        self._committed: asyncio.Event | None = None
        self._reading = asyncio.Lock()

    async def learn(self) -> None:
        """Load the current state, before the first request."""
        self._committed = self._database.committed
        state, self._at = await self.state()
        self._learn(state)

    async def state(self) -> tuple[State, Position]:
        """Return keys and recent revocations, and the feed position from which to follow changes.

        The position is read first: a change between the two reads is seen twice rather than missed.
        """
        async with self._database.read(as_service=True) as connection:
            position = await FEED.position(connection)
        since = datetime.now(UTC) - timedelta(seconds=LONGEST)
        async with self._database.read(as_service=True) as connection:
            ended = await CredentialRepository(connection).ended_since(since)
        return State(await self._signing.public(), [Revocation(*one) for one in ended]), position

    async def step(self) -> None:
        await asyncio.sleep(POLL_SECONDS)
        if not self._database.is_sqlite:  # SQLite is written by this process only
            async with self._reading:
                await self._read_feed()

    async def _read_feed(self) -> None:
        while True:
            async with self._database.read(as_service=True) as connection:
                newest = await FEED.position(connection)
                entries = await FEED.read(connection, self._at.seq, BATCH, REVOKED)
            if newest.generation != self._at.generation or newest.seq < self._at.seq:
                await self.learn()  # restored from a backup: sequence numbers are used a second time
                return
            self._revoke(Revocation(entry.subject.partition("/")[2], entry.version) for entry in entries)
            self._at = Position(newest.generation, entries[-1].seq if len(entries) == BATCH else newest.seq)
            if len(entries) < BATCH:
                return

    async def _catch_up(self) -> None:
        if self._database.committed is self._committed:
            return
        async with self._reading:  # one query serves all waiting requests
            committed = self._database.committed
            if committed is not self._committed:
                await self._read_feed()
                self._committed = committed

    async def introspect(self, credential: str) -> Credential | None:
        await self._catch_up()
        return await super().introspect(credential)

    async def is_revoked(self, credential: Credential) -> bool:
        await self._catch_up()
        return await super().is_revoked(credential)

    async def _ask_keys(self) -> Sequence[Jwk]:
        return await self._signing.public()

    async def ask(self, credential: str, address: str | None = None) -> Credential | None:
        if address is not None:
            return None if self._client_tokens is None else await self._client_tokens.verify(credential, address)
        client = client_of(credential)
        if client is not None:
            return await self._from_key(client, credential)
        return None if self._provider is None else await self._from_person_token(self._provider, credential)

    async def _from_key(self, client: str, key: str) -> Credential | None:
        async with self._database.read(as_service=True) as connection:
            found = await ClientRepository(connection).registered(client)
        if found is None or not found.usable or found.client.method != "api_key" or found.client.expires_at is None:
            return None
        digest, now = digest_of(key), datetime.now(UTC)
        if found.keys.digest is not None and hmac.compare_digest(found.keys.digest, digest):
            until = found.client.expires_at
        elif (
            found.keys.former is not None
            and found.keys.former_until is not None
            and hmac.compare_digest(found.keys.former, digest)
        ):
            until = found.keys.former_until
        else:
            return None
        if until <= now:
            return None
        return Credential(
            client=client,
            organisation=found.client.organisation,
            kind=found.kind,
            roles=frozenset(found.client.roles),
            scopes=frozenset(found.client.scopes),
            issued_at=int(time()),
            expires_at=int(until.timestamp()),
            centre=found.centre,
            version=found.client.version,
        )

    async def _from_person_token(self, provider: IdentityProvider, token: str) -> Credential | None:
        claims = await provider.claims(token)
        if claims is None:
            return None
        async with self._database.read(as_service=True) as connection:
            found = await MemberRepository(connection).registered(claims.issuer, claims.subject)
        if found is None or not found.usable:
            return None
        return Credential(
            client=found.member.id,
            organisation=found.member.organisation,
            kind=found.kind,
            roles=frozenset(found.member.roles),
            scopes=None,
            issued_at=int(time()),
            expires_at=claims.expires_at,
            centre=found.centre,
            human=found.member.id,
            version=found.member.version,
        )
