"""What one change is, and who sees what of it: pure.

Each entry keeps its audience and routing facets *before and after* the change. Who is in the one after sees the event;
who was only in the one before sees a tombstone; nobody else learns that anything happened.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from shared.values.wire import write_instant

Facets = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Routing:
    """A subject as routing sees it: who may read it, and what it is about. An absent subject has no audience."""

    audience: frozenset[str] = frozenset()
    facets: Facets = field(default_factory=dict)

    def within(self, other: "Routing") -> bool:
        """Whether everyone who can select this side can select ``other`` too."""
        return self.audience <= other.audience and all(
            values <= other.facets.get(name, frozenset()) for name, values in self.facets.items()
        )


NOT_VISIBLE = Routing()


def write_routing(side: Routing) -> dict[str, Any]:
    """A side as JSON: ``{"audience": […], "facets": {name: […]}}``, sorted."""
    return {"audience": sorted(side.audience), "facets": {name: sorted(values) for name, values in side.facets.items()}}


def read_routing(document: Mapping[str, Any]) -> Routing:
    """The inverse of `write_routing`."""
    return Routing(
        frozenset(document["audience"]), {name: frozenset(values) for name, values in document["facets"].items()}
    )


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one subject (``trial/NCT…``): ids, version and the names of what changed, never contents."""

    type: str
    subject: str
    version: int
    before: Routing
    after: Routing
    changed: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def narrows(self) -> bool:
        """Whether somebody loses sight of the subject: such an entry is kept for ever."""
        return not self.before.within(self.after)


class Visibility(Enum):
    """What a reader sees of an entry."""

    EVENT = "event"
    TOMBSTONE = "tombstone"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader of a feed: the audiences it belongs to and the filter it asked for (facet name → wanted values; empty takes all)."""

    audiences: frozenset[str]
    wanted: Facets = field(default_factory=dict)
    types: frozenset[str] = frozenset()

    def _selects(self, side: Routing) -> bool:
        return bool(self.audiences & side.audience) and all(
            values & side.facets.get(name, frozenset()) for name, values in self.wanted.items() if values
        )

    def sees(self, event_type: str, before: Routing, after: Routing) -> Visibility:
        if self._selects(after):
            return Visibility.EVENT if not self.types or event_type in self.types else Visibility.NOTHING
        # A tombstone passes every type filter: who holds a copy must be able to drop it.
        return Visibility.TOMBSTONE if self._selects(before) else Visibility.NOTHING


def to_cloudevent(
    *,
    source: str,
    event_id: str,
    event_type: str,
    subject: str,
    version: int,
    at: datetime,
    changed: tuple[str, ...],
    extra: Mapping[str, str],
    tombstone: bool,
) -> dict[str, Any]:
    """One entry as a CloudEvents 1.0 object. A tombstone tells the subject and nothing else."""
    kind, _, identifier = subject.partition("/")
    data: dict[str, Any] = {"op": "delete", "id": identifier}
    if not tombstone:
        data = {"op": "upsert", "id": identifier, "version": version, "changed": list(changed), **extra}
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": f"{kind}.removed" if tombstone else event_type,
        "subject": subject,
        "time": write_instant(at),
        "datacontenttype": "application/json",
        "data": data,
    }
