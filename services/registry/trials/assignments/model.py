"""Entries of the log of assignments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Action = Literal["assigned", "released", "merged", "unmerged"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A record was assigned to a trial or released from it, or a trial was merged into another one or separated.

    ``trial``: the trial of the record, or the one that was merged. ``other``: where the record was before, or the trial
    into which ``trial`` was merged. ``author``: None: by rule. ``numbers``: the shared numbers that proposed it.
    ``former_result``, ``moved``: of the record before; the trials whose numbers went with it, by number.
    ``creates``: the trial was created for the record. ``undoes``: the act that is undone.
    """

    action: Action
    trial: str
    other: str | None = None
    source: str | None = None
    source_id: str | None = None
    author: str | None = None
    reason: str | None = None
    numbers: tuple[str, ...] = ()
    former_result: str | None = None
    moved: Mapping[str, str] = field(default_factory=dict)
    creates: bool = False
    undoes: int | None = None


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry with its number and time. ``act``: the number of the first entry of the same act."""

    number: int
    at: datetime
    act: int
    entry: Entry


def in_force(entries: Sequence[StoredEntry]) -> list[StoredEntry]:
    """Return the entries of acts that were not undone and undo nothing themselves."""
    undone = {one.entry.undoes for one in entries}
    return [one for one in entries if one.act not in undone and one.entry.undoes is None]
