"""How each field of a trial is merged (``fields.json``, reviewed data).

A path is the name of a field, or of a member of one: ``phase``, ``titles.fr``, ``product.vector``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

MergeKind = Literal["first", "group", "union", "keyed", "stop"]
STATUS: Final = ("status", "source_status", "why_stopped")
"""The fields that are taken together by the rules for stops (`status.py`)."""


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one path is merged.

    ``first``: the value of the first source that gives one, in the order of precedence. ``group``: the same, whole, but
    people may state its members. ``union``: all different items. ``keyed``: for each ``key`` of its items, the first.
    ``stop``: see `status.py`.
    """

    path: str
    kind: MergeKind
    key: str | None = None


@cache
def field_rules() -> Mapping[str, FieldRule]:
    """Return the rule of each path that sources give."""
    rows: list[dict[str, Any]] = json.loads((resources.files(__package__) / "fields.json").read_text("utf-8"))
    return {row["path"]: FieldRule(row["path"], row["kind"], row.get("key")) for row in rows}


def is_empty(value: Any) -> bool:
    """Return whether a value says that there is nothing: null, or an empty list or object."""
    return value is None or value in ([], {}) or (isinstance(value, dict) and all(map(is_empty, value.values())))


def at_path(document: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path of a trial; None where there is none."""
    name, _, member = path.partition(".")
    value = document.get(name)
    return value.get(member) if member and isinstance(value, dict) else None if member else value


def set_path(document: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a path of a trial."""
    name, _, member = path.partition(".")
    if member:
        document[name] = {**(document.get(name) or {}), member: value}
    else:
        document[name] = value


def differing_paths(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the paths, as fine as people may state them, at which two trials differ."""
    found = []
    for path, rule in field_rules().items():
        one, other = at_path(before, path), at_path(after, path)
        if rule.kind == "group" and isinstance(one, dict) and isinstance(other, dict):
            found += [f"{path}.{member}" for member in sorted({*one, *other}) if one.get(member) != other.get(member)]
        elif one != other and not (is_empty(one) and is_empty(other)):
            found.append(path)
    return found
