"""Tokens that a client signs itself for the address that it calls, as an EHR does for CDS Hooks 2.0.

The client is named by ``iss`` (its id here), or by the header ``jku`` where that is the address of its registered keys;
nothing is ever fetched from another address than the registered one.
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from services.registry.identity.clients.repository import ClientRepository, RegisteredClient
from services.registry.identity.tokens.assertions import ALGORITHMS, MAX_ASSERTION, MAX_JTI
from services.registry.identity.tokens.client_keys import ClientKeySets
from services.registry.identity.tokens.problems import TokenRefusedError
from services.registry.identity.tokens.repository import IssuerRepository
from shared.access.principal import Credential
from shared.access.tokens import CLOCK_SKEW, LIFETIME, InvalidTokenError, check_header, check_times, peek, signed_claims
from shared.persistence import Database
from shared.values.clock import Clock, utc_now

logger = logging.getLogger(__name__)

TYPES: Final = ("jwt", None)
_MAX_ID: Final = 64
_MAX_URL: Final = 2_000


class ClientTokens:
    """Verifies such tokens. Each is valid once, for at most five minutes."""

    def __init__(self, database: Database, key_sets: ClientKeySets, clock: Clock = utc_now) -> None:
        self._database = database
        self._key_sets = key_sets
        self._clock = clock

    async def verify(self, token: str, address: str) -> Credential | None:
        """Return the rights of the client that signed the token for this address; None where it is not valid."""
        try:
            return await self._verify(token, address)
        except (InvalidTokenError, TokenRefusedError) as error:
            reason = error.reason if isinstance(error, InvalidTokenError) else "keys"
            logger.info("client_token_refused", extra={"code": reason})
            return None

    async def _verify(self, token: str, address: str) -> Credential:
        header, claims = peek(token, MAX_ASSERTION)
        kid = check_header(header, ALGORITHMS, TYPES)
        now = int(self._clock().timestamp())
        async with self._database.read(as_service=True) as connection:
            found = await _client(ClientRepository(connection), header, claims)
        if found is None or not found.usable or found.client.method != "private_key_jwt":
            raise InvalidTokenError("unknown_client")
        keys = await self._key_sets.get(found.client, kid)
        signed = signed_claims(token, keys, kid, header["alg"])
        jti, exp = _checked(signed, address, now)
        forget_at = datetime.fromtimestamp(exp + 2 * CLOCK_SKEW, UTC) + timedelta(seconds=1)
        async with self._database.transaction(as_service=True) as connection:
            if not await IssuerRepository(connection).use(found.client.id, jti, forget_at):
                raise InvalidTokenError("replayed")
        return Credential(
            client=found.client.id,
            organisation=found.client.organisation,
            kind=found.kind,
            roles=frozenset(found.client.roles),
            scopes=frozenset(found.client.scopes),
            issued_at=now,
            expires_at=exp + CLOCK_SKEW,
            centre=found.centre,
            version=found.client.version,
        )


async def _client(clients: ClientRepository, header: dict[str, Any], claims: dict[str, Any]) -> RegisteredClient | None:
    issuer, url = claims.get("iss"), header.get("jku")
    if isinstance(issuer, str) and len(issuer) <= _MAX_ID and issuer.isprintable():
        found = await clients.registered(issuer)
        if found is not None:
            return found
    if isinstance(url, str) and len(url) <= _MAX_URL and url.isprintable():
        return await clients.publishing_at(url)
    return None


def _checked(claims: dict[str, Any], address: str, now: int) -> tuple[str, int]:
    audience = claims.get("aud")
    if address not in (audience if isinstance(audience, list) else [audience]):
        raise InvalidTokenError("aud")
    exp = check_times(claims, now, leeway=CLOCK_SKEW)
    if exp > now + LIFETIME + CLOCK_SKEW:
        raise InvalidTokenError("exp_too_far")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= MAX_JTI or not jti.isprintable():
        raise InvalidTokenError("jti")
    return jti, exp
