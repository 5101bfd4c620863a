"""Read subscriptions and act on them over the API."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.portal.clients.api import Api, segment
from services.portal.clients.pages_of_lists import every
from services.portal.pages.forms import Form

SUBSCRIPTIONS = "/notifications/v1/subscriptions"
_RECENT = 20
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Health:
    """A subscription and its last deliveries, newest first."""

    subscription: Row
    deliveries: Sequence[Row]

    @property
    def last(self) -> Row | None:
        """The last delivery that reached the receiver."""
        return next((one for one in self.deliveries if one["state"] == "delivered"), None)

    @property
    def failures(self) -> int:
        """How many of the last deliveries were given up, or had no success yet."""
        return sum(1 for one in self.deliveries if one["state"] != "delivered" and one["attempts"])

    @property
    def waiting(self) -> int:
        """How many of the last deliveries wait."""
        return sum(1 for one in self.deliveries if one["state"] in {"pending", "sending", "held"})


async def subscriptions_of(api: Api) -> Sequence[Health]:
    """Return the subscriptions of the visitor's organisation with their last deliveries."""
    rows = await every(api, SUBSCRIPTIONS)
    logs = await asyncio.gather(
        *(api.get(f"{SUBSCRIPTIONS}/{segment(row['id'])}/deliveries", limit=_RECENT) for row in rows)
    )
    return [Health(row, log["items"]) for row, log in zip(rows, logs, strict=True)]


async def act_on(api: Api, subscription: str, form: Form) -> None:
    """Pause, resume or test a subscription.

    :raises ApiError: 412, it has changed since; 404, there is no such subscription.
    """
    path = f"{SUBSCRIPTIONS}/{segment(subscription)}"
    if form.one("action") == "test":
        await api.call("POST", f"{path}/test", json={})
        return
    found = await api.get(path)
    kept = {name: found[name] for name in ("channel", "types", "filter")}
    status = "disabled" if form.one("action") == "pause" else "active"
    await api.call("PUT", path, json={**kept, "status": status}, headers={"If-Match": form.one("etag")})


async def create(api: Api, form: Form) -> Row:
    """Create a subscription to every event that the organisation may read. The answer shows the secret once.

    :raises ApiError: 422, the address is refused.
    """
    body = {"channel": {"type": "webhook", "url": form.one("url")}}
    made: Row = (await api.call("POST", SUBSCRIPTIONS, json=body, headers={"Idempotency-Key": form.one("key")})).body
    return made
