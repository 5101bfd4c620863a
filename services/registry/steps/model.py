"""A step of a dossier, a feasibility request or a referral."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Step:
    """What was done. It is never changed.

    ``state``: after it. ``on``: the day when it happened, as stated; ``at``: when it was recorded. ``organisation``:
    of the author; ``author``: the organisation with the person or program. ``detail``: codes and dates, no free text.
    """

    action: str
    state: str
    at: datetime
    organisation: str
    author: str
    on: date | None = None
    reason: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def since_of(steps: Sequence[Step]) -> date | None:
    """Return the day since which a subject has its state; None: it has no steps. ``steps``: oldest first."""
    first = None
    for step in reversed(steps):
        if step.state != steps[-1].state:
            break
        first = step
    return None if first is None else first.on or first.at.date()
