"""Identification of callers: rights come from a verified token, the address from the gateway."""

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
# The identifier of its client, and its secret.
KEY_FORM = re.compile(rf"{KEY_PREFIX}([0-9a-f]{{32}})_([A-Za-z0-9_-]{{43}})")
IDENTIFY_SECONDS = 5.0
CACHED = 10_000
MAX_CREDENTIAL = 16 * 1024


class Callers:
    """Identifies the callers of one service.

    Until ``directory`` is set, only the internal token of the installation and the pinned keys are accepted.
    """

    def __init__(self, settings: ServiceSettings, service: str) -> None:
        self._settings = settings
        self._service = service
        self.directory: Directory | None = None
        self._verified: OrderedDict[bytes, tuple[str, Credential]] = OrderedDict()

    @cached_property
    def _pinned(self) -> Sequence[Jwk]:
        """Public keys of the issuer set by the operator: tokens are verified even before the registry was reached."""
        if self._settings.issuer_keys is None:
            return ()
        keys: list[Jwk] = json.loads(self._settings.issuer_keys.read_text(encoding="utf-8"))["keys"]
        return keys

    @cached_property
    def _is_closed(self) -> bool:
        """Return whether only this machine can call.

        Behind a proxy every caller seems to be on this machine; the public URL shows that there is one.
        """
        named = urlsplit(self._settings.public_url).hostname
        return all(
            one == "localhost" or is_loopback(one) for one in (self._settings.gateway_bind, named or "localhost")
        )

    async def identify(self, request: Request, *, signed_by_client: bool = False) -> Principal:
        """Return the principal of a request.

        ``signed_by_client``: also accept a token that a client signs itself for the address that it calls, as an EHR
        does for CDS Hooks.

        :raises UnauthenticatedError: 401, the credential is not valid; a bad token is never treated as none.
        :raises IdentityUnavailableError: 503, the credential cannot be checked at the moment.
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
                credential = await self._valid(token, self._address(request) if signed_by_client else None)
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
            credential.human is not None or not self._settings.oidc_issuer,
        )

    def _address(self, request: Request) -> str:
        return f"{self._settings.issuer}{request.url.path}"

    async def _valid(self, token: str, address: str | None) -> Credential:
        credential = await self._verified_credential(token, address)
        if credential.expires_at <= time():
            raise InvalidTokenError("expired")
        if self.directory is not None and await self.directory.is_revoked(credential):
            raise InvalidTokenError("revoked")
        return credential

    async def _verified_credential(self, token: str, address: str | None) -> Credential:
        digest = hashlib.sha256(token.encode()).digest()
        if (cached := self._verified.get(digest)) is not None:
            kid, credential = cached
            if any(key.get("kid") == kid for key in await self._keys(kid)):
                return credential
            self._verified.pop(digest, None)  # the key was withdrawn, and with it what it had signed
        if token.startswith(KEY_PREFIX):
            if not KEY_FORM.fullmatch(token):
                raise InvalidTokenError("form")
        else:
            _, claims = peek(token, MAX_CREDENTIAL)
            if self._settings.builtin_issuer and claims.get("iss") == self._settings.issuer:
                return await self._verify(token, digest)
            if not self._settings.oidc_issuer or claims.get("iss") != self._settings.oidc_issuer:
                return await self._signed_by_client(token, address)
        found = None if self.directory is None else await self.directory.introspect(token)
        if found is None:
            raise InvalidTokenError("unknown")
        return found

    async def _signed_by_client(self, token: str, address: str | None) -> Credential:
        found = None if self.directory is None or address is None else await self.directory.verify_once(token, address)
        if found is None:
            raise InvalidTokenError("iss")
        return found

    async def _verify(self, token: str, digest: bytes) -> Credential:
        kid = kid_of(token)
        found = verify(token, await self._keys(kid), self._settings.issuer, self._service, int(time()))
        self._verified[digest] = (kid, found)
        if len(self._verified) > CACHED:
            self._verified.popitem(last=False)
        return found

    async def _keys(self, kid: str) -> Sequence[Jwk]:
        pinned = [key for key in self._pinned if key.get("kid") == kid]
        if pinned or self.directory is None:
            return pinned
        return await self.directory.keys(kid)
