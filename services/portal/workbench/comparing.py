"""The difference between two answers of a match: which trials open or close, and which dates move. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Trial = Mapping[str, Any]
_RANK = ("excluded", "not_now", "not_yet", "possible", "compatible")
_OPEN = frozenset({"possible", "compatible"})
DIRECTIONS = ("opens", "closes", "nearer", "further", "changes")


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs for one trial; None: it is not in that answer.

    ``direction``: ``opens``, ``closes``, ``nearer`` or ``further`` (the verdict is better or worse), or ``changes``
    (dates or the number of unknown criteria only).
    """

    trial: Trial
    before: Trial | None
    after: Trial | None
    direction: str


def unknown_criteria(trial: Trial) -> int:
    """Return how many criteria are unknown that are not left to the investigator."""
    return sum(1 for one in trial["criteria"] if one["state"] == "unknown" and not one["left_to_investigator"])


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return the trials whose verdict, dates or unknown criteria differ, those that open first."""
    old, new = ({one["id"]: one for one in answer["results"]} for answer in (before, after))
    found = [
        Difference(new.get(key) or old[key], old.get(key), new.get(key), _direction(old.get(key), new.get(key)))
        for key in {**new, **old}
        if _shown(old.get(key)) != _shown(new.get(key))
    ]
    return sorted(found, key=lambda one: DIRECTIONS.index(one.direction))


def _shown(trial: Trial | None) -> tuple[Any, ...] | None:
    if trial is None:
        return None
    return trial["verdict"], trial["from"], trial["until"], trial["refer_before"], unknown_criteria(trial)


def _direction(old: Trial | None, new: Trial | None) -> str:
    was_open, is_open = (one is not None and one["verdict"] in _OPEN for one in (old, new))
    if was_open != is_open:
        return "opens" if is_open else "closes"
    before, after = (-1 if one is None else _RANK.index(one["verdict"]) for one in (old, new))
    return "changes" if before == after else "nearer" if after > before else "further"
