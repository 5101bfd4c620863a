"""What the audit log records of a request: decided by its policy and its outcome, never by its content."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from fastapi import Request

from shared.access import Principal
from shared.access.policy import Action, decide
from shared.audit.entries import Auditor, Entry, Outcome
from shared.audit.recording import DatabaseAudit
from shared.persistence import Writing

logger = logging.getLogger(__name__)

# Resources whose identifiers are public or the network's own. Any other path could name the record of a person.
WITH_IDENTIFIER = frozenset(
    {"trial", "statement", "centre", "source", "subscription", "organisation", "client", "member"}
)
DENIALS = frozenset({401, 403, 404})


class AuditedCall(Protocol):
    """The part of the request context that an entry is made of."""

    request_id: str
    principal: Principal | None


@dataclass(slots=True)
class RequestAudit:
    """The audit of one request. ``declared_status``: the status of its answer when it succeeds."""

    request: Request
    call: AuditedCall
    resource: str
    action: Action
    declared_status: int

    @property
    def caller(self) -> Principal | None:
        return self.call.principal

    @property
    def _auditor(self) -> Auditor | None:
        auditor: Auditor | None = getattr(self.request.app.state, "audit", None)
        return auditor

    @property
    def _rows(self) -> str | None:
        """The rows that the caller may use; None: none."""
        grant = decide(self.caller, self.action, self.resource) if self.caller else None
        return grant.rows if grant else None

    async def before_commit(self, connection: Writing) -> None:
        """Record a write in its own transaction."""
        auditor = self._auditor
        if self.action == "write" and self.caller is not None and isinstance(auditor, DatabaseAudit):
            await auditor.append(connection, self._entry("done", self.declared_status))

    async def finish(self, status: int, *, is_replay: bool) -> None:
        """Record what the outcome requires, before the answer is sent; a write has recorded itself in its transaction.

        :raises Problem: an answered read could not be recorded, so it must not be sent.
        """
        auditor = self._auditor
        if auditor is None:
            return
        if self._is_denial(status):
            await self._record_denial(auditor, status)
        elif status < 400 and (is_replay or self._is_confidential_read()):
            await auditor.record(self._entry("read", status))

    async def _record_denial(self, auditor: Auditor, status: int) -> None:
        entry = self._entry("denied", status)
        if self.caller is None or self.caller.kind == "public":
            auditor.note(entry)
            return
        try:
            await auditor.record(entry)
        except Exception:
            # The request is denied even if that cannot be recorded.
            logger.exception("denial_not_recorded")

    def _is_confidential_read(self) -> bool:
        """Return whether a read, or a computation, showed more than the public may see.

        Reads by other services of the installation are not recorded: they follow every change and would bury the rest.
        """
        if self.action == "write" or self.caller is None or self.caller.kind == "service":
            return False
        public = decide(Principal("public"), self.action, self.resource)
        return public is None or public.rows != self._rows

    def _is_denial(self, status: int) -> bool:
        """Return whether an error kept the caller out; a 404 may, where the caller does not see every row."""
        if status != 404:
            return status in DENIALS
        rows = self._rows
        return rows is None or (self.caller is not None and self.caller.kind != "public" and rows != "all")

    def _entry(self, outcome: Outcome, status: int) -> Entry:
        caller, path = self.caller, self.request.path_params.values()
        identifier = "/".join(str(value) for value in path) if self.resource in WITH_IDENTIFIER else ""
        return Entry(
            at=datetime.now(UTC),
            request_id=self.call.request_id[:64],
            principal=caller.kind if caller else "unknown",
            organisation=caller.organisation if caller else None,
            client=caller.client if caller else None,
            outcome=outcome,
            resource=self.resource,
            # The path of a denied request is not kept: it can contain anything.
            resource_id=identifier[:160] or None if outcome != "denied" else None,
            method=self.request.method,
            route=getattr(self.request.scope.get("route"), "path", "unknown")[:160],
            status=status,
            human=caller.human if caller else None,
        )
