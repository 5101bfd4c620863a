"""The audit log over HTTP: an organisation reads the entries of its own callers, the coordination reads all."""

from collections.abc import Sequence
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Request, Response

from shared.access.policy import Access
from shared.audit.entries import Entry
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute
from shared.values.wire import ApiModel, Instant

Reader = Annotated[Access, Depends(allow("audit", "read"))]


class AuditEvent(ApiModel):
    """One entry: the actor, the action, its subject and the time.

    `outcome`: done, read or denied. `count`: above 1 for equal denials of one second that were aggregated.
    """

    at: Instant
    request_id: str
    principal: str
    organisation: str | None
    client: str | None
    human: str | None
    outcome: str
    resource: str
    resource_id: str | None
    method: str
    route: str
    status: int
    count: int


class AuditPage(ApiModel):
    items: list[AuditEvent]
    next: str | None


class AuditLogReader(Protocol):
    """Where entries are read from."""

    async def page(
        self, organisation: str | None, after: list[Any] | None, limit: int
    ) -> Sequence[tuple[list[Any], Entry]]:
        """Return entries, newest first, each with its position, after the position ``after``.

        ``organisation``: only its entries; None: all.
        """


def audit_router(service: str) -> APIRouter:
    """``GET /<service>/v1/audit-events``."""
    router = APIRouter(prefix=f"/{service}/v1", route_class=ApiRoute, tags=["audit"])

    @router.api_route("/audit-events", methods=["GET", "HEAD"])
    async def list_audit_events(
        request: Request, response: Response, access: Reader, limit: Limit = 50, cursor: Cursor = None
    ) -> AuditPage:
        """The audit log of the service, newest first: the entries of the caller's organisation, or all of them."""
        log: AuditLogReader = request.app.state.audit
        only = None if access.rows == "all" else access.principal.organisation or ""
        found = await log.page(only, open_page(request, cursor), limit + 1)
        page = found[:limit]
        items = [AuditEvent(**{name: getattr(entry, name) for name in AuditEvent.model_fields}) for _, entry in page]
        return AuditPage(items=items, next=close_page(request, response, page[-1][0] if len(found) > limit else None))

    return router
