"""The audit log over HTTP: an organisation reads the entries of its own callers, the coordination reads all."""

from collections.abc import Sequence
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from shared.access.policy import Access
from shared.audit.entries import Entry
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute
from shared.values.wire import ApiModel, Instant

Reader = Annotated[Access, Depends(allow("audit", "read"))]


class AuditEvent(ApiModel):
    """One entry: the actor, the action, its subject and the time."""

    at: Instant = Field(description="When it happened.")
    request_id: str = Field(description="The id of the request, as in the header `X-Request-Id`.")
    principal: str = Field(description="The kind of caller; `unknown`: without a valid token.")
    organisation: str | None = Field(description="The id of the caller's organisation.")
    client: str | None = Field(description="The id of the client.")
    human: str | None = Field(description="The opaque identifier of the person who called; null: a program.")
    outcome: str = Field(
        description="`done`: something was changed. `read`: data that are not public were read. `denied`: the call "
        "was refused."
    )
    resource: str = Field(description="The kind of resource.")
    resource_id: str | None = Field(description="The id of the resource; null: a list, or none.")
    method: str = Field(description="The HTTP method.")
    route: str = Field(description="The template of the path.")
    status: int = Field(description="The HTTP status of the answer.")
    count: int = Field(
        description="The number of calls; above 1 where equal denials within one second were aggregated."
    )


class AuditPage(ApiModel):
    """A page of the audit log."""

    items: list[AuditEvent] = Field(description="The entries of this page, newest first.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")


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

    @router.api_route("/audit-events", methods=["GET", "HEAD"], summary="List audit events")
    async def list_audit_events(
        request: Request, response: Response, access: Reader, limit: Limit = 50, cursor: Cursor = None
    ) -> AuditPage:
        """List the audit log of the service, newest first: the entries of the caller's organisation, or all of them."""
        log: AuditLogReader = request.app.state.audit
        only = None if access.rows == "all" else access.principal.organisation or ""
        found = await log.page(only, open_page(request, cursor), limit + 1)
        page = found[:limit]
        items = [AuditEvent(**{name: getattr(entry, name) for name in AuditEvent.model_fields}) for _, entry in page]
        return AuditPage(items=items, next=close_page(request, response, page[-1][0] if len(found) > limit else None))

    return router
