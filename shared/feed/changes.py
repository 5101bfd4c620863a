"""Changes and their visibility. Pure.

An entry stores its audience and routing facets before and after the change. A reader in the audience after the
change sees the event; a reader only in the audience before it sees a tombstone; other readers see nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, NamedTuple, Protocol

Facets = Mapping[str, frozenset[str]]
# Every name of the trial that a subject belongs to (`shared.vocabulary.identifiers.alias_of`).
TRIAL_FACET: Final = "trial"
# The audience of the services of this installation.
SERVICE: Final = "service"


@dataclass(frozen=True, slots=True)
class Routing:
    """The audience and facets of a subject. An absent subject has no audience."""

    audience: frozenset[str] = frozenset()
    facets: Facets = field(default_factory=dict)

    def within(self, other: "Routing") -> bool:
        """Whether every reader that selects this routing also selects ``other``."""
        return self.audience <= other.audience and all(
            values <= other.facets.get(name, frozenset()) for name, values in self.facets.items()
        )


NOT_VISIBLE = Routing()


class Routed(Protocol):
    """The audience and facets of a subject, in any type of collection."""

    @property
    def audience(self) -> Collection[str]: ...

    @property
    def facets(self) -> Mapping[str, Collection[str]]: ...


class StoredRouting(NamedTuple):
    """A routing as it is stored: lists take less time and memory than sets, and few of them are looked into."""

    audience: list[str]
    facets: dict[str, list[str]]


def write_routing(routing: Routing) -> dict[str, Any]:
    """A routing as JSON: ``{"audience": […], "facets": {name: […]}}``, sorted."""
    facets = {name: sorted(values) for name, values in routing.facets.items()}
    return {"audience": sorted(routing.audience), "facets": facets}


def with_services(routing: Routing) -> Routing:
    """Return a routing that this installation's services read too: they decide again for each of their subscribers."""
    return Routing(routing.audience | {SERVICE}, routing.facets) if routing.audience else routing


def read_routing(document: Mapping[str, Any]) -> Routing:
    """Parse what `write_routing` wrote."""
    return Routing(
        frozenset(document["audience"]), {name: frozenset(values) for name, values in document["facets"].items()}
    )


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one subject (``trial/CL…``): ids, version and the names of the changed fields, never contents."""

    type: str
    subject: str
    version: int
    before: Routing
    after: Routing
    changed: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def narrows(self) -> bool:
        """Whether some reader can no longer see the subject: such an entry is kept for ever."""
        return not self.before.within(self.after)


class Visibility(Enum):
    """How much of an entry a reader sees."""

    EVENT = "event"
    TOMBSTONE = "tombstone"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader of a feed: its audiences and its filter (facet name → wanted values; empty: all)."""

    audiences: frozenset[str]
    wanted: Facets = field(default_factory=dict)
    types: frozenset[str] = frozenset()

    def _selects(self, routing: Routed) -> bool:
        if self.audiences.isdisjoint(routing.audience):
            return False
        return not self.wanted or not any(
            values.isdisjoint(routing.facets.get(name, ())) for name, values in self.wanted.items() if values
        )

    def sees(self, event_type: str, before: Routed, after: Routed) -> Visibility:
        if self._selects(after):
            return Visibility.EVENT if not self.types or event_type in self.types else Visibility.NOTHING
        # A tombstone passes every type filter: a reader with a copy must be able to delete it.
        return Visibility.TOMBSTONE if self._selects(before) else Visibility.NOTHING
