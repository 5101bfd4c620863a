"""Client assertions (RFC 7523, SMART Backend Services): who made one, and whether it is to be believed. Pure."""

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
    """A well-formed request. ``client`` is whom the assertion speaks of, believed in nothing; ``scopes`` None: all that the client has."""

    client: str
    kid: str
    algorithm: str
    assertion: str
    scopes: frozenset[str] | None
    resources: frozenset[str]


def read_request(body: bytes, authorization: bool) -> TokenRequest:
    """The form of a client credentials request, with exactly one client authentication.

    :raises TokenRefusedError: anything else.
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
    if not _CLIENT.fullmatch(client):  # no database is asked for what cannot be written
        raise TokenRefusedError("invalid_client", "unknown_client")
    scopes = frozenset(given["scope"].split()) if given.get("scope") else None
    return TokenRequest(client, kid, header["alg"], given["client_assertion"], scopes, frozenset(resources))


def check_assertion(
    request: TokenRequest, keys: Sequence[Mapping[str, Any]], audience: str, now: int
) -> tuple[str, int]:
    """The ``jti`` and the ``exp`` of an assertion that one of the client's keys signed for ``audience``.

    :raises TokenRefusedError: it did not, or the assertion is not of now.
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
    # One audience, as a string: an assertion that serves elsewhere too could be carried from there to here.
    if claims.get("aud") != audience:
        raise InvalidTokenError("aud")
    exp = check_times(claims, now, leeway=CLOCK_SKEW)
    if exp > now + LIFETIME + CLOCK_SKEW:
        raise InvalidTokenError("exp_too_far")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= MAX_JTI or not jti.isprintable():
        raise InvalidTokenError("jti")
    return jti, exp
