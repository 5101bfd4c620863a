"""Signing secrets: shown once, stored encrypted."""

import base64
import secrets

from shared.values.encryption import Seal

PREFIX = "whsec_"


def new_secret() -> bytes:
    """Return 32 random bytes; Standard Webhooks requires 24 to 64."""
    return secrets.token_bytes(32)


def write_secret(secret: bytes) -> str:
    """Return the text form that the libraries of receivers read."""
    return PREFIX + base64.b64encode(secret).decode()


def secret_cipher(key: bytes) -> Seal:
    """Return the cipher of signing secrets; each ciphertext is bound to its subscription."""
    return Seal(key, "notifications/signing-secrets")
