"""Versions of trials, and what differs between them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from services.registry.merge.fields import at_path, differing_paths
from services.registry.trials.model import Cause

# What the registry itself sets, beside the fields that sources and people give.
OWN_FIELDS: Final = ("identifier", "criteria", "scope", "state")


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a trial. ``cause``: None: not known. ``document``: JSON."""

    version: int
    at: datetime
    changed: tuple[str, ...]
    published: bool
    cause: Cause | None
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that differs between two versions. ``by``: the version that changed it last."""

    path: str
    before: Any
    after: Any
    by: Version


def differences(versions: Sequence[Version]) -> list[Difference]:
    """Return what differs between the first and the last of some versions, given in their order."""
    first, last = versions[0], versions[-1]
    paths = differing_paths(first.document, last.document)
    paths += [name for name in OWN_FIELDS if first.document.get(name) != last.document.get(name)]
    return [
        Difference(path, at_path(first.document, path), at_path(last.document, path), _changed_by(path, versions))
        for path in paths
    ]


def _changed_by(path: str, versions: Sequence[Version]) -> Version:
    later = [one for before, one in pairwise(versions) if _differ(path, before, one)]
    return later[-1]


def _differ(path: str, one: Version, other: Version) -> bool:
    return bool(at_path(one.document, path) != at_path(other.document, path))
