"""The hash chain of an audit log. Pure.

A signed checkpoint contains the digest of its entries and of the checkpoint before: a change of any of them shows.
"""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.audit.entries import Entry

BEGINNING = "0" * 64
CheckpointKind = Literal["begun", "seal", "restored"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Covers the entries ``first`` to ``last`` of ``service`` (both included) and everything before them.

    Two kinds cover no entries: ``begun`` states when an empty log was begun, and ``restored`` that the log continues
    after checkpoint ``number`` of a backup.
    """

    service: str
    number: int
    first: int
    last: int
    previous: str
    digest: str
    at: datetime
    kind: CheckpointKind = "seal"
    signature: str = ""

    def signed(self, key: Ed25519PrivateKey) -> "Checkpoint":
        return replace(self, signature=base64.b64encode(key.sign(self._text())).decode())

    def is_signed_by(self, keys: Iterable[Ed25519PublicKey]) -> bool:
        """Whether the signature is of one of the keys."""
        for key in keys:
            try:
                key.verify(base64.b64decode(self.signature), self._text())
            except (InvalidSignature, ValueError):
                continue
            return True
        return False

    def write(self) -> str:
        """Format as one line of JSON."""
        return json.dumps({**self._document(), "signature": self.signature}, sort_keys=True, separators=(",", ":"))

    def _text(self) -> bytes:
        return json.dumps(self._document(), sort_keys=True, separators=(",", ":")).encode()

    def _document(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "service": self.service,
            "number": self.number,
            "first": self.first,
            "last": self.last,
            "previous": self.previous,
            "digest": self.digest,
            "at": self.at.isoformat(),
        }


def read_checkpoint(line: str) -> Checkpoint:
    """Parse one line of a checkpoint file.

    :raises ValueError: it is not a checkpoint.
    """
    try:
        document = json.loads(line)
        return Checkpoint(**{**document, "at": datetime.fromisoformat(document["at"])})
    except (TypeError, KeyError, AttributeError):
        raise ValueError("not a checkpoint") from None


def began(service: str, at: datetime) -> Checkpoint:
    """The first checkpoint of an empty log, unsigned."""
    return Checkpoint(service, 0, 0, 0, BEGINNING, BEGINNING, at, kind="begun")


def line_of(number: int, entry: Entry) -> str:
    """Format an entry as the text that checkpoints cover."""
    values = [getattr(entry, name) for name in Entry.__slots__]
    if entry.human is None:
        values.pop()  # left out for calls by programs
    return json.dumps(
        [number, entry.at.astimezone(UTC).isoformat(timespec="microseconds"), *values[1:]],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def entry_of(line: str) -> tuple[int, Entry]:
    """Parse what `line_of` wrote."""
    number, at, *values = json.loads(line)
    return number, Entry(datetime.fromisoformat(at), *values)


def instant_of(line: str) -> str:
    """The instant of an entry's line, as fixed-width text in UTC that sorts in time order."""
    return line.split('"', 2)[1]


def digest_of(previous: str, lines: Iterable[str]) -> str:
    """The digest of entries on top of the digest before them."""
    digest = hashlib.sha256(previous.encode())
    for line in lines:
        digest.update(b"\n" + line.encode())
    return digest.hexdigest()
