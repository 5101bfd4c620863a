"""Who is calling: the rights come from a verified token alone, the address from the gateway alone."""

import hashlib
import hmac
import json
import logging
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from time import time
from urllib.parse import urlsplit

from fastapi import Request

from shared.identity.address import is_loopback, on_loopback
from shared.identity.directory import Directory, Jwk
from shared.identity.principal import Credential, Principal
from shared.identity.tokens import InvalidTokenError, peek, verify
from shared.problems import IdentityUnavailableError, UnauthenticatedError
from shared.settings import ServiceSettings

logger = logging.getLogger(__name__)

KEY_PREFIX = "cleio_"
MOST_HELD = 10_000
MAX_CREDENTIAL = 16 * 1024
VERIFIED_SECONDS = 60.0  # a signature is looked at again after so long: its key may be out of use


class Callers:
    """Tells one service who calls it. Until ``directory`` is set, only the service's own secrets and the pinned keys are believed."""

    def __init__(self, settings: ServiceSettings, service: str) -> None:
        self._settings = settings
        self._service = service
        self.directory: Directory | None = None
        self._verified: OrderedDict[bytes, tuple[float, Credential]] = OrderedDict()

    @cached_property
    def _pinned(self) -> Sequence[Jwk]:
        """Public keys of the issuer that the operator gave: tokens are verified even where the registry was never reached."""
        if self._settings.issuer_keys is None:
            return ()
        keys: list[Jwk] = json.loads(self._settings.issuer_keys.read_text(encoding="utf-8"))["keys"]
        return keys

    @cached_property
    def _is_closed(self) -> bool:
        """Whether only this machine can call. Behind a proxy that takes calls from elsewhere every caller looks near: the public address tells."""
        named = urlsplit(self._settings.public_url).hostname
        return all(one == "localhost" or is_loopback(one) for one in (self._settings.gateway_bind, named or "localhost"))

    async def identify(self, request: Request) -> Principal:
        """The principal of a request.

        :raises UnauthenticatedError: 401, when something is given that is not believed: a bad token is never treated as none.
        :raises IdentityUnavailableError: 503, when it can be neither believed nor refused now.
        """
        local = on_loopback(request)
        closed = local and self._is_closed
        given = request.headers.getlist("authorization")
        if not given:
            return Principal("public", local, closed)
        scheme, _, token = given[0].partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer" or not token or len(token) > MAX_CREDENTIAL or not token.isascii():
            raise UnauthenticatedError
        if hmac.compare_digest(token.encode(), self._settings.internal_token.get_secret_value().encode()):
            return Principal("service", local, closed)
        try:
            credential = await self._valid(token)
        except InvalidTokenError as error:
            logger.info("credential_refused", extra={"code": error.reason, "request_id": request.scope.get("cleio_request_id")})
            raise UnauthenticatedError('Bearer error="invalid_token"') from None
        except OSError:
            raise IdentityUnavailableError from None
        return Principal(
            credential.kind,
            local,
            closed,
            credential.organisation,
            credential.client,
            credential.human,
            credential.centre,
            credential.roles,
            credential.scopes,
        )

    async def _valid(self, token: str) -> Credential:
        credential = await self._believe(token)
        if credential.expires_at <= time():
            raise InvalidTokenError("expired")
        if self.directory is not None and await self.directory.is_revoked(credential):
            raise InvalidTokenError("revoked")
        return credential

    async def _believe(self, token: str) -> Credential:
        if not token.startswith(KEY_PREFIX):
            _, claims = peek(token, MAX_CREDENTIAL)
            if self._settings.builtin_issuer and claims.get("iss") == self._settings.issuer:
                return await self._verify(token)
            if not self._settings.oidc_issuer or claims.get("iss") != self._settings.oidc_issuer:
                raise InvalidTokenError("iss")
        found = None if self.directory is None else await self.directory.introspect(token)
        if found is None:
            raise InvalidTokenError("unknown")
        return found

    async def _verify(self, token: str) -> Credential:
        digest = hashlib.sha256(token.encode()).digest()
        verified_at, held = self._verified.get(digest, (0.0, None))
        if held is not None and time() - verified_at < VERIFIED_SECONDS:
            return held
        now = int(time())
        try:
            found = verify(token, [*self._pinned, *await self._keys(renewed=False)], self._settings.issuer, self._service, now)
        except InvalidTokenError as error:
            if error.reason != "unknown_key":
                raise
            found = verify(token, [*self._pinned, *await self._keys(renewed=True)], self._settings.issuer, self._service, now)
        self._verified[digest] = (time(), found)
        if len(self._verified) > MOST_HELD:
            self._verified.popitem(last=False)
        return found

    async def _keys(self, *, renewed: bool) -> Sequence[Jwk]:
        if self.directory is None:
            return ()
        try:
            return await self.directory.keys(renewed=renewed)
        except OSError:
            if self._pinned:
                return ()
            raise
