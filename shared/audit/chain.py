"""The chain: pure. Each seal holds the digest of its entries and of the seal before, and is signed; changing anything before it changes it."""

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
SealKind = Literal["seal", "restored"]


@dataclass(frozen=True, slots=True)
class Seal:
    """Entries ``first`` to ``last`` of ``service`` (both included), and everything before them.

    Of kind ``restored`` it seals nothing new: it says, under the installation's key, that the record goes on from seal ``number`` of a backup.
    """

    service: str
    number: int
    first: int
    last: int
    previous: str
    digest: str
    at: datetime
    kind: SealKind = "seal"
    signature: str = ""

    def signed(self, key: Ed25519PrivateKey) -> "Seal":
        return replace(self, signature=base64.b64encode(key.sign(self._text())).decode())

    def holds(self, keys: Iterable[Ed25519PublicKey]) -> bool:
        """Whether one of the keys signed it."""
        for key in keys:
            try:
                key.verify(base64.b64decode(self.signature), self._text())
            except (InvalidSignature, ValueError):
                continue
            return True
        return False

    def write(self) -> str:
        """One line of JSON."""
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


def read_seal(line: str) -> Seal:
    """:raises ValueError: when the line is none."""
    try:
        document = json.loads(line)
        return Seal(**{**document, "at": datetime.fromisoformat(document["at"])})
    except (TypeError, KeyError, AttributeError):
        raise ValueError("no seal") from None


def line_of(number: int, entry: Entry) -> str:
    """An entry as the text that is sealed."""
    values = [getattr(entry, name) for name in Entry.__slots__]
    if entry.human is None:
        values.pop()  # the line of a call by a program is as it was before people called
    return json.dumps(
        [number, entry.at.astimezone(UTC).isoformat(timespec="microseconds"), *values[1:]],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def entry_of(line: str) -> tuple[int, Entry]:
    """The inverse of `line_of`."""
    number, at, *values = json.loads(line)
    return number, Entry(datetime.fromisoformat(at), *values)


def digest_of(previous: str, lines: Iterable[str]) -> str:
    """The digest of entries on top of what was sealed before them."""
    digest = hashlib.sha256(previous.encode())
    for line in lines:
        digest.update(b"\n" + line.encode())
    return digest.hexdigest()
