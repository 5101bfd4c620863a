"""Items of the review queue, and how they are narrowed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

ReviewKind = Literal["scope", "state", "conflict", "possible_duplicate", "outdated_criteria", "quarantine"]
KINDS: tuple[ReviewKind, ...] = get_args(ReviewKind)
CONFLICT_KEY = 12
"""The length of the beginning of `Conflict.key` in the id of an item."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item: a trial, a conflict of a trial, or a source record.

    ``since``: None: nothing is to be decided (any more). ``document``: the trial as JSON. ``source``, ``record``: of a
    possible duplicate.
    """

    id: str
    kind: ReviewKind
    since: datetime | None
    trial_key: str | None
    document: str | None
    source: str | None = None
    record: str | None = None
    claimed_by: str | None = None
    claimed_at: datetime | None = None

    @property
    def place(self) -> tuple[str, str]:
        """Its record: the source, and the id there."""
        assert self.source is not None
        assert self.record is not None
        return self.source, self.record

    @property
    def conflict(self) -> str:
        """Which conflict of the trial; empty for other kinds."""
        return self.id.rpartition(":")[2] if self.kind == "conflict" else ""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which items are asked for.

    ``source``: of the record or the other value, or of a record of the trial. ``words``: in small letters; all must
    match. ``claimed``: by anyone, or by no one; ``claimed_by``: by this person.
    """

    kind: ReviewKind | None = None
    source: str | None = None
    words: tuple[str, ...] = ()
    claimed: bool | None = None
    claimed_by: str | None = None
