"""What is recorded of a request: decided by its policy and its outcome, never by its contents."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from fastapi import Request

from shared.access import Principal
from shared.access.policy import Action, decide

Outcome = Literal["done", "read", "denied"]
# The resources whose identifiers are public or the network's own. Any other path could name a person's record.
WITH_IDENTIFIER = frozenset({"trial", "centre", "source", "subscription", "organisation", "client", "member"})
DENIALS = frozenset({401, 403, 404})


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the record. ``principal`` is a kind (`unknown`: no valid token), ``route`` a template, ``count`` above 1 where equal refusals of
    one second to callers without a name stand together. ``human`` is a member's opaque identifier, where a person called.
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


@dataclass(slots=True)
class Act:
    """One request while it is served."""

    request: Request
    resource: str
    action: Action
    declared_status: int

    @property
    def caller(self) -> Principal | None:
        """Who calls, once the policy has asked; None before that, and without a valid token."""
        found: Principal | None = self.request.scope.get("cleio_caller")
        return found

    @property
    def is_write(self) -> bool:
        return self.action == "write"

    @property
    def rows(self) -> str | None:
        """The rows that the caller may touch; None: refused."""
        grant = decide(self.caller, self.action, self.resource) if self.caller else None
        return grant.rows if grant else None

    def is_read_of_what_is_not_public(self) -> bool:
        """Whether an answered read, or a computation, told more than anybody on the network may ask for.

        The services' own copying is not recorded: it is the system itself, follows each change, and would bury the rest.
        """
        if self.is_write or self.caller is None or self.caller.kind == "service":
            return False
        public = decide(Principal("public"), self.action, self.resource)
        return public is None or public.rows != self.rows

    def is_denial(self, status: int) -> bool:
        """Whether an error kept a caller out. A 404 does where the caller may not see every row: unreadable equals unknown."""
        if status != 404:
            return status in DENIALS
        return self.rows is None or (self.caller is not None and self.caller.kind != "public" and self.rows != "all")

    def entry(self, outcome: Outcome, status: int) -> Entry:
        caller, scope = self.caller, self.request.scope
        identifier = (
            "/".join(str(value) for value in self.request.path_params.values())
            if self.resource in WITH_IDENTIFIER
            else ""
        )
        return Entry(
            at=datetime.now(UTC),
            request_id=str(scope.get("cleio_request_id", "none"))[:64],
            principal=caller.kind if caller else "unknown",
            organisation=caller.organisation if caller else None,
            client=caller.client if caller else None,
            outcome=outcome,
            resource=self.resource,
            # What a refused caller wrote there is not kept: it can be anything.
            resource_id=identifier[:160] or None if outcome != "denied" else None,
            method=self.request.method,
            route=getattr(scope.get("route"), "path", "unknown")[:160],
            status=status,
            human=caller.human if caller else None,
        )


class Auditor(Protocol):
    """Where entries go."""

    async def record(self, entry: Entry) -> None:
        """SupervisedProcess when this returns."""

    def note(self, entry: Entry) -> None:
        """SupervisedProcess within a second, together with others like it."""


# The request under way: a transaction that it commits carries its entry.
CURRENT: ContextVar[Act | None] = ContextVar("cleio_act", default=None)


class DenialAggregator:
    """Refusals of callers without a name, counted: who floods the door writes one line a second."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[Any, ...], Entry] = {}

    def add(self, entry: Entry) -> None:
        key = (entry.method, entry.route, entry.status, entry.principal)
        held = self._waiting.get(key)
        self._waiting[key] = entry if held is None else replace(held, count=held.count + entry.count)

    @contextmanager
    def taken(self) -> Iterator[list[Entry]]:
        """Those that wait; what the block leaves in the list waits on."""
        waiting, self._waiting = list(self._waiting.values()), {}
        try:
            yield waiting
        finally:
            for entry in waiting:
                self.add(entry)
