"""Opaque cursors: encrypted and authenticated positions in a list or feed. The same position gives the same text."""

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from shared.values.problems import Fault, InvalidCursorError
from shared.values.wire import Label

_UNREADABLE = Fault(
    pointer="/query/cursor",
    code="unreadable",
    detail=Label(
        fr="curseur inconnu : reprenez celui de `next` dans la réponse précédente, avec les mêmes filtres",
        en="unknown cursor: use `next` of the previous answer, with the same filters",
    ),
)


class Cursors:
    """Encrypts and decrypts positions.

    ``purpose`` names a list with its filter, or a feed: a cursor is valid for its own purpose only.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(key)

    def seal(self, purpose: str, position: list[Any]) -> str:
        encrypted = self._cipher.encrypt(json.dumps(position, separators=(",", ":")).encode(), [purpose.encode()])
        return base64.urlsafe_b64encode(encrypted).rstrip(b"=").decode()

    def open(self, purpose: str, cursor: str) -> list[Any]:
        """:raises InvalidCursorError: 400, the cursor was not made by this installation for this purpose."""
        try:
            encrypted = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            position: list[Any] = json.loads(self._cipher.decrypt(encrypted, [purpose.encode()]))
        except (ValueError, InvalidTag):
            raise InvalidCursorError(errors=[_UNREADABLE]) from None
        return position
