"""Signing secrets: shown once, kept sealed."""

import base64
import secrets

from shared.values.encryption import Seal

PREFIX = "whsec_"


def new_secret() -> bytes:
    """32 random bytes, inside the 24 to 64 that Standard Webhooks asks for."""
    return secrets.token_bytes(32)


def write_secret(secret: bytes) -> str:
    """The form that receivers' libraries take."""
    return PREFIX + base64.b64encode(secret).decode()


def secret_seal(key: bytes) -> Seal:
    """Seals signing secrets, each bound to its subscription."""
    return Seal(key, "notifications/signing-secrets")
