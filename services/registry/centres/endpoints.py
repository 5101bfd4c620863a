"""Centres over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from services.registry.centres.repository import CentreRepository
from services.registry.centres.schemas import Centre, CentreInput, CentrePage
from services.registry.centres.service import CentreService
from services.registry.model.precondition import CREATES, Precondition
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.marks import cached_for_public
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import ChangePrecondition, IfMatch, IfNoneMatch, etag
from shared.persistence import Reading, Writing
from shared.vocabulary.identifiers import CentreId

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["centres"])


def _reading_service(connection: Reading) -> CentreService:
    return CentreService(CentreRepository(connection))


def _writing_service(connection: Writing) -> CentreService:
    return CentreService(CentreRepository(connection))


Reads = Annotated[CentreService, Depends(_reading_service)]
Writes = Annotated[CentreService, Depends(_writing_service)]
Reader = Annotated[Access, Depends(allow("centre", "read"))]
Writer = Annotated[Access, Depends(allow("centre", "write"))]
CentrePath = Annotated[CentreId, Path(description="The id of the centre, such as `fr-lille`.")]


@router.api_route("/centres", methods=["GET", "HEAD"], summary="List centres")
@cached_for_public
async def list_centres(
    request: Request, response: Response, centres: Reads, access: Reader, limit: Limit = 50, cursor: Cursor = None
) -> CentrePage:
    """List the centres. Those with `illustrative: true` stand in for members whose names are not public."""
    after = open_page(request, cursor)
    rows = await centres.repository.page(after[0] if after else None, limit + 1)
    page = rows[:limit]
    return CentrePage(items=page, next=close_page(request, response, [page[-1].id] if len(rows) > limit else None))


@router.api_route("/centres/{centre}", methods=["GET", "HEAD"], response_model=Centre, summary="Read a centre")
@cached_for_public
async def read_centre(cached: IfNoneMatch, centres: Reads, access: Reader, centre: CentrePath) -> Response:
    """Return one centre."""
    found = await centres.find(centre)
    return cached.unchanged(found.version) or _answer(found)


@router.put(
    "/centres/{centre}", response_model=Centre, responses={201: {"model": Centre}}, summary="Create or replace a centre"
)
@accepts()
async def write_centre(
    if_match: IfMatch, given: CentreInput, centres: Writes, access: Writer, centre: CentrePath
) -> Response:
    """Create a centre (`If-None-Match: *`) or replace a version of one (`If-Match`). A centre may write itself only."""
    expected = _precondition(if_match)
    written = await centres.put(centre, given, access, expected)
    return _answer(written, 201 if expected.creates else 200)


def _precondition(if_match: ChangePrecondition) -> Precondition:
    if if_match.creates:
        return CREATES
    return Precondition(version=if_match.required_version())


def _answer(centre: Centre, status: int = 200) -> Response:
    return Response(centre.model_dump_json(), status, {"ETag": etag(centre.version)}, "application/json")
