"""Tokens in the links of messages: each names a subscription and one act, and is encrypted and authenticated."""

import base64
import uuid
from datetime import UTC, datetime
from typing import Literal

from cryptography.exceptions import InvalidTag

from shared.values.encryption import Seal

Act = Literal["confirm", "unsubscribe"]


class MailTokens:
    """Makes and reads tokens, under a key derived from ``key``."""

    def __init__(self, key: bytes) -> None:
        self._cipher = Seal(key, "notifications/mail-links")

    def make(self, act: Act, subscription: str, until: datetime | None = None) -> str:
        """Return a token for one act, valid ``until`` then (None: for ever)."""
        seconds = 0 if until is None else int(until.timestamp())
        sealed = self._cipher.seal(act, uuid.UUID(subscription).bytes + seconds.to_bytes(5))
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def read(self, act: Act, token: str) -> tuple[str, datetime | None] | None:
        """Return the subscription and the end of validity; None: this installation did not make it for this act."""
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            opened = self._cipher.open(act, sealed)
        except (ValueError, InvalidTag):
            return None
        seconds = int.from_bytes(opened[16:])
        return str(uuid.UUID(bytes=opened[:16])), datetime.fromtimestamp(seconds, UTC) if seconds else None
