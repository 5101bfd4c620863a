"""Events as they are sent: thin CloudEvents, the same text for everybody who may see the event and for every attempt."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.feed.changes import Routing, read_routing

MAX_BYTES = 20_000
ROUTING = "routing"
# Told to services alone, and sent to nobody.
INTERNAL = frozenset({ROUTING, "traceparent"})


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One event of a feed: the CloudEvent as all may read it, and the sides before and after, told to services alone (None: nobody may see it)."""

    source: str
    id: str
    type: str
    subject: str
    at: datetime
    cloudevent: Mapping[str, Any]
    sides: tuple[Routing, Routing] | None

    @property
    def body(self) -> str:
        """What who sees the event is sent. One that is not thin after all is cut down to its identity."""
        text = _write(self.cloudevent)
        if len(text.encode()) <= MAX_BYTES:
            return text
        data = {name: value for name, value in self.cloudevent["data"].items() if name in {"op", "id", "version"}}
        return _write({**self.cloudevent, "data": data})

    @property
    def tombstone(self) -> str:
        """What who lost sight of the subject is sent."""
        kind, _, identifier = self.subject.partition("/")
        return _write({**self.cloudevent, "type": f"{kind}.removed", "data": {"op": "delete", "id": identifier}})


def read_event(document: Mapping[str, Any]) -> FeedEvent:
    """A CloudEvent of a feed as read over HTTP.

    :raises KeyError: an attribute is missing.
    :raises TypeError: one is of another type.
    :raises ValueError: one is not readable, or too long to be one of ours.
    """
    if (
        len(document["id"]) > 64
        or len(document["source"]) > 64
        or len(document["type"]) > 64
        or len(document["subject"]) > 160
    ):
        raise ValueError("longer than any event of ours")
    routing = document.get(ROUTING)
    return FeedEvent(
        source=document["source"],
        id=document["id"],
        type=document["type"],
        subject=document["subject"],
        at=datetime.fromisoformat(document["time"]),
        cloudevent={name: value for name, value in document.items() if name not in INTERNAL},
        sides=None if routing is None else (read_routing(routing["before"]), read_routing(routing["after"])),
    )


def _write(cloudevent: Mapping[str, Any]) -> str:
    return json.dumps(cloudevent, ensure_ascii=False, separators=(",", ":"))
