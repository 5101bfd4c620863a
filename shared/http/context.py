"""The request context: everything known about one request while it is served."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from shared.access import Principal
from shared.access.policy import Access
from shared.access.views import view_of
from shared.http.auditing import RequestAudit
from shared.http.limits.concurrency import Permit
from shared.http.limits.quotas import QuotaDecision
from shared.idempotency.keys import Attempt
from shared.persistence import Writing
from shared.persistence.engine import STATEMENT_SECONDS
from shared.persistence.request_scope import RequestScope
from shared.persistence.rls_sessions import RlsContext
from shared.tracing import Request as TracedRequest

KEY = "cleio"


@dataclass(slots=True, kw_only=True)
class RequestContext(RequestScope):
    """Made by `shared.operations.telemetry`, filled by the stages of `shared.http.route`.

    ``principal``: the caller, once identified; None before that and without a valid token.
    ``decision``: the guard that authorized the call, and the access it granted.
    ``quota``: what the quota of the caller was last charged; None: no quota applies.
    ``spooled``: a file with the body, on routes that spool it.
    """

    request_id: str
    trace: TracedRequest
    statement_seconds: float | None = STATEMENT_SECONDS
    principal: Principal | None = None
    decision: "tuple[object, Access] | None" = None
    audit: RequestAudit | None = None
    attempt: Attempt | None = None
    permit: Permit | None = None
    quota: QuotaDecision | None = None
    spooled: IO[bytes] | None = None

    @property
    def quota_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers that report the quota; none where the request has no quota."""
        return self.quota.headers if self.quota is not None else []

    @property
    def is_identified(self) -> bool:
        """Return whether the caller is known by now, and not anonymous."""
        return self.principal is not None and self.principal.kind != "public"

    @property
    def rls_context(self) -> RlsContext:
        return view_of(self.principal)

    async def before_commit(self, connection: Writing) -> None:
        """Store the answer for its idempotency key, then the audit entry, which locks a row until the commit."""
        if self.attempt is not None:
            await self.attempt.before_commit(connection)
        if self.audit is not None:
            await self.audit.before_commit(connection)


def context_of(request: Mapping[str, Any]) -> RequestContext:
    """Return the context of a request or of its ASGI scope."""
    context: RequestContext = request[KEY]
    return context


def request_id_of(request: Mapping[str, Any]) -> str:
    """Return the id of a request; `none` where it was refused before it got one."""
    context: RequestContext | None = request.get(KEY)
    return context.request_id if context else "none"
