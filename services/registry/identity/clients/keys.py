"""Public key sets and API keys of clients. Only the digest of an API key is stored. No input or output."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.access.callers import KEY_FORM, KEY_PREFIX

MAX_KEYS = 10
MAX_LISTED = 50
SMALLEST_RSA = 2048
LARGEST_RSA = 4096
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})
# Members that are stored; all others are dropped.
_PUBLIC = {"RSA": ("kty", "kid", "n", "e"), "EC": ("kty", "kid", "crv", "x", "y")}
_ALGORITHM = {"RSA": "RS384", "EC": "ES384"}


@dataclass
class KeySetError(Exception):
    """A key set that is refused; the text says why, in both languages, and quotes no value."""

    fr: str
    en: str


class _UnusableKeyError(KeySetError):
    """A public key that cannot verify assertions."""


def read_key_set(document: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the usable public keys of a JWKS: RSA of 2048 to 4096 bits for RS384, P-384 for ES384, with distinct kids.

    Other public keys are ignored (RFC 7517 §5), for example those for encryption.

    :raises KeySetError: a key is private or symmetric, or no key is usable.
    """
    keys = document.get("keys")
    if not isinstance(keys, list) or not 1 <= len(keys) <= MAX_LISTED or not all(isinstance(k, Mapping) for k in keys):
        raise KeySetError(
            fr=f"keys doit contenir de 1 à {MAX_LISTED} clés", en=f"keys must hold 1 to {MAX_LISTED} keys"
        )
    found, unusable = [], []
    for key in keys:
        try:
            found.append(_public_key(key))
        except _UnusableKeyError as error:
            unusable.append(error)
    if not found:
        raise KeySetError(
            fr=f"aucune clé utilisable : {unusable[0].fr}",
            en=f"no usable key: {unusable[0].en}",
        )
    if len(found) > MAX_KEYS:
        raise KeySetError(fr=f"au plus {MAX_KEYS} clés de signature", en=f"at most {MAX_KEYS} signing keys")
    if len({(key["kid"], key["kty"]) for key in found}) != len(found):  # RFC 7517 §4.5
        raise KeySetError(fr="deux clés du même type portent le même kid", en="two keys of one type have the same kid")
    return found


def _public_key(key: Mapping[str, Any]) -> dict[str, str]:
    if _PRIVATE & key.keys():
        raise KeySetError(
            fr="une clé est privée ou symétrique : considérez-la comme compromise",
            en="a key is private or symmetric: treat it as compromised",
        )
    family = key.get("kty")
    algorithm = _ALGORITHM.get(family) if isinstance(family, str) else None
    if (
        not isinstance(family, str)
        or algorithm is None
        or key.get("use", "sig") != "sig"
        or key.get("alg", algorithm) != algorithm
        or "verify" not in (key.get("key_ops") or ["verify"])
    ):
        raise _UnusableKeyError(
            fr="il faut une clé de signature RSA (RS384) ou P-384 (ES384)",
            en="a signing key is needed, RSA (RS384) or P-384 (ES384)",
        )
    stored = {name: value for name in _PUBLIC[family] if isinstance(value := key.get(name), str)}
    if len(stored) != len(_PUBLIC[family]) or not 1 <= len(stored["kid"]) <= 128:
        raise _UnusableKeyError(
            fr="une clé doit avoir un kid de 1 à 128 caractères et ses paramètres publics",
            en="a key needs a kid of 1 to 128 characters and its public parameters",
        )
    if not _is_strong(stored):
        raise _UnusableKeyError(
            fr="une clé doit être RSA de 2048 à 4096 bits (e = AQAB), ou P-384",
            en="a key must be RSA of 2048 to 4096 bits (e = AQAB), or P-384",
        )
    return stored


def _is_strong(key: Mapping[str, str]) -> bool:
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    try:
        if key["kty"] == "EC":
            strong = key["crv"] == "P-384"
        else:
            size = int.from_bytes(base64.urlsafe_b64decode(key["n"] + "==")).bit_length()
            strong = key["e"] == "AQAB" and SMALLEST_RSA <= size <= LARGEST_RSA
        # Import last: the library warns about small keys and computes with large ones.
        return strong and import_key(dict(key)) is not None
    except (JoseError, ValueError, TypeError):
        return False


def new_key(client: str) -> tuple[str, bytes]:
    """Return a new API key that contains the id of its client (a UUID), and the digest to store."""
    key = f"{KEY_PREFIX}{client.replace('-', '')}_{secrets.token_urlsafe(32)}"
    return key, digest_of(key)


def digest_of(key: str) -> bytes:
    """Return the SHA-256 of a key. A key has 256 random bits, so no salt or slow hash is needed."""
    return hashlib.sha256(key.encode()).digest()


def client_of(key: str) -> str | None:
    """Return the client id in an API key, without verifying the key; None if the text is not an API key."""
    match = KEY_FORM.fullmatch(key)
    if match is None:
        return None
    text = match[1]
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
