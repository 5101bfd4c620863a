"""Access tokens: ES256 JWTs of the type ``at+jwt`` (RFC 9068), made by the issuer and verified by every service with one function."""

import base64
import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard, cast, get_args

from shared.access.principal import Credential, OrganisationKind, Role

if TYPE_CHECKING:
    from joserfc.jwk import ECKey

ALGORITHM = "ES256"
TOKEN_TYPE = "at+jwt"
LIFETIME = 300  # seconds
# No token is taken that lives longer, whoever signed it: revocations are remembered for so long.
LONGEST = 24 * 3600
# How far clocks of two machines may differ. It never prolongs an access token: only `iat` and `nbf` may lie a little ahead.
CLOCK_SKEW = 30
MAX_TOKEN = 8 * 1024
LONGEST_NAME = 255
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_HEADER = frozenset({"alg", "typ", "kid"})
_KINDS = frozenset(get_args(OrganisationKind))
_ROLES = frozenset(get_args(Role))


class InvalidTokenError(Exception):
    """A token that is not to be believed. ``reason`` is one word of ours, for the log alone; the caller is never told."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def audience_of(service: str) -> str:
    """The name under which a service accepts tokens."""
    return f"urn:cleio:{service}"


def issue(key: "ECKey", issuer: str, services: Iterable[str], credential: Credential) -> str:
    """A token for ``services``, valid as long as ``credential`` is. ``key`` is a private P-256 key with its ``kid``."""
    from joserfc import jwt

    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": sorted(audience_of(service) for service in services),
        "sub": credential.client,
        "client_id": credential.client,
        "iat": credential.issued_at,
        "exp": credential.expires_at,
        "jti": secrets.token_urlsafe(16),
        "org": credential.organisation,
        "org_kind": credential.kind,
        "roles": sorted(credential.roles),
        "scope": " ".join(sorted(credential.scopes or ())),
        "version": credential.version,
    }
    if credential.centre is not None:
        claims["centre"] = credential.centre
    return jwt.encode({"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": key.kid}, claims, key, algorithms=[ALGORITHM])


def peek(token: str, largest: int = MAX_TOKEN) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the claims of a compact JWT, believed in nothing: to find out which key must have signed it.

    :raises InvalidTokenError: it is none.
    """
    if len(token) > largest or not _COMPACT.fullmatch(token):
        raise InvalidTokenError("form")
    header, claims, signature = token.split(".")
    _bytes(signature)
    return _object(header), _object(claims)


def _bytes(part: str) -> bytes:
    """The one spelling of these bytes: neither padded, nor with bits that mean nothing."""
    try:
        found = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise InvalidTokenError("form") from None
    if base64.urlsafe_b64encode(found).rstrip(b"=") != part.encode():
        raise InvalidTokenError("form")
    return found


