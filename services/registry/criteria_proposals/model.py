"""A proposal of criteria. Plain."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Outcome = Literal["signed", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Criteria that wait for a second person.

    ``draft``: JSON of `schemas.CriteriaDraft`. ``base``: the version of the criteria that they were made from; None:
    there were none. ``written_from``: the hash of the source's text then. ``author``: organisation and person.
    ``outcome``: None: it waits.
    """

    number: int
    version: int
    draft: str
    base: int | None
    written_from: str | None
    author: str
    at: datetime
    outcome: Outcome | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A proposal that waits, in short. ``trial``: the id of its trial."""

    trial: str
    number: int
    at: datetime
