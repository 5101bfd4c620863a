"""ID tokens: the proof of an OpenID provider, for one program, that a person has signed in just now."""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from shared.access.openid_documents import ALGORITHMS
from shared.access.tokens import CLOCK_SKEW, InvalidTokenError, check_header, check_times, peek, signed_claims

MAX_ID_TOKEN = 16 * 1024


def key_id_of(token: str) -> str:
    """Return the id of the key that an ID token names.

    :raises InvalidTokenError: it is not an ID token.
    """
    header, _ = peek(token, MAX_ID_TOKEN)
    return check_header(header, ALGORITHMS, ("jwt", None))


def check_id_token(
    token: str, keys: Sequence[Mapping[str, Any]], *, issuer: str, client: str, nonce: str, now: int
) -> dict[str, Any]:
    """Check that an ID token belongs to this sign-in (OpenID Connect Core §3.1.3.7) and return its claims.

    :raises InvalidTokenError: it does not.
    """
    kid = key_id_of(token)
    header, _ = peek(token, MAX_ID_TOKEN)
    claims = signed_claims(token, keys, kid, header["alg"])
    aud = claims.get("aud")
    if claims.get("iss") != issuer:
        raise InvalidTokenError("iss")
    if client not in (aud if isinstance(aud, list) else [aud]) or claims.get("azp", client) != client:
        raise InvalidTokenError("aud")
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise InvalidTokenError("nonce")
    check_times(claims, now, leeway=CLOCK_SKEW)
    return claims
