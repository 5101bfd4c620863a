"""The registry's own directory: it reads what the other services learn from it (`shared.identity.directory`)."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import time

from services.registry.clients.keys import client_of, digest_of
from services.registry.clients.repository import ClientRepository
from services.registry.members.repository import MemberRepository
from services.registry.tokens.keys import SigningKeys
from services.registry.tokens.provider import IdentityProvider
from shared.database import Database
from shared.identity.directory import Jwk
from shared.identity.principal import Credential


@dataclass(frozen=True, slots=True)
class LocalDirectory:
    """Answers from the database; ``provider`` is the OpenID provider of the people, if there is one."""

    database: Database
    signing: SigningKeys
    provider: IdentityProvider | None

    async def keys(self, *, renewed: bool) -> Sequence[Jwk]:  # noqa: ARG002  always the present ones
        return await self.signing.public()

    async def introspect(self, credential: str) -> Credential | None:
        client = client_of(credential)
        if client is not None:
            return await self._of_key(client, credential)
        return None if self.provider is None else await self._of_person(self.provider, credential)

    async def _of_key(self, client: str, key: str) -> Credential | None:
        async with self.database.read() as connection:
            held = await ClientRepository(connection).held(client)
        if held is None or not held.usable or held.client.method != "api_key" or held.client.expires_at is None:
            return None
        digest, now = digest_of(key), datetime.now(UTC)
        if held.keys.digest is not None and hmac.compare_digest(held.keys.digest, digest):
            until = held.client.expires_at
        elif held.keys.former is not None and held.keys.former_until is not None and hmac.compare_digest(held.keys.former, digest):
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
            issued_at=int(time()) + 1,  # looked up just now: after whatever ended before
            expires_at=int(until.timestamp()),
            centre=held.centre,
        )

    async def _of_person(self, provider: IdentityProvider, token: str) -> Credential | None:
        claims = await provider.claims(token)
        if claims is None:
            return None
        async with self.database.read() as connection:
            held = await MemberRepository(connection).held(subject=(claims.issuer, claims.subject))
        if held is None or not held.usable:
            return None
        return Credential(
            client=held.member.id,
            organisation=held.member.organisation,
            kind=held.kind,
            roles=frozenset(held.member.roles),
            scopes=None,
            issued_at=int(time()) + 1,
            expires_at=claims.expires_at,
            centre=held.centre,
            human=held.member.id,
        )

    async def is_revoked(self, credential: Credential) -> bool:
        async with self.database.read() as connection:
            held = (
                await ClientRepository(connection).held(credential.client)
                if credential.human is None
                else await MemberRepository(connection).held(identifier=credential.client)
            )
        if held is None:
            return False
        return not held.usable or (held.tokens_ended_at is not None and credential.issued_at <= held.tokens_ended_at.timestamp())
