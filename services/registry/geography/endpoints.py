"""Loaded geographies over HTTP, for the command line of this machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.registry.geography.repository import GeographyRepository
from services.registry.geography.schemas import FilesDocument, FilesInput
from services.registry.geography.service import GeographyService
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts
from shared.idempotency import repeatable
from shared.persistence import Database
from shared.values.strict_json import Limits

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["coverage"])

Loader = Annotated[Access, Depends(allow("geography", "write"))]
FILES = "/internal/geography/files"
MOST_BODY = 32 * 1024 * 1024


@asynccontextmanager
async def _service(request: Request) -> AsyncIterator[GeographyService]:
    """Open a unit of work. No caller has rights on the table, so it is the registry's own."""
    database: Database = request.app.state.database
    async with database.transaction(as_service=True) as connection:
        yield GeographyService(GeographyRepository(connection))


@router.get(FILES, summary="List the loaded geography")
async def list_geography(request: Request, access: Loader) -> FilesDocument:
    """Return the loaded files, for the command line."""
    async with _service(request) as service:
        return FilesDocument.of(await service.files())


@router.post(FILES, status_code=201, response_class=Response, summary="Load a geography")
@repeatable("files that are loaded twice say the same; the list shows both versions, and undo removes one")
@accepts(body_bytes=MOST_BODY, limits=Limits(string=MOST_BODY), seconds=60)
async def load_geography(request: Request, access: Loader, given: FilesInput) -> Response:
    """Store files that the command line has read."""
    async with _service(request) as service:
        await service.load(given.files)
    await request.app.state.geography.refresh()
    return Response(status_code=201)


@router.delete(f"{FILES}/last", summary="Remove the last geography")
async def undo_geography(request: Request, access: Loader) -> FilesDocument:
    """Remove the files that were loaded last and return them, if there are any."""
    async with _service(request) as service:
        removed = await service.undo()
    await request.app.state.geography.refresh()
    return FilesDocument.of(removed)
