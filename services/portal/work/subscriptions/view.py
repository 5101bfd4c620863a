"""Subscriptions as their page shows them, and what its forms send. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from services.portal.pages.forms import Form
from shared.vocabulary.events import EVENT_TYPES

Row = Mapping[str, Any]
Channel = Literal["webhook", "email"]
PATHS: Mapping[str, str] = {
    "webhook": "/notifications/v1/subscriptions",
    "email": "/notifications/v1/mail-subscriptions",
}
# For how long a former secret may sign too.
OVERLAP_HOURS = (24, 72, 168, 0)
FREQUENCIES = ("immediate", "daily", "weekly")
_WAIT = frozenset({"pending", "sending", "held"})
_SEPARATORS = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True)
class Health:
    """A subscription and its last deliveries, newest first. ``diseases``: names of the codes of its filter."""

    subscription: Row
    deliveries: Sequence[Row]
    diseases: Mapping[str, str]

    @property
    def channel(self) -> str:
        """How it is sent: ``webhook`` or ``email``."""
        return str(self.subscription["channel"]["type"])

    @property
    def target(self) -> str:
        """The address to which it is sent."""
        channel = self.subscription["channel"]
        return str(channel["url"] if channel["type"] == "webhook" else channel["address"])

    @property
    def last(self) -> Row | None:
        """The last delivery that reached the receiver."""
        return next((one for one in self.deliveries if one["state"] == "delivered"), None)

    @property
    def failed(self) -> Sequence[Row]:
        """The last deliveries that were given up, or had no success yet."""
        return [one for one in self.deliveries if one["state"] != "delivered" and one["attempts"]]

    @property
    def waiting(self) -> int:
        """How many of the last deliveries wait."""
        return sum(1 for one in self.deliveries if one["state"] in _WAIT)

    @property
    def next_attempt(self) -> str | None:
        """When the next attempt is due; None: none is."""
        return min((one["due_at"] for one in self.deliveries if one["due_at"]), default=None)

    @property
    def tone(self) -> str:
        """The tone of its status: paused, in trouble, or well."""
        if self.subscription["status"] != "active":
            return "soon" if self.subscription["status"] == "unconfirmed" else "closed"
        return "held" if self.failed else "open"


def families() -> Sequence[tuple[str, Sequence[str]]]:
    """Return the types of events by what they are about."""
    ordered = sorted(EVENT_TYPES, key=lambda one: one.partition(".")[0])
    return [(family, list(types)) for family, types in groupby(ordered, key=lambda one: one.partition(".")[0])]


def words_of(text: str) -> list[str]:
    """Return the numbers that a field lists."""
    return [word for word in _SEPARATORS.split(text) if word]


def lines_of(text: str) -> list[str]:
    """Return the diseases that a field lists, one a line."""
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def body_of(form: Form, conditions: Iterable[str], known: Row | None) -> dict[str, Any]:
    """Return the body of a subscription. ``known``: the subscription before, whose other filters stay; None: new."""
    kept = dict(known["filter"]) if known else {}
    return {
        "channel": {**known["channel"], **_channel_of(form)} if known else _channel_of(form),
        "types": form.every("types"),
        "filter": {
            **kept,
            "condition": list(conditions),
            "departement": form.every("departement"),
            "trial": words_of(form.one("trials")),
        },
    }


def _channel_of(form: Form) -> dict[str, str]:
    if form.one("channel") == "email":
        given = {name: form.one(name) for name in ("address", "language", "frequency")}
        return {"type": "email", **{name: value for name, value in given.items() if value}}
    return {"type": "webhook", "url": form.one("url")}
