"""The synchronisation of sources over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.registry.synchronisation.repository import ListingState, SyncRepository
from services.registry.synchronisation.schemas import ListedRecordPage, SyncRequest, SyncSource, SyncSourceList
from services.registry.synchronisation.service import SyncService
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.idempotency.marks import repeatable
from shared.persistence import Reading, Writing

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["sources"])


def _reading_service(request: Request, connection: Reading) -> SyncService:
    return SyncService(SyncRepository(connection), request.app.state.sync_schedule)


def _writing_service(request: Request, connection: Writing) -> SyncService:
    return SyncService(SyncRepository(connection), request.app.state.sync_schedule)


Reads = Annotated[SyncService, Depends(_reading_service)]
Writes = Annotated[SyncService, Depends(_writing_service)]
Reader = Annotated[Access, Depends(allow("statement", "read"))]
Writer = Annotated[Access, Depends(allow("source", "write"))]
Source = Annotated[str, Path(max_length=40, description="The source: `ctgov`, `cleio:<name>` …")]


@router.get("/sources", summary="List the sources that can be synchronised")
async def list_sources(service: Reads, _access: Reader) -> SyncSourceList:
    """List the sources with their last run, cursor, counts, lag and faults."""
    return await service.sources()


@router.get("/sources/{source}", summary="Read the state of a source")
async def read_source(service: Reads, _access: Reader, source: Source) -> SyncSource:
    """Return the state of a source, also while it is being fetched."""
    return await service.source(source)


@router.get("/sources/{source}/records", summary="List records in quarantine or missing")
async def list_listed_records(
    request: Request,
    response: Response,
    service: Reads,
    _access: Reader,
    source: Source,
    state: Annotated[
        ListingState,
        Query(description="`quarantine`: could not be imported. `missing`: the source no longer has them."),
    ] = "quarantine",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ListedRecordPage:
    """List records that could not be imported, with the reason, or that their source no longer has."""
    place = open_page(request, cursor)
    found = await service.records(source, state, str(place[0]) if place else "", limit + 1)
    page = found[:limit]
    following = close_page(request, response, [page[-1].source_id] if len(found) > limit else None)
    return ListedRecordPage(items=page, next=following)


@router.post("/sources/{source}/sync", status_code=202, summary="Fetch the records of a source")
@accepts()
@repeatable("a run that was asked for twice is one run")
async def request_sync(
    request: Request, response: Response, service: Writes, _access: Writer, source: Source, asked: SyncRequest
) -> SyncSource:
    """Ask for a run: it goes on in the background. Read the source to see how far it is."""
    state = await service.request(source, asked)
    request.app.state.sync_schedule.wake(source)
    response.headers["Location"] = f"/registry/v1/sources/{source}"
    return state


@router.delete("/sources/{source}/sync", status_code=204, summary="End the run of a source")
async def cancel_sync(service: Writes, _access: Writer, source: Source) -> None:
    """End the run in progress, and drop what was asked for. What was stored stays; the cursor does not move."""
    await service.cancel(source)
