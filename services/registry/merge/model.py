"""A merged trial, and where each part of it comes from."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

# `outdated_statement`: the sources say something else than when a person stated the field. `stop`: a source stopped the
# trial while a person or a source of higher rank says that it recruits. `legacy`: a source differs from what people had
# written before sources were merged. `merged_statement`: people stated different values of two trials that are merged.
ConflictKind = Literal["outdated_statement", "stop", "legacy", "merged_statement"]


@dataclass(frozen=True, slots=True)
class Statement:
    """What a person says of one path.

    ``against``: what the sources said of it at that time. ``of``: the trial on which it was made, where that is merged
    into this one.
    """

    id: int
    path: str
    value: Any
    against: Any
    at: datetime
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a value comes from: a source record and its date, or the statement of a person.

    ``of``: as in `Statement`.
    """

    source: str
    source_id: str | None
    dated: str | None
    statement: int | None = None
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something that a person should decide. ``used``: the value in the trial; ``other``: that of ``source``."""

    kind: ConflictKind
    path: str
    used: Any
    other: Any
    source: str

    @property
    def key(self) -> str:
        """A hash of the conflict: the same as long as the same values disagree."""
        said = json.dumps([self.kind, self.path, self.used, self.other, self.source], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Merged:
    """A trial as merged. ``document``: its fields as JSON; ``provenance``: of each path, and of ``<path>/<key>``."""

    document: Mapping[str, Any]
    provenance: Mapping[str, tuple[Provenance, ...]]
    conflicts: tuple[Conflict, ...]