def _object(part: str) -> dict[str, Any]:
    try:
        found = json.loads(_bytes(part), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise InvalidTokenError("form") from None
    if not isinstance(found, dict):
        raise InvalidTokenError("form")
    return found


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member occurs twice")
    return found


def check_header(header: Mapping[str, Any], algorithms: Iterable[str], types: Iterable[str | None]) -> str:
    """The ``kid`` of a header that holds nothing but ``alg``, ``typ`` and ``kid``: a key never comes from the token itself.

    :raises InvalidTokenError: anything else.
    """
    kind, algorithm = header.get("typ"), header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in set(algorithms):
        raise InvalidTokenError("alg")
    if not (kind is None or isinstance(kind, str)) or (kind.lower() if kind else None) not in set(types):
        raise InvalidTokenError("typ")
    kid = header.get("kid")
    if not isinstance(kid, str) or not 1 <= len(kid) <= 128:
        raise InvalidTokenError("kid")
    if not header.keys() <= _HEADER:
        raise InvalidTokenError("header")
    return kid


def signed_claims(token: str, keys: Sequence[Mapping[str, Any]], kid: str, algorithm: str) -> dict[str, Any]:
    """The claims, once the key named ``kid`` among ``keys`` (public JWKs) is seen to have signed them with ``algorithm``.

    :raises InvalidTokenError: no such key, or it did not.
    """
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key
    from joserfc.jws import JWSRegistry

    named = [key for key in keys if key.get("kid") == kid]
    if len(named) != 1:
        raise InvalidTokenError("unknown_key")
    key = named[0]
    family = {"ES": "EC", "RS": "RSA", "PS": "RSA"}[algorithm[:2]]
    if key.get("kty") != family or key.get("alg", algorithm) != algorithm or key.get("use", "sig") != "sig":
        raise InvalidTokenError("key_type")
    try:
        # Header members that are not known are ignored (RFC 7515 §4), unless `crit` names them.
        registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        found = jwt.decode(token, import_key(dict(key)), algorithms=[algorithm], registry=registry)
    except (JoseError, ValueError, TypeError, LookupError):  # a key of an unknown curve is a KeyError
        raise InvalidTokenError("signature") from None
    return dict(found.claims)


def check_times(claims: Mapping[str, Any], now: int, *, leeway: int) -> int:
    """``exp``. It may lie ``leeway`` seconds behind; ``iat`` and ``nbf``, where they stand, `CLOCK_SKEW` seconds ahead.

    :raises InvalidTokenError: over, not yet begun, or no whole numbers.
    """
    for name in ("exp", "iat", "nbf"):
        if name not in claims and name != "exp":
            continue
        value = claims.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**40:
            raise InvalidTokenError(name)
    exp: int = claims["exp"]
    if exp + leeway <= now:
        raise InvalidTokenError("expired")
    if claims.get("iat", 0) > now + CLOCK_SKEW or claims.get("nbf", 0) > now + CLOCK_SKEW:
        raise InvalidTokenError("not_yet")
    return exp


def is_name(value: Any) -> TypeGuard[str]:
    """Whether it can be told, compared and kept in any database: nobody is called by what cannot be printed."""
    return isinstance(value, str) and 1 <= len(value) <= LONGEST_NAME and value.isprintable()


def kid_of(token: str) -> str:
    """The key that must have signed an access token.

    :raises InvalidTokenError: it is none.
    """
    header, _ = peek(token)
    return check_header(header, (ALGORITHM,), (TOKEN_TYPE, f"application/{TOKEN_TYPE}"))


def verify(token: str, keys: Sequence[Mapping[str, Any]], issuer: str, service: str, now: int) -> Credential:
    """What an access token of our own issuer entitles to at ``service``.

    :raises InvalidTokenError: for every other token.
    """
    claims = signed_claims(token, keys, kid_of(token), ALGORITHM)
    if claims.get("iss") != issuer:
        raise InvalidTokenError("iss")
    aud = claims.get("aud")
    if audience_of(service) not in ([aud] if isinstance(aud, str) else aud if isinstance(aud, list) else []):
        raise InvalidTokenError("aud")
    expires_at = check_times(claims, now, leeway=0)
    if "iat" not in claims:
        raise InvalidTokenError("iat")
    if expires_at - claims["iat"] > LONGEST:
        raise InvalidTokenError("exp_too_far")
    return _credential(claims, expires_at)


def _credential(claims: Mapping[str, Any], expires_at: int) -> Credential:
    client, organisation, centre = (claims.get(name) for name in ("client_id", "org", "centre"))
    kind, roles, scope, version = (claims.get(name) for name in ("org_kind", "roles", "scope", "version"))
    if not is_name(client) or not is_name(organisation) or not (centre is None or is_name(centre)):
        raise InvalidTokenError("claims")
    if not isinstance(scope, str) or not scope.isprintable() or not isinstance(kind, str) or kind not in _KINDS:
        raise InvalidTokenError("claims")
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles) or not set(roles) <= _ROLES:
        raise InvalidTokenError("claims")
    if not isinstance(version, int) or isinstance(version, bool):
        raise InvalidTokenError("claims")  # without it no revocation could reach the token
    return Credential(
        client,
        organisation,
        cast("OrganisationKind", kind),
        frozenset(roles),
        frozenset(scope.split()),
        claims["iat"],
        expires_at,
        centre,
        version=version,
    )
