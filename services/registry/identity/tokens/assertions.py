"""Client assertions (RFC 7523, SMART Backend Services): parsing and verification. No input or output."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from services.registry.identity.tokens.problems import TokenRefusedError
from shared.access.tokens import CLOCK_SKEW, LIFETIME, InvalidTokenError, check_header, check_times, peek, signed_claims

ALGORITHMS = ("RS384", "ES384")
# `client-authentication+jwt`: draft-ietf-oauth-rfc7523bis.
TYPES = ("jwt", "client-authentication+jwt", None)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_ASSERTION = 16 * 1024
MAX_JTI = 128
MAX_PARAMETERS = 20
_CLIENT = re.compile(r"[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A well-formed token request, not verified yet.

    ``client``, ``kid`` and ``jku`` are those of the assertion. ``scopes`` None: all scopes of the client.
    """

    client: str
    kid: str
    algorithm: str
    assertion: str
    scopes: frozenset[str] | None
    resources: frozenset[str]
    jku: object = None


def read_request(body: bytes, authorization: bool) -> TokenRequest:
    """Parse the form of a client credentials request. ``authorization``: whether the request has that header as well.

    :raises TokenRefusedError: it is malformed, of another grant type, or authenticates the client in another way.
    """
    given, resources = _read_form(body)
    if given.get("grant_type") != "client_credentials":
        raise TokenRefusedError("unsupported_grant_type" if "grant_type" in given else "invalid_request", "grant_type")
    assertion = given.get("client_assertion")
    if assertion is not None and (authorization or "client_secret" in given):
        raise TokenRefusedError("invalid_request", "two_authentications")
    if assertion is None or given.get("client_assertion_type") != ASSERTION_TYPE:
        raise TokenRefusedError("invalid_client", "assertion_missing")
    try:
        header, claims = peek(assertion, MAX_ASSERTION)
        kid = check_header(header, ALGORITHMS, TYPES)
    except InvalidTokenError as error:
        raise TokenRefusedError("invalid_client", error.reason) from None
    client = claims.get("sub")
    if not isinstance(client, str) or claims.get("iss") != client or given.get("client_id", client) != client:
        raise TokenRefusedError("invalid_client", "iss_sub")
    if not _CLIENT.fullmatch(client):  # saves a query, and values that a database cannot store
        raise TokenRefusedError("invalid_client", "unknown_client")
    return TokenRequest(
        client, kid, header["alg"], assertion, _read_scopes(given.get("scope")), resources, header.get("jku")
    )


def _read_form(body: bytes) -> tuple[dict[str, str], frozenset[str]]:
    """Return the parameters, and the values of ``resource``. Empty parameters count as omitted (RFC 6749 §3.2)."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:
        raise TokenRefusedError("invalid_request", "form") from None
    given: dict[str, str] = {}
    resources = set()
    for name, value in pairs:
        if name == "resource":
            resources.add(value)
        elif name in given:
            raise TokenRefusedError("invalid_request", "repeated_parameter")
        else:
            given[name] = value
    return {name: value for name, value in given.items() if value}, frozenset(resources - {""})


def _read_scopes(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    scopes = text.split(" ")  # RFC 6749 §3.3: no other white space separates
    if "" in scopes:
        raise TokenRefusedError("invalid_scope", "scope_form")
    return frozenset(scopes)


def check_claims(request: TokenRequest, issuer: str, token_url: str, now: int) -> None:
    """Check the claims before the client is looked up, so that the answer is the same for existing and other clients.

    ``now`` is in epoch seconds.

    :raises TokenRefusedError: a claim is missing or wrong for every client.
    """
    _, claims = peek(request.assertion, MAX_ASSERTION)
    try:
        _read_claims(claims, request.client, (issuer, token_url), now)
    except InvalidTokenError as error:
        description = None
        if error.reason == "aud":
            description = (
                f"aud must be a string, or a list of one: {issuer}, or {token_url} for a client registered with the"
                f" audience smart; both are published at {issuer}/.well-known/oauth-authorization-server"
            )
        raise TokenRefusedError("invalid_client", error.reason, description) from None


def check_assertion(
    request: TokenRequest, keys: Sequence[Mapping[str, Any]], audience: str, now: int
) -> tuple[str, int]:
    """Verify an assertion; return its ``jti`` and its ``exp``. ``now`` is in epoch seconds.

    :raises TokenRefusedError: none of ``keys`` signed it, it is for another audience than ``audience``, or it is not
        valid now.
    """
    try:
        claims = signed_claims(request.assertion, keys, request.kid, request.algorithm)
        return _read_claims(claims, request.client, (audience,), now)
    except InvalidTokenError as error:
        # The caller has proved its identity by now: its registration is no secret.
        description = f"aud must be {audience} for this client" if error.reason == "aud" else None
        raise TokenRefusedError("invalid_client", error.reason, description) from None


def _read_claims(claims: Mapping[str, Any], client: str, audiences: Collection[str], now: int) -> tuple[str, int]:
    if claims.get("iss") != client or claims.get("sub") != client:
        raise InvalidTokenError("iss_sub")
    # One audience only: an assertion that another server accepts too could be replayed here by that server.
    aud = claims.get("aud")
    if isinstance(aud, list) and len(aud) == 1:  # RFC 7519 §4.1.3
        aud = aud[0]
    if not isinstance(aud, str) or aud not in audiences:
        raise InvalidTokenError("aud")
    exp = check_times(claims, now, leeway=CLOCK_SKEW)
    if exp > now + LIFETIME + CLOCK_SKEW:
        raise InvalidTokenError("exp_too_far")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= MAX_JTI or not jti.isprintable():
        raise InvalidTokenError("jti")
    return jti, exp
