"""Opaque cursors: encrypted and authenticated, so a caller can neither read nor forge a position. The same position gives the same text."""

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from shared.values.problems import Fault, InvalidCursorError
from shared.values.wire import Label

_UNREADABLE = Fault(
    pointer="/query/cursor", code="unreadable", detail=Label(fr="curseur illisible", en="unreadable cursor")
)


class Cursors:
    """Seals and opens positions. ``purpose`` (a list and its filter, a feed) is bound in: a cursor of one list opens no other."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(key)

    def seal(self, purpose: str, position: list[Any]) -> str:
        sealed = self._cipher.encrypt(json.dumps(position, separators=(",", ":")).encode(), [purpose.encode()])
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, purpose: str, cursor: str) -> list[Any]:
        """:raises InvalidCursorError: 400, for any cursor that was not sealed here for this purpose."""
        try:
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            position: list[Any] = json.loads(self._cipher.decrypt(sealed, [purpose.encode()]))
        except (ValueError, InvalidTag):
            raise InvalidCursorError(errors=[_UNREADABLE]) from None
        return position
