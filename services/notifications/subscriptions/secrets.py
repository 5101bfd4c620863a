"""Signing secrets: shown once, kept sealed."""

import base64
import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PREFIX = "whsec_"
_NONCE_BYTES = 12


def new_secret() -> bytes:
    """32 random bytes, inside the 24 to 64 that Standard Webhooks asks for."""
    return secrets.token_bytes(32)


def write_secret(secret: bytes) -> str:
    """The form that receivers' libraries take."""
    return PREFIX + base64.b64encode(secret).decode()


class SecretSeal:
    """Seals secrets with AES-256-GCM under a key derived from the installation's own; the subscription's id is bound in."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(HKDF(SHA256(), 32, None, b"cleio/notifications/signing-secrets").derive(key))

    def seal(self, subscription: str, secret: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, subscription.encode())

    def open(self, subscription: str, sealed: bytes) -> bytes:
        """:raises cryptography.exceptions.InvalidTag: sealed under another key or for another subscription."""
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], subscription.encode())
