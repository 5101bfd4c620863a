"""What is stated about the authorisation and the opening of sites. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

PathStep = Literal[
    "submission",
    "validation",
    "part_1",
    "part_2",
    "decision",
    "added_submission",
    "added_member_state",
    "lriph",
    "first_inclusion",
]
StepState = Literal["planned", "under_way", "done", "refused", "not_required"]
GmoState = Literal["not_required", "declared", "accepted", "refused", "expired"]
ItemName = Literal[
    "contract", "gmo_list", "lriph", "pharmacy", "biosafety", "training", "initiation_visit", "green_light"
]
Owner = Literal["centre", "sponsor", "coordination"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What was entered of a step. ``on``: when it was done or refused, began, or is planned."""

    state: StepState
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """The declaration of a GMO by the sponsor, with its list of sites."""

    state: GmoState
    expires_on: date | None
    sites: frozenset[str]


@dataclass(frozen=True, slots=True)
class PathFacts:
    """What is known of a trial. ``interventional``, ``gmo``: None: not known. ``in_ctis``: it has an EU CT number.

    ``included_on``: a first inclusion in France by its record. ``declaration``: None: none was stated.
    ``entries``: by step.
    """

    interventional: bool | None
    gmo: bool | None
    in_ctis: bool
    early_phase: bool
    included_on: date | None
    declaration: Declaration | None
    entries: Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Timed:
    """A step with its dates; None: not known. ``estimated``: by the clocks of the regulation, or planned."""

    step: str
    required: bool
    earliest: date | None = None
    latest: date | None = None
    estimated: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """A blocker or an alarm. ``step``: of the path. ``on``: the day that matters."""

    code: str
    step: str
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """The regulatory path of a trial in France. ``lapses_on``: None once a patient is included."""

    steps: tuple[Timed, ...]
    blockers: tuple[Found, ...]
    alarms: tuple[Found, ...]
    lapses_on: date | None


@dataclass(frozen=True, slots=True)
class ItemEntry:
    """What was stated of an item of the checklist."""

    owner: Owner
    due: date | None = None
    done_on: date | None = None


def missing_items(required: Collection[ItemName], entries: Mapping[ItemName, ItemEntry]) -> list[ItemName]:
    """Return the required items before the green light that are not done, in their order."""
    return [
        item for item in required if item != "green_light" and (item not in entries or entries[item].done_on is None)
    ]
