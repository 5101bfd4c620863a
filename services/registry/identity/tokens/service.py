"""Decisions about token requests: who the client is, and which token it gets."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from services.registry.identity.clients.repository import ClientRepository, RegisteredClient
from services.registry.identity.tokens.assertions import TokenRequest, check_assertion, check_claims
from services.registry.identity.tokens.client_keys import ClientKeySets
from services.registry.identity.tokens.keys import SigningKeys
from services.registry.identity.tokens.problems import TokenRefusedError
from services.registry.identity.tokens.repository import IssuerRepository
from services.registry.identity.tokens.schemas import TokenAnswer
from shared.access.policy import SCOPED, services_of
from shared.access.principal import Credential, Principal
from shared.access.tokens import CLOCK_SKEW, LIFETIME, audience_of, issue
from shared.persistence import Database
from shared.values.clock import Clock, utc_now

SERVICES = frozenset(service for services in SCOPED.values() for service in services)


@dataclass(frozen=True, slots=True)
class AuthenticatedClient:
    """A client that has proved its identity. ``jti`` and ``exp`` (epoch seconds) are those of its assertion."""

    registered: RegisteredClient
    jti: str
    exp: int

    @property
    def principal(self) -> Principal:
        """The caller, as the audit log records it."""
        client = self.registered.client
        return Principal(self.registered.kind, organisation=client.organisation, client=client.id)


class TokenService:
    """Issues access tokens. ``issuer`` and ``token_url`` are the audiences that assertions may name."""

    def __init__(
        self,
        database: Database,
        keys: SigningKeys,
        key_sets: ClientKeySets,
        issuer: str,
        token_url: str,
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._keys = keys
        self._key_sets = key_sets
        self._issuer = issuer
        self._token_url = token_url
        self._clock = clock

    async def authenticate(self, request: TokenRequest) -> AuthenticatedClient:
        """Verify the assertion of a request.

        :raises TokenRefusedError: it does not prove the identity of an active client.
        """
        now = int(self._clock().timestamp())
        check_claims(request, self._issuer, self._token_url, now)
        async with self._database.read(as_service=True) as connection:
            found = await ClientRepository(connection).registered(request.client)
        if found is None or not found.usable or found.client.method != "private_key_jwt":
            raise TokenRefusedError("invalid_client", "unknown_client")
        keys = await self._key_sets.get(found.client, request.kid)
        audience = self._token_url if found.client.audience == "smart" else self._issuer
        jti, exp = check_assertion(request, keys, audience, now)
        # SMART: a jku names the registered URL. It is never fetched.
        if request.jku is not None and found.client.jwks_url not in {None, request.jku}:
            raise TokenRefusedError("invalid_client", "jku")
        return AuthenticatedClient(found, jti, exp)

    async def issue(self, request: TokenRequest, authenticated: AuthenticatedClient) -> TokenAnswer:
        """Issue a token and mark the assertion as used, in one transaction.

        :raises TokenRefusedError: the assertion was used before, the client lacks a scope, or a service is unknown.
        """
        client = authenticated.registered.client
        scopes = _granted_scopes(request, frozenset(client.scopes))
        services = _audience(request, scopes)
        async with self._database.transaction(as_service=True) as connection:
            await self._use_up(connection, authenticated)
            # Read again: the client may have been revoked since it was authenticated.
            found = await ClientRepository(connection).registered(client.id)
            if found is None or not found.usable:
                raise TokenRefusedError("invalid_client", "unknown_client")
            credential = _credential(found, scopes, int(self._clock().timestamp()))
            token = issue(await self._keys.active(connection), self._issuer, services, credential)
        return TokenAnswer(access_token=token, expires_in=LIFETIME, scope=" ".join(sorted(scopes)))

    async def _use_up(self, connection: Any, authenticated: AuthenticatedClient) -> None:
        """Store the `jti` for as long as the assertion could be accepted."""
        forget_at = datetime.fromtimestamp(authenticated.exp + 2 * CLOCK_SKEW, UTC) + timedelta(seconds=1)
        client = authenticated.registered.client.id
        if not await IssuerRepository(connection).use(client, authenticated.jti, forget_at):
            raise TokenRefusedError("invalid_client", "replayed")


def _granted_scopes(request: TokenRequest, registered: frozenset[str]) -> frozenset[str]:
    if request.scopes is None:
        return registered
    if not request.scopes <= registered:
        raise TokenRefusedError("invalid_scope", "scope")
    return request.scopes


def _audience(request: TokenRequest, scopes: frozenset[str]) -> set[str]:
    """Return the services of the token: those that the request names (RFC 8707), else all that the scopes are for."""
    if not request.resources:
        return services_of(scopes)
    named = {service for service in SERVICES if audience_of(service) in request.resources}
    if len(named) != len(request.resources):
        raise TokenRefusedError("invalid_target", "resource")
    return named


def _credential(found: RegisteredClient, scopes: frozenset[str], now: int) -> Credential:
    return Credential(
        client=found.client.id,
        organisation=found.client.organisation,
        kind=found.kind,
        roles=frozenset(found.client.roles),
        scopes=scopes,
        issued_at=now,
        expires_at=now + LIFETIME,
        centre=found.centre,
        version=found.client.version,
    )
