"""Access tokens: ES256 JWTs of the type ``at+jwt`` (RFC 9068). The issuer makes them, every service verifies them."""

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
TOKEN_TYPE = "at+jwt"  # noqa: S105  # a type, not a password
LIFETIME = 300  # seconds
# Longest lifetime that is accepted: revocations are remembered for this time.
LONGEST = 24 * 3600
# How far the clocks of two machines may differ. It never prolongs an access token: only `iat` and `nbf` may lie ahead.
CLOCK_SKEW = 30
MAX_TOKEN = 8 * 1024
LONGEST_NAME = 255
MIN_RSA_BITS = 2048
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_KINDS = frozenset(get_args(OrganisationKind))
_ROLES = frozenset(get_args(Role))


class InvalidTokenError(Exception):
    """The token is not valid. ``reason`` is one fixed word for the log; the caller does not learn it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def audience_of(service: str) -> str:
    """Return the audience that a service accepts."""
    return f"urn:cleio:{service}"


def issue(key: "ECKey", issuer: str, services: Iterable[str], credential: Credential) -> str:
    """Make a token for ``services``, valid as long as ``credential``. ``key``: a private P-256 key with its ``kid``."""
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
    if credential.human is not None:
        claims["human"] = credential.human
    return jwt.encode({"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": key.kid}, claims, key, algorithms=[ALGORITHM])


def peek(token: str, largest: int = MAX_TOKEN) -> tuple[dict[str, Any], dict[str, Any]]:
    """Decode header and claims of a compact JWT without verifying it. Use them only to choose the key.

    :raises InvalidTokenError: it is not a JWT.
    """
    if len(token) > largest or not _COMPACT.fullmatch(token):
        raise InvalidTokenError("form")
    header, claims, signature = token.split(".")
    _bytes(signature)
    return _object(header), _object(claims)


def _bytes(part: str) -> bytes:
    """Decode base64url in its only valid spelling: without padding and without surplus bits."""
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
    """Check a header and return its ``kid``.

    Other members are ignored (RFC 7515 §4), so a key never comes from the token itself. ``crit`` is refused: it names
    extensions that must be understood, and we implement none.

    :raises InvalidTokenError: algorithm, type or ``kid`` is missing or not accepted, or there is a ``crit``.
    """
    kind, algorithm = header.get("typ"), header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in set(algorithms):
        raise InvalidTokenError("alg")
    if not (kind is None or isinstance(kind, str)) or (kind.lower() if kind else None) not in set(types):
        raise InvalidTokenError("typ")
    kid = header.get("kid")
    if not isinstance(kid, str) or not 1 <= len(kid) <= 128:
        raise InvalidTokenError("kid")
    if "crit" in header:
        raise InvalidTokenError("header")
    return kid


def signed_claims(token: str, keys: Sequence[Mapping[str, Any]], kid: str, algorithm: str) -> dict[str, Any]:
    """Verify the signature with the key ``kid`` among ``keys`` (public JWKs) and return the claims.

    Keys of another type, algorithm or use are ignored (RFC 7517 §5).

    :raises InvalidTokenError: no usable key, an RSA key below `MIN_RSA_BITS`, or a wrong signature.
    """
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import RSAKey, import_key
    from joserfc.jws import JWSRegistry

    named = [key for key in keys if key.get("kid") == kid]
    usable = [key for key in named if _is_usable(key, algorithm)]
    if len(usable) != 1:
        raise InvalidTokenError("key_type" if named and not usable else "unknown_key")
    # Header members that are not known are ignored; certificates in a header may be long.
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = len(token)
    try:
        key = import_key(dict(usable[0]))
        if isinstance(key, RSAKey) and key.public_key.key_size < MIN_RSA_BITS:
            raise InvalidTokenError("weak_key")
        found = jwt.decode(token, key, algorithms=[algorithm], registry=registry)
    except (JoseError, ValueError, TypeError, LookupError):  # a key of an unknown curve is a KeyError
        raise InvalidTokenError("signature") from None
    return dict(found.claims)


def _is_usable(key: Mapping[str, Any], algorithm: str) -> bool:
    """Return whether a public JWK can verify signatures of this algorithm."""
    family = {"ES": "EC", "RS": "RSA", "PS": "RSA"}[algorithm[:2]]
    return key.get("kty") == family and key.get("alg", algorithm) == algorithm and key.get("use", "sig") == "sig"


def check_times(claims: Mapping[str, Any], now: int, *, leeway: int) -> int:
    """Check and return ``exp``: at most ``leeway`` seconds ago. ``iat`` and ``nbf`` may lie `CLOCK_SKEW` seconds ahead.

    :raises InvalidTokenError: expired, not yet valid, or not whole numbers.
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
    """Return whether an identifier can be stored and compared in any database: a short printable text."""
    return isinstance(value, str) and 1 <= len(value) <= LONGEST_NAME and value.isprintable()


def kid_of(token: str) -> str:
    """Return the id of the key that an access token names.

    :raises InvalidTokenError: it is not an access token.
    """
    header, _ = peek(token)
    return check_header(header, (ALGORITHM,), (TOKEN_TYPE, f"application/{TOKEN_TYPE}"))


def verify(token: str, keys: Sequence[Mapping[str, Any]], issuer: str, service: str, now: int) -> Credential:
    """Verify an access token of our own issuer for ``service``.

    :raises InvalidTokenError: it is not one, not for this service, or expired.
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
    client, organisation, centre, human = (claims.get(name) for name in ("client_id", "org", "centre", "human"))
    kind, roles, scope, version = (claims.get(name) for name in ("org_kind", "roles", "scope", "version"))
    if (
        not is_name(client)
        or not is_name(organisation)
        or not all(one is None or is_name(one) for one in (centre, human))
    ):
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
        human,
        version,
    )
