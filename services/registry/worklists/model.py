"""An item of a worklist, and the reader that it waits for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib import resources
from typing import Final, Literal

from shared.values.wire import Label

ReaderKind = Literal["hospital", "centre", "sponsor", "coordination"]


def _read() -> dict[str, Label]:
    kinds = json.loads((resources.files(__package__) / "kinds.json").read_text("utf-8"))
    return {name: Label(**label) for name, label in kinds.items()}


# The kinds of items (``kinds.json``, reviewed data) with their names.
KINDS: Final[Mapping[str, Label]] = _read()


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a worklist is. ``id``: of the organisation, of a centre that of the centre; empty: the coordination.

    ``now``: the instant; ``today``: the day in France. ``answer_days``: within which a centre answers a referral.
    ``signs_as``: the author as whom the caller may sign criteria; empty: it may not.
    """

    kind: ReaderKind
    id: str
    now: datetime
    today: date
    answer_days: int
    signs_as: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that waits. ``kind``: of `KINDS`. ``subject``: as in the feed, such as ``referral/REF-…``.

    ``due``: None: no day is set. ``since``: the day from which it waits. ``link``: the path to read.
    ``count``: of what is counted, not listed.
    """

    kind: str
    subject: str
    due: date | None
    since: date
    link: str
    trial: str | None = None
    centre: str | None = None
    count: int | None = None
