"""Client assertions (RFC 7523, SMART Backend Services): parsing and verification. No input or output."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from services.registry.identity.tokens.problems import TokenRefusedError
from shared.access.tokens import CLOCK_SKEW, LIFETIME, InvalidTokenError, check_header, check_times, peek, signed_claims

ALGORITHMS = ("RS384", "ES384")
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_ASSERTION = 16 * 1024
MAX_JTI = 128
_CLIENT = re.compile(r"[0-9a-f-]{36}")
_PARAMETERS = frozenset({"grant_type", "client_assertion_type", "client_assertion", "scope", "resource", "client_id"})


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A well-formed token request, not verified yet.

    ``client`` and ``kid`` are those of the assertion. ``scopes`` None: all scopes of the client.
    """

    client: str
    kid: str
    algorithm: str
    assertion: str
    scopes: frozenset[str] | None
    resources: frozenset[str]


def read_request(body: bytes, authorization: bool) -> TokenRequest:
    """Parse the form of a client credentials request. ``authorization``: whether the request has that header as well.

    :raises TokenRefusedError: it is malformed, of another grant type, or authenticates the client in another way.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=20
        )
    except ValueError:
        raise TokenRefusedError("invalid_request", "form") from None
    given: dict[str, str] = {}
    resources = set()
    for name, value in pairs:
        if name == "resource":
            resources.add(value)
        elif name in given or name not in _PARAMETERS:
            raise TokenRefusedError("invalid_request", "repeated_or_unknown_parameter")
        given[name] = value
    if authorization:
        raise TokenRefusedError("invalid_request", "two_authentications")
    if given.get("grant_type") != "client_credentials":
        raise TokenRefusedError("unsupported_grant_type" if "grant_type" in given else "invalid_request", "grant_type")
    if given.get("client_assertion_type") != ASSERTION_TYPE or not given.get("client_assertion"):
        raise TokenRefusedError("invalid_client", "assertion_missing")
    try:
        header, claims = peek(given["client_assertion"], MAX_ASSERTION)
        kid = check_header(header, ALGORITHMS, ("jwt", None))
    except InvalidTokenError as error:
        raise TokenRefusedError("invalid_client", error.reason) from None
    client = claims.get("sub")
    if not isinstance(client, str) or claims.get("iss") != client or given.get("client_id", client) != client:
        raise TokenRefusedError("invalid_client", "iss_sub")
    if not _CLIENT.fullmatch(client):  # saves a query, and values that a database cannot store
        raise TokenRefusedError("invalid_client", "unknown_client")
    scopes = frozenset(given["scope"].split()) if given.get("scope") else None
    return TokenRequest(client, kid, header["alg"], given["client_assertion"], scopes, frozenset(resources))


def check_assertion(
    request: TokenRequest, keys: Sequence[Mapping[str, Any]], audience: str, now: int
) -> tuple[str, int]:
    """Verify an assertion; return its ``jti`` and its ``exp``. ``now`` is in epoch seconds.

    :raises TokenRefusedError: none of ``keys`` signed it, it is for another audience than ``audience``, or it is not
        valid now.
    """
    try:
        return _read_claims(
            signed_claims(request.assertion, keys, request.kid, request.algorithm), request.client, audience, now
        )
    except InvalidTokenError as error:
        raise TokenRefusedError("invalid_client", error.reason) from None


def _read_claims(claims: Mapping[str, Any], client: str, audience: str, now: int) -> tuple[str, int]:
    if claims.get("iss") != client or claims.get("sub") != client:
        raise InvalidTokenError("iss_sub")
    # One audience only: an assertion that another server accepts too could be replayed here by that server.
    if claims.get("aud") != audience:
        raise InvalidTokenError("aud")
    exp = check_times(claims, now, leeway=CLOCK_SKEW)
    if exp > now + LIFETIME + CLOCK_SKEW:
        raise InvalidTokenError("exp_too_far")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= MAX_JTI or not jti.isprintable():
        raise InvalidTokenError("jti")
    return jti, exp
