"""An OpenID provider whose access tokens are taken: its keys are found by discovery, through the guarded client."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from time import time
from typing import Any

from shared.identity.fetched_keys import FetchedKeys, KeysUnavailableError, Pace
from shared.identity.tokens import InvalidTokenError, check_header, check_times, peek, signed_claims
from shared.outbound import OutboundClient, OutboundError

logger = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "ES256", "PS256", "RS384", "ES384")
TYPES = ("at+jwt", "application/at+jwt", "jwt", None)
_OF_A_SIGN_IN = frozenset({"nonce", "at_hash", "c_hash", "s_hash", "events"})
LEEWAY = 5  # seconds after `exp`: two machines' clocks
PACE = Pace(held=600.0, renewed_after=10.0, retried_after=5.0)
LARGEST = 128 * 1024


@dataclass(frozen=True, slots=True)
class PersonClaims:
    """Who the provider says it is. ``expires_at``: epoch seconds."""

    issuer: str
    subject: str
    expires_at: int


class IdentityProvider:
    """One provider: ``issuer`` exactly as its tokens name it, ``audience`` whom they must be meant for."""

    def __init__(self, issuer: str, audience: str, outbound: OutboundClient) -> None:
        if not audience:
            raise ValueError("CLEIO_OIDC_AUDIENCE says whom the provider's tokens must be meant for: without it, any token of it would do")
        self._issuer = issuer
        self._audience = audience
        self._outbound = outbound
        self._keys = FetchedKeys(self._fetch_keys, PACE)

    async def claims(self, token: str) -> PersonClaims | None:
        """Who holds this token; None where it is not one to believe.

        :raises OSError: the provider's keys cannot be had at the moment.
        """
        try:
            header, _ = peek(token, 16 * 1024)
            kid = check_header(header, ALGORITHMS, TYPES)
            claims = signed_claims(token, await self._keys.having(kid), kid, header["alg"])
            return self._person(header, claims)
        except InvalidTokenError as error:
            logger.info("credential_refused", extra={"code": error.reason})
            return None

    def _person(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> PersonClaims:
        aud, subject = claims.get("aud"), claims.get("sub")
        if not _is_for_access(header, claims):
            raise InvalidTokenError("use")
        if claims.get("iss") != self._issuer:
            raise InvalidTokenError("iss")
        if self._audience not in ([aud] if isinstance(aud, str) else aud if isinstance(aud, list) else []):
            raise InvalidTokenError("aud")
        if not isinstance(subject, str) or not 1 <= len(subject) <= 255 or not subject.isprintable():
            raise InvalidTokenError("sub")
        return PersonClaims(self._issuer, subject, check_times(claims, int(time()), leeway=LEEWAY))

    async def _fetch_keys(self) -> list[Mapping[str, Any]]:
        document = await self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != self._issuer or not isinstance(document.get("jwks_uri"), str):
            raise KeysUnavailableError("another_issuer")
        keys = (await self._fetch(document["jwks_uri"])).get("keys")
        if not isinstance(keys, list):
            raise KeysUnavailableError("no_keys")
        return [key for key in keys if isinstance(key, Mapping)]

    async def _fetch(self, url: str) -> dict[str, Any]:
        try:
            answer = await self._outbound.send("GET", url, headers={"Accept": "application/json"}, max_answer=LARGEST)
            document = json.loads(answer.body)
        except (OutboundError, ValueError, RecursionError) as error:
            raise KeysUnavailableError(type(error).__name__) from None
        if answer.status != 200 or not isinstance(document, dict):
            raise KeysUnavailableError("unanswered")
        return document


def _is_for_access(header: Mapping[str, Any], claims: Mapping[str, Any]) -> bool:
    """Whether a token is none of those that tell an application of a sign-in or of its end: they lie about in browsers and logs."""
    if str(header.get("typ", "")).lower().endswith("at+jwt"):
        return True
    use = claims.get("typ")  # Keycloak's own word
    return use == "Bearer" if use is not None else not _OF_A_SIGN_IN & claims.keys()
