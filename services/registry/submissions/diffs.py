"""What differs between two versions of a dossier. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.registry.merge.fields import at_path, differing_paths, is_empty
from services.registry.submissions.content import SubmissionContent

# What decides on who can take part: an amendment of it asks the centres again.
CRITERIA: Final = ("eligibility", "conditions", "cohorts")
_TRIAL: Final = "trial"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that differs. ``path``: ``title``, ``registration.ethics``, ``trial.eligibility.maximum_age``."""

    path: str
    before: Any
    after: Any


def changes(before: SubmissionContent, after: SubmissionContent) -> list[FieldChange]:
    """Return the fields in which two contents differ."""
    one, other = before.model_dump(mode="json"), after.model_dump(mode="json")
    found = [FieldChange(path, at_path(one, path), at_path(other, path)) for path in _own_paths(one, other)]
    old, new = one[_TRIAL], other[_TRIAL]
    return found + [
        FieldChange(f"{_TRIAL}.{path}", at_path(old, path), at_path(new, path)) for path in differing_paths(old, new)
    ]


def criteria_changed(before: SubmissionContent, after: SubmissionContent) -> bool:
    """Return whether an amendment changes who can take part: feasibility and open referrals must be looked at again."""
    return any(getattr(before.trial, name) != getattr(after.trial, name) for name in CRITERIA)


def _own_paths(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    found = []
    for name in one.keys() - {_TRIAL}:
        before, after = one[name], other[name]
        if isinstance(before, dict) and isinstance(after, dict):
            members = sorted({*before, *after})
            found += [f"{name}.{member}" for member in members if before.get(member) != after.get(member)]
        elif before != after and not (is_empty(before) and is_empty(after)):
            found.append(name)
    return sorted(found)
