"""What is stored of a record, as plain data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

UNDONE = "undone"
# What makes a record another one; the rules by which it was read do not.
_COMPARED = ("version", "canonical_hash", "trial_key", "missing_since")


@dataclass(frozen=True, slots=True)
class RecordState:
    """The row of a record without its key, as JSON: bytes in base64, instants with microseconds."""

    values: Mapping[str, Any]

    @property
    def trial_key(self) -> str | None:
        key: str | None = self.values["trial_key"]
        return key

    @property
    def is_missing(self) -> bool:
        return self.values["missing_since"] is not None

    def is_same(self, other: "RecordState") -> bool:
        """Return whether another state has the same form of the record and the same trial, by whatever rules read."""
        return all(self.values[name] == other.values[name] for name in _COMPARED)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a record: its state before, None where there was no record, and after.

    ``numbers``: the names that its trial had before.
    """

    before: RecordState | None
    after: RecordState
    numbers: tuple[str, ...] = ()

    def dump(self) -> str:
        """Write it as JSON."""
        before = None if self.before is None else self.before.values
        return json.dumps([before, self.after.values, self.numbers], separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> "Change":
        """Parse what `dump` wrote."""
        before, after, numbers = json.loads(text)
        return cls(None if before is None else RecordState(before), RecordState(after), tuple(numbers))
