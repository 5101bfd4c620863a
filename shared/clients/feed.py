"""Reading another service's feed: the loop that every consumer runs, whatever it does with the events."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import httpx

from shared.clients.internal import InternalClient, SiblingError
from shared.tracing import TraceContext, working


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in order, and the path that reads on after them."""

    events: list[dict[str, Any]]
    following: str

    @property
    def causes(self) -> dict[str, TraceContext]:
        """Event id → the span that made it, where the feed told it."""
        return {
            str(event.get("id")): cause
            for event in self.events
            if (cause := TraceContext.read(event.get("traceparent")))
        }

    def applying(self) -> AbstractContextManager[Any]:
        """The span of taking it over; none where there is nothing to take."""
        return working("apply feed", self.causes.values()) if self.events else nullcontext()


class HistoryRestartedError(Exception):
    """The feed answers 410: the copy must be loaded again from the export."""


class FeedTail:
    """Long-polls one feed. The consumer keeps ``following`` in the transaction of its effects: what is not kept is read again."""

    def __init__(self, client: InternalClient, start: str, wait: int = 20) -> None:
        self.client = client
        self.start = start
        self.wait = wait

    async def next(self, following: str | None) -> Batch:
        """The next batch, perhaps empty, after at most ``wait`` seconds.

        :raises HistoryRestartedError: the cursor is of an earlier generation.
        :raises SiblingError: no answer, or an error.
        """
        path = httpx.URL(following or self.start).copy_merge_params({"wait": str(self.wait)})
        response = await self.client.get(str(path), timeout=self.wait + 10.0)
        if response.status_code == httpx.codes.GONE:
            raise HistoryRestartedError
        if not response.is_success:
            raise SiblingError(str(response.status_code))
        return Batch(response.json(), response.links["next"]["url"])
