"""Source records as they came, without persons: compressed for storage, and hashed. Pure."""

import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import Any, Final

from services.registry.records.canonical import canonical_hash

# A stored record is at most this long; more is the work of something else than this program.
MAX_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Original:
    """One form of a record.

    ``bytes_hash``: SHA-256 of its bytes, ``canonical_hash``: of what counts in it, whatever the order of its members.
    ``dated``: the source's own date of it (``2024``, ``2024-05`` or ``2024-05-03``).
    """

    content: bytes
    bytes_hash: str
    canonical_hash: str
    dated: str | None

    @classmethod
    def of(cls, record: Any, counts: Any, dated: str | None) -> "Original":
        """Make one from a record without persons. ``counts``: the part of it that the reader may use."""
        content = json.dumps(record, separators=(",", ":")).encode("ascii")
        return cls(content, _sha256(content), canonical_hash(counts), dated)

    def to_store(self) -> "StoredForm":
        """Compress it."""
        return StoredForm(compressed(self.content), self.bytes_hash, self.canonical_hash, self.dated)


@dataclass(frozen=True, slots=True)
class StoredForm:
    """A form of a record as it is stored: `Original` with its content compressed."""

    content: bytes
    bytes_hash: str
    canonical_hash: str
    dated: str | None


def compressed(content: bytes) -> bytes:
    """Compress the bytes of a record (zlib)."""
    return zlib.compress(content, 6)


def restored(stored: bytes, bytes_hash: str) -> bytes | None:
    """Return the bytes of a stored record; None if they are damaged."""
    engine = zlib.decompressobj()
    try:
        content = engine.decompress(stored, MAX_BYTES)
    except zlib.error:
        return None
    return content if engine.eof and _sha256(content) == bytes_hash else None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
