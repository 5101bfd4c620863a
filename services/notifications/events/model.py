"""Events as they are sent: thin CloudEvents, with the same text for every subscriber and every attempt."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.feed.changes import Routing, read_routing
from shared.values.wire import write_instant

MAX_BYTES = 20_000
MAX_SOURCE = 300
ROUTING = "routing"
# Attributes that only services receive; never sent to subscribers.
INTERNAL = frozenset({ROUTING, "traceparent"})
TEST_SOURCE = "/notifications"
TEST_TYPE = "subscription.test"
# Asks an address for its consent; sent by e-mail only.
CONFIRM_TYPE = "subscription.confirm"


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One event of a feed.

    ``source``: the service that sent it, such as ``/registry``; ``cloudevent`` has the full URI, which changes with the
    public URL. ``routing``: the audience of its subject before and after the change; None: no audience.
    """

    source: str
    id: str
    type: str
    subject: str
    at: datetime
    cloudevent: Mapping[str, Any]
    routing: tuple[Routing, Routing] | None

    @property
    def body(self) -> str:
        """The text for subscribers who may see the subject. One longer than `MAX_BYTES` is reduced to its identity."""
        text = _write(self.cloudevent)
        if len(text.encode()) <= MAX_BYTES:
            return text
        data = {name: value for name, value in self.cloudevent["data"].items() if name in {"op", "id", "version"}}
        return _write({**self.cloudevent, "data": data})

    @property
    def tombstone(self) -> str:
        """The text for subscribers who may no longer see the subject."""
        kind, _, identifier = self.subject.partition("/")
        return _write({**self.cloudevent, "type": f"{kind}.removed", "data": {"op": "delete", "id": identifier}})


def read_event(document: Mapping[str, Any]) -> FeedEvent:
    """Read a CloudEvent of a feed.

    :raises KeyError: an attribute is missing.
    :raises TypeError: an attribute has another type.
    :raises ValueError: an attribute is malformed or too long.
    """
    if (
        len(document["id"]) > 64
        or len(document["source"]) > MAX_SOURCE
        or len(document["type"]) > 64
        or len(document["subject"]) > 160
    ):
        raise ValueError("an attribute is longer than the feed allows")
    routing = document.get(ROUTING)
    return FeedEvent(
        source=_service_of(document["source"]),
        id=document["id"],
        type=document["type"],
        subject=document["subject"],
        at=datetime.fromisoformat(document["time"]),
        cloudevent={name: value for name, value in document.items() if name not in INTERNAL},
        routing=None if routing is None else (read_routing(routing["before"]), read_routing(routing["after"])),
    )


def new_own_event(subscription: str, now: datetime, installation: str, kind: str = TEST_TYPE) -> FeedEvent:
    """Create the event that the test button of a subscription sends, or another one about the subscription itself.

    :param installation: the URI that names this installation in events.
    """
    event_id, subject = str(uuid.uuid4()), f"subscription/{subscription}"
    cloudevent = {
        "specversion": "1.0",
        "id": event_id,
        "source": f"{installation}{TEST_SOURCE}",
        "type": kind,
        "subject": subject,
        "time": write_instant(now),
        "datacontenttype": "application/json",
        "data": {"op": kind.rpartition(".")[2], "id": subscription},
    }
    return FeedEvent(TEST_SOURCE, event_id, kind, subject, now, cloudevent, None)


def _service_of(source: str) -> str:
    """The service at the end of a source: ``/registry`` of ``https://cleio.example/registry``."""
    name = source.rpartition("/")[2]
    if not 0 < len(name) < 64:
        raise ValueError("the source of the event names no service")
    return f"/{name}"


def _write(cloudevent: Mapping[str, Any]) -> str:
    return json.dumps(cloudevent, ensure_ascii=False, separators=(",", ":"))
