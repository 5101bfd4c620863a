"""Encryption of secrets in a database: AES-256-GCM under a key derived from the key of the installation."""

import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12


def derived_key(key: bytes, purpose: str) -> bytes:
    """Return 32 bytes for one ``purpose``, from the key of the installation (HKDF-SHA256)."""
    return HKDF(SHA256(), 32, None, f"cleio/{purpose}".encode()).derive(key)


class Seal:
    """Encrypts secrets of one ``purpose``. Each secret is bound to the identifier of its ``owner``."""

    def __init__(self, key: bytes, purpose: str) -> None:
        self._cipher = AESGCM(derived_key(key, purpose))

    def seal(self, owner: str, secret: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, owner.encode())

    def open(self, owner: str, sealed: bytes) -> bytes:
        """:raises cryptography.exceptions.InvalidTag: the key, the purpose or the owner is another one."""
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], owner.encode())
