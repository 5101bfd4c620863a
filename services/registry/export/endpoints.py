"""The export over HTTP: everything a caller may see, one JSON object a line."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, StreamingResponse

from services.registry.export.model import ExportScope
from services.registry.export.schemas import ExportLine
from services.registry.export.service import ExportService
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts, produces

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["feed"])

Reader = Annotated[Access, Depends(allow("feed", "read"))]
MEDIA_TYPE = "application/x-ndjson"


class DescribedResponse(JSONResponse):
    """For OpenAPI: FastAPI describes the model of an answer only for a subclass of `JSONResponse`."""

    media_type = MEDIA_TYPE


@router.get("/export", response_class=DescribedResponse, response_model=ExportLine, summary="Export the registry")
@accepts(seconds=None)
@produces(MEDIA_TYPE)
async def export(request: Request, access: Reader) -> StreamingResponse:
    """Return everything that the caller may see, one JSON object on each line: a header, centres, trials and an end.

    It may be a minute old: load it, then follow the feed from the path in the header, which has what changed since
    then. A file without its end line is incomplete.
    """
    service: ExportService = request.app.state.export
    build = await service.get(ExportScope.of(access), present=access.principal.kind == "service")
    headers = {"Cache-Control": "no-store", "Content-Length": str(build.file.size)}
    return StreamingResponse(build.file.chunks(), media_type=MEDIA_TYPE, headers=headers)
