"""Who is calling: the rights come from a verified token alone, the address from the gateway alone."""

import asyncio
import hashlib
import hmac
import json
import logging
import re
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from time import time
from urllib.parse import urlsplit

from fastapi import Request

from shared.access.address import is_loopback, on_loopback
from shared.access.directory import Directory
from shared.access.fetched_keys import Jwk
from shared.access.principal import Credential, Principal
from shared.access.tokens import InvalidTokenError, kid_of, peek, verify
from shared.settings import ServiceSettings
from shared.values.problems import IdentityUnavailableError, UnauthenticatedError

logger = logging.getLogger(__name__)

KEY_PREFIX = "cleio_"
# Its client's identifier, and its secret.
KEY_FORM = re.compile(rf"{KEY_PREFIX}([0-9a-f]{{32}})_([A-Za-z0-9_-]{{43}})")
IDENTIFY_SECONDS = 5.0
MOST_HELD = 10_000
MAX_CREDENTIAL = 16 * 1024


class Callers:
    """Tells one service who calls it. Until ``directory`` is set, only the service's own secrets and the pinned keys are believed."""

    def __init__(self, settings: ServiceSettings, service: str) -> None:
        self._settings = settings
        self._service = service
        self.directory: Directory | None = None
        self._verified: OrderedDict[bytes, tuple[str, Credential]] = OrderedDict()

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
        return all(
            one == "localhost" or is_loopback(one) for one in (self._settings.gateway_bind, named or "localhost")
        )

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
        if (
            len(given) > 1
            or scheme.lower() != "bearer"
            or not token
            or len(token) > MAX_CREDENTIAL
            or not token.isascii()
        ):
            raise UnauthenticatedError
        if hmac.compare_digest(token.encode(), self._settings.internal_token.get_secret_value().encode()):
            return Principal("service", local, closed)
        try:
            async with asyncio.timeout(IDENTIFY_SECONDS):
                credential = await self._valid(token)
        except InvalidTokenError as error:
            logger.info("credential_refused", extra={"code": error.reason})
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
        digest = hashlib.sha256(token.encode()).digest()
        if (held := self._verified.get(digest)) is not None:
            kid, credential = held
            if any(key.get("kid") == kid for key in await self._keys(kid)):
                return credential
            self._verified.pop(digest, None)  # a key that was withdrawn takes with it what it had signed
        if token.startswith(KEY_PREFIX):
            if not KEY_FORM.fullmatch(token):
                raise InvalidTokenError("form")
        else:
            _, claims = peek(token, MAX_CREDENTIAL)
            if self._settings.builtin_issuer and claims.get("iss") == self._settings.issuer:
                return await self._verify(token, digest)
            if not self._settings.oidc_issuer or claims.get("iss") != self._settings.oidc_issuer:
                raise InvalidTokenError("iss")
        found = None if self.directory is None else await self.directory.introspect(token)
        if found is None:
            raise InvalidTokenError("unknown")
        return found

    async def _verify(self, token: str, digest: bytes) -> Credential:
        kid = kid_of(token)
        found = verify(token, await self._keys(kid), self._settings.issuer, self._service, int(time()))
        self._verified[digest] = (kid, found)
        if len(self._verified) > MOST_HELD:
            self._verified.popitem(last=False)
        return found

    async def _keys(self, kid: str) -> Sequence[Jwk]:
        pinned = [key for key in self._pinned if key.get("kid") == kid]
        if pinned or self.directory is None:
            return pinned
        return await self.directory.keys(kid)
