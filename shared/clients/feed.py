"""Reads another service's feed with long polling: used by every consumer."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import httpx

from shared.clients.internal import InternalClient, SiblingError
from shared.tracing import TraceContext, working

# Events in one batch, unless the path says otherwise.
DEFAULT_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in order, and the path of the next batch. ``is_last``: there were no further events at that time."""

    events: list[dict[str, Any]]
    next_path: str
    is_last: bool = True

    @property
    def causes(self) -> dict[str, TraceContext]:
        """Event id → the span that made it, if the feed names it."""
        return {
            str(event.get("id")): cause
            for event in self.events
            if (cause := TraceContext.read(event.get("traceparent")))
        }

    def applying(self) -> AbstractContextManager[Any]:
        """The span of applying the batch; none for an empty one."""
        return working("apply feed", self.causes.values()) if self.events else nullcontext()


class HistoryRestartedError(Exception):
    """The feed answered 410: load the copy again from the export."""


class FeedTail:
    """Long-polls one feed. The consumer stores ``next_path`` with its effects: a lost one is read again."""

    def __init__(self, client: InternalClient, start: str, wait: int = 20) -> None:
        self.client = client
        self.start = start
        self.wait = wait

    async def next(self, path: str | None, *, wait: bool = True) -> Batch:
        """Return the next batch, possibly empty, after at most ``self.wait`` seconds, or at once without ``wait``.

        :raises HistoryRestartedError: the cursor is of an earlier generation.
        :raises SiblingError: no answer, or an error.
        """
        url = httpx.URL(path or self.start).copy_merge_params({"wait": str(self.wait if wait else 0)})
        if "limit" not in url.params:
            url = url.copy_add_param("limit", str(DEFAULT_LIMIT))
        response = await self.client.get(str(url), seconds=self.wait + 10.0)
        if response.status_code == httpx.codes.GONE:
            raise HistoryRestartedError
        if not response.is_success:
            raise SiblingError(str(response.status_code))
        events = response.json()
        return Batch(events, response.links["next"]["url"], is_last=len(events) < int(url.params["limit"]))
