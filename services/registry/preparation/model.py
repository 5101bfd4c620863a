"""What a party of a trial stated, and the party that a caller is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.registry.trials.model import StoredTrial

# `needs`: of the product at a site. `follow_up`: the schedule. `gmo`: the declaration. `path`: steps of authorisation.
# `lapse`: an authorisation that lapsed, on the day that is its item; the registry writes it.
Part = Literal["needs", "follow_up", "gmo", "path", "checklist", "lapse"]
Role = Literal["coordination", "sponsor", "centre", "reader"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document belongs. ``centre``, ``item``: empty where the part has one document for the trial."""

    part: Part
    item: str = ""
    centre: str = ""


@dataclass(frozen=True, slots=True)
class Stated:
    """The last version of a document. ``text``: JSON."""

    place: Place
    version: int
    at: datetime
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class Party:
    """A caller and its trial. ``owner``: the organisation that is responsible for the trial; None: the coordination.

    ``centre``: the centre that the caller is; ``sites``: the centres of the trial.
    """

    stored: StoredTrial
    role: Role
    owner: str | None
    centre: str | None
    sites: frozenset[str]
