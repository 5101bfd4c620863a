"""What is stored of a record, as plain data."""

import json
from dataclasses import asdict, dataclass

UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class RecordState:
    """The row of a record. ``reading``: base64; ``read_at``, ``missing_since``: RFC 3339."""

    version: int
    canonical_hash: str
    rules: str
    result: str
    trial_key: str | None
    read_at: str
    reading: str | None
    missing_since: str | None

    def is_same(self, other: "RecordState") -> bool:
        """Return whether another state has the same form of the record and the same trial, by whatever rules read."""
        return (self.version, self.canonical_hash, self.trial_key, self.missing_since) == (
            other.version,
            other.canonical_hash,
            other.trial_key,
            other.missing_since,
        )


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a record: its state before, None where there was no record, and after.

    ``numbers``: the names of its trial before, of those that the record has been assigned to.
    """

    before: RecordState | None
    after: RecordState
    numbers: tuple[str, ...] = ()

    def dump(self) -> str:
        """Write it as JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> "Change":
        """Parse what `dump` wrote."""
        parts = json.loads(text)
        before = None if parts["before"] is None else RecordState(**parts["before"])
        return cls(before, RecordState(**parts["after"]), tuple(parts["numbers"]))
