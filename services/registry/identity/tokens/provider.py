"""Access tokens of people, issued by the installation's OpenID provider. Its keys are found by discovery."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from time import time
from typing import Any

from shared.access.fetched_keys import FetchedKeys
from shared.access.openid_documents import ALGORITHMS, PACE, OpenIdDocuments
from shared.access.tokens import InvalidTokenError, check_header, check_times, is_name, peek, signed_claims
from shared.clients.outbound import OutboundClient

logger = logging.getLogger(__name__)

NAMED_TYPES = ("at+jwt", "application/at+jwt")
TYPES = (*NAMED_TYPES, "jwt", None)
LEEWAY = 5  # seconds after `exp`, for a difference between the clocks
# Claims of ID tokens and logout tokens only. Those are for the program that signs a person in; browsers see them.
_NOT_ACCESS_CLAIMS = frozenset({"nonce", "at_hash", "c_hash", "s_hash", "events"})
# Claims of access tokens only.
_ACCESS_CLAIMS = frozenset({"scope", "scp"})


@dataclass(frozen=True, slots=True)
class PersonClaims:
    """The person that a token identifies. ``expires_at``: epoch seconds."""

    issuer: str
    subject: str
    expires_at: int


class IdentityProvider:
    """One OpenID provider. ``issuer`` and ``audience``: the `iss` and `aud` that its tokens must have."""

    def __init__(self, issuer: str, audience: str, outbound: OutboundClient) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = FetchedKeys(OpenIdDocuments(issuer, outbound).keys, PACE)

    async def claims(self, token: str) -> PersonClaims | None:
        """Verify an access token; return None if it is not valid.

        :raises OSError: the provider's keys cannot be fetched at the moment.
        """
        try:
            header, _ = peek(token, 16 * 1024)
            kid = check_header(header, ALGORITHMS, TYPES)
            claims = signed_claims(token, await self._keys.having(kid), kid, header["alg"])
            _check_use(header, claims)
            return self._person(claims)
        except InvalidTokenError as error:
            logger.info("credential_refused", extra={"code": error.reason})
            return None

    def _person(self, claims: Mapping[str, Any]) -> PersonClaims:
        aud, subject = claims.get("aud"), claims.get("sub")
        if claims.get("iss") != self._issuer:
            raise InvalidTokenError("iss")
        if self._audience not in ([aud] if isinstance(aud, str) else aud if isinstance(aud, list) else []):
            raise InvalidTokenError("aud")
        if not is_name(subject):
            raise InvalidTokenError("sub")
        return PersonClaims(self._issuer, subject, check_times(claims, int(time()), leeway=LEEWAY))


def _check_use(header: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """Check that a token is an access token, by its type (RFC 9068) or, as some providers set none, by its claims.

    :raises InvalidTokenError: an ID token, a logout token, or a Keycloak token whose `typ` claim is not `Bearer`.
    """
    if str(header.get("typ", "")).lower() in NAMED_TYPES:
        return
    kind = claims.get("typ")
    if (
        _NOT_ACCESS_CLAIMS & claims.keys()
        or kind not in (None, "Bearer")
        or (kind is None and not _ACCESS_CLAIMS & claims.keys())
    ):
        raise InvalidTokenError("no_access_token")
