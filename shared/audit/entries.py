"""Entries of the audit log: plain data. What is recorded of a request is decided in `shared.http.auditing`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Protocol

Outcome = Literal["done", "read", "denied"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit log.

    ``principal``: a kind of caller (`unknown`: no valid token). ``route``: a template, never a path.
    ``count``: above 1 where equal denials of anonymous callers within one second were aggregated.
    ``human``: a member's opaque identifier, where a person called.
    """

    at: datetime
    request_id: str
    principal: str
    organisation: str | None
    client: str | None
    outcome: Outcome
    resource: str
    resource_id: str | None
    method: str
    route: str
    status: int
    count: int = 1
    human: str | None = None


class Auditor(Protocol):
    """Where entries are written."""

    async def record(self, entry: Entry) -> None:
        """Write an entry now: it is stored when this returns."""

    def note(self, entry: Entry) -> None:
        """Write an entry within a second, aggregated with equal ones."""


class DenialAggregator:
    """Aggregates denials of anonymous callers: a flood of equal requests writes one entry a second."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[Any, ...], Entry] = {}

    def add(self, entry: Entry) -> None:
        key = (entry.method, entry.route, entry.status, entry.principal)
        known = self._waiting.get(key)
        self._waiting[key] = entry if known is None else replace(known, count=known.count + entry.count)

    @contextmanager
    def taken(self) -> Iterator[list[Entry]]:
        """Give the waiting entries to the block; those it leaves in the list go on waiting."""
        waiting, self._waiting = list(self._waiting.values()), {}
        try:
            yield waiting
        finally:
            for entry in waiting:
                self.add(entry)
