"""Jobs, their lines and their results as plain data."""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from services.registry.sources.partner.cells import CellFault
from services.registry.sources.partner.files import Item
from shared.values.language import Language

JobKind = Literal["push", "undo"]
# `waiting`: for its turn. The last three are ends.
JobState = Literal["waiting", "running", "done", "cancelled", "failed"]
ACTIVE: Final = ("waiting", "running")
# What happened to a line, beside the results of an import. `source_missing`: the file, which was complete, does not
# have this record; `restored`: an undo put the record back; `kept`: it did not, because the record changed since.
Ending = Literal["source_missing", "restored", "kept"]


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be stored. ``headings``: of each column as the partner wrote it; ``unknown``: those not read.

    ``undoes``: the number of the job that it undoes. ``body_hash``: SHA-256 of what was sent.
    """

    source: str
    organisation: str
    author: str
    language: Language
    kind: JobKind = "push"
    undoes: int | None = None
    dry_run: bool = False
    full: bool = False
    headings: Mapping[str, str] = field(default_factory=dict)
    unknown: Sequence[str] = ()
    total: int = 0
    body_hash: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A stored job. ``done``: how many of its ``total`` lines are committed; ``counts``: their results.

    ``note``: the code of what did not go as asked. ``undone_by``: the number of the job that undoes it.
    """

    number: int
    what: NewJob
    state: JobState
    done: int
    counts: Mapping[str, int]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    cancel_requested: bool
    note: str | None
    undone_by: int | None

    @property
    def id(self) -> str:
        return job_id(self.number)


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be known about a line. ``column``: its name in ``columns.json``; empty: the whole line."""

    column: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """What became of a line. ``line``: its number in the file; of records that are not in the file 0.

    ``scope``: the answer of the scope gate. ``changed``: the fields of the trial that changed. ``before``: how to put
    the record back, where it changed (`services.registry.records.states`).
    """

    line: int
    source_id: str | None
    result: str
    trial: str | None = None
    trial_id: str | None = None
    scope: str | None = None
    messages: Sequence[Message] = ()
    changed: Sequence[str] = ()
    before: str | None = None

    @property
    def detail(self) -> str:
        """What is stored of it as JSON."""
        return json.dumps(
            {
                "trial": self.trial,
                "scope": self.scope,
                "messages": [[one.column, one.code, one.detail] for one in self.messages],
                "changed": list(self.changed),
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )


def job_id(number: int) -> str:
    """Return the id of a job: ``J`` and at least six digits."""
    return f"J{number:06}"


def job_number(text: str) -> int | None:
    """Return the number in the id of a job; None if it is none."""
    digits = text.removeprefix("J")
    return int(digits) if text.startswith("J") and digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def packed(items: Iterable[Item]) -> bytes:
    """Pack lines for storage."""
    rows = [
        [
            one.line,
            one.source_id,
            None if one.content is None else one.content.decode("ascii"),
            one.bytes_hash,
            [[fault.column, fault.code] for fault in one.faults],
        ]
        for one in items
    ]
    return zlib.compress(json.dumps(rows, separators=(",", ":")).encode("ascii"), 3)


def unpacked(content: bytes) -> list[Item]:
    """Return the lines that `packed` wrote."""
    rows: list[list[Any]] = json.loads(zlib.decompress(content))
    return [
        Item(
            line,
            source_id,
            None if text is None else text.encode("ascii"),
            digest,
            tuple(CellFault(*one) for one in faults),
        )
        for line, source_id, text, digest, faults in rows
    ]


def written(job: NewJob) -> dict[str, Any]:
    """Return the columns of a new job."""
    return {**asdict(job), "headings": json.dumps(dict(job.headings)), "unknown": json.dumps(list(job.unknown))}
