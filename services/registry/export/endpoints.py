"""The export over HTTP: everything a caller may see, one JSON object a line."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from services.registry.export.service import ExportService
from shared.access.policy import Access
from shared.endpoints.feed import seal_position
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts, produces

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["feed"])

Reader = Annotated[Access, Depends(allow("feed", "read"))]
MEDIA_TYPE = "application/x-ndjson"


@router.get("/export", response_class=Response, responses={200: {"content": {MEDIA_TYPE: {}}}})
@accepts(seconds=None)
@produces(MEDIA_TYPE)
async def export(request: Request, access: Reader) -> StreamingResponse:
    """Everything the caller may see, one JSON object a line."""
    lines = _lines(request, ExportService(request.app.state.database, access))
    return StreamingResponse(lines, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})


async def _lines(request: Request, service: ExportService) -> AsyncIterator[str]:
    cursor = seal_position(request.app.state.cursors, "registry", await service.position())
    async for chunk in service.lines(f"/registry/v1/feed?cursor={cursor}", request.app.state.terminology.version):
        yield chunk
