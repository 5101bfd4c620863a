"""The export over HTTP: everything a caller may see, one JSON object a line."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from services.registry.export.model import ExportScope
from services.registry.export.service import ExportService
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts, produces

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["feed"])

Reader = Annotated[Access, Depends(allow("feed", "read"))]
MEDIA_TYPE = "application/x-ndjson"


@router.get("/export", response_class=Response, responses={200: {"content": {MEDIA_TYPE: {}}}})
@accepts(seconds=None)
@produces(MEDIA_TYPE)
async def export(request: Request, access: Reader) -> StreamingResponse:
    """Everything the caller may see, one JSON object a line.

    It may be a minute old. The first line has the path of the feed that continues it: what changed since then.
    """
    service: ExportService = request.app.state.export
    build = await service.get(ExportScope.of(access), present=access.principal.kind == "service")
    headers = {"Cache-Control": "no-store", "Content-Length": str(build.file.size)}
    return StreamingResponse(build.file.chunks(), media_type=MEDIA_TYPE, headers=headers)
