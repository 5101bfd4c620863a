"""Stored statements and conflicts, and where the parts of a trial come from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.registry.merge.model import Conflict, Provenance, Statement

Origins = Mapping[str, tuple[Provenance, ...]]


@dataclass(frozen=True, slots=True)
class StoredStatement:
    """A statement, who made it and why, and who withdrew it, if anyone did."""

    statement: Statement
    author: str
    reason: str | None
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None


@dataclass(frozen=True, slots=True)
class OpenConflict:
    """A conflict of a trial, and since when it is open."""

    trial_key: str
    conflict: Conflict
    since: datetime


@dataclass(frozen=True, slots=True)
class Author:
    """A person or program that states something, and why. ``name``: as in the audit log, never a person's name."""

    name: str
    reason: str | None = None


def dump_origins(origins: Origins) -> str:
    """Write where the parts of a trial come from as JSON."""
    return json.dumps(
        {
            path: [
                [one.source, one.source_id, one.dated, one.statement, *([one.of] if one.of else [])] for one in found
            ]
            for path, found in sorted(origins.items())
        },
        separators=(",", ":"),
    )


def load_origins(text: str) -> Origins:
    """Parse what `dump_origins` wrote."""
    return {path: tuple(Provenance(*one) for one in found) for path, found in json.loads(text).items()}
