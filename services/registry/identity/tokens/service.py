"""A token for a client that proves who it is: the assertion is used up in the transaction that answers for it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import time
from typing import Any

from services.registry.identity.clients.repository import ClientRepository, HeldClient
from services.registry.identity.tokens.assertions import TokenRequest, check_assertion
from services.registry.identity.tokens.client_keys import ClientKeySets
from services.registry.identity.tokens.keys import SigningKeys
from services.registry.identity.tokens.problems import TokenRefusedError
from services.registry.identity.tokens.repository import IssuerRepository
from services.registry.identity.tokens.schemas import TokenAnswer
from shared.access.policy import services_of
from shared.access.principal import Credential
from shared.access.tokens import CLOCK_SKEW, LIFETIME, audience_of, issue
from shared.persistence import Database


@dataclass(frozen=True, slots=True)
class TokenService:
    """Issues tokens. ``token_url`` is what `smart` clients address their assertions to."""

    database: Database
    keys: SigningKeys
    key_sets: ClientKeySets
    issuer: str
    token_url: str

    async def identify(self, request: TokenRequest) -> tuple[HeldClient, str, int]:
        """The client behind a request, with the ``jti`` and ``exp`` of its assertion.

        :raises TokenRefusedError: it is not believed.
        """
        async with self.database.read(as_service=True) as connection:
            held = await ClientRepository(connection).held(request.client)
        if held is None or not held.usable or held.client.method != "private_key_jwt":
            raise TokenRefusedError("invalid_client", "unknown_client")
        keys = await self.key_sets.of(held.client, request.kid)
        audience = self.token_url if held.client.audience == "smart" else self.issuer
        return held, *check_assertion(request, keys, audience, int(time()))

    async def answer(self, connection: Any, request: TokenRequest, held: HeldClient, jti: str, exp: int) -> TokenAnswer:
        """Use the assertion up and issue a token.

        :raises TokenRefusedError: used before; or a scope that the client does not have.
        """
        scopes = frozenset(held.client.scopes)
        if request.scopes is not None:
            if not request.scopes <= scopes:
                raise TokenRefusedError("invalid_scope", "scope")
            scopes = request.scopes
        services = services_of(scopes)
        if request.resources:
            asked = {
                service
                for service in ("registry", "matching", "notifications")
                if audience_of(service) in request.resources
            }
            if len(asked) != len(request.resources):
                raise TokenRefusedError("invalid_target", "resource")
            services = asked
        # As long as the assertion could still be believed, its number is remembered.
        forget_at = datetime.fromtimestamp(exp + 2 * CLOCK_SKEW, UTC) + timedelta(seconds=1)
        if not await IssuerRepository(connection).use(held.client.id, jti, forget_at):
            raise TokenRefusedError("invalid_client", "replayed")
        again = await ClientRepository(connection).held(held.client.id)
        if again is None or not again.usable:
            raise TokenRefusedError("invalid_client", "unknown_client")
        issued_at = int(time())
        credential = Credential(
            client=again.client.id,
            organisation=again.client.organisation,
            kind=again.kind,
            roles=frozenset(again.client.roles),
            scopes=scopes,
            issued_at=issued_at,
            expires_at=issued_at + LIFETIME,
            centre=again.centre,
            version=again.client.version,
        )
        token = issue(await self.keys.active(connection), self.issuer, services, credential)
        return TokenAnswer(access_token=token, expires_in=LIFETIME, scope=" ".join(sorted(scopes)))
