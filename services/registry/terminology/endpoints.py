"""The terminology over HTTP: concepts by code or name, and the whole as one document for matching."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from services.registry.terminology.repository import TerminologyRepository
from services.registry.terminology.schemas import ConceptDocument, ReleasesDocument, ReleasesInput
from services.registry.terminology.service import TerminologyService
from services.registry.terminology.terminology import Terminology
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.marks import cached_for_public
from shared.http.route import ApiRoute, accepts, produces
from shared.idempotency import repeatable
from shared.persistence import Database
from shared.values.strict_json import Limits
from shared.values.wire import ApiModel

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["terminology"])

Reader = Annotated[Access, Depends(allow("terminology", "read"))]
Loader = Annotated[Access, Depends(allow("terminology_release", "write"))]
DOCUMENT_TYPE = "application/gzip"


class TerminologyDocument(ApiModel):
    """Concepts of the terminology."""

    version: str = Field(description="Changes with the content.")
    concepts: list[ConceptDocument] = Field(description="The concepts.")


@router.get("/terminology", response_model=TerminologyDocument, summary="Read the terminology")
@cached_for_public
async def read_terminology(
    request: Request,
    access: Reader,
    code: Annotated[
        str | None,
        Query(
            max_length=4000,
            description="Codes in any spelling (`Orphanet:98896`), with commas: their concepts only, unknown ones left "
            "out.",
        ),
    ] = None,
    q: Annotated[
        str | None, Query(max_length=200, description="Words of a name, in French or English; accents do not matter.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="The most concepts that `q` finds.")] = 20,
) -> Response:
    """Return the concepts of codes, the concepts that words find, or else those that trials are coded with."""
    terminology: Terminology = request.app.state.terminology
    if code is None and q is None and _is_current(request, terminology):
        return Response(status_code=304, headers=_headers(terminology))
    concepts = await asyncio.to_thread(terminology.find, code, q, limit)
    document: dict[str, Any] = {"version": terminology.version, "concepts": [one.to_json() for one in concepts]}
    text = json.dumps(document, ensure_ascii=False)
    return Response(text, headers=_headers(terminology), media_type="application/json")


@router.get("/terminology/document", response_class=Response, summary="Export the terminology")
@produces(DOCUMENT_TYPE)
async def read_document(request: Request, access: Reader) -> Response:
    """Return all codes, links and labels as compressed text with tabs, for programs that match patients themselves.

    The first line names the format and the version. Each other line is one concept: its codes, more general codes,
    exclusive codes, systems covered, codes of ICD-10 for it alone, uncertain codes, state, label in French and English.
    """
    # The version may have been announced by another replica.
    await request.app.state.current_terminology.refresh()
    terminology: Terminology = request.app.state.terminology
    if _is_current(request, terminology):
        return Response(status_code=304, headers=_headers(terminology))
    content = await asyncio.to_thread(lambda: terminology.document)
    return Response(content, headers=_headers(terminology), media_type=DOCUMENT_TYPE)


RELEASES = "/internal/terminology/releases"
MAX_RELEASES_BYTES = 64 * 1024 * 1024


@asynccontextmanager
async def _service(request: Request) -> AsyncIterator[TerminologyService]:
    """Open a unit of work. No caller has rights on these tables, so it is the registry's own."""
    database: Database = request.app.state.database
    async with database.transaction(as_service=True) as connection:
        yield TerminologyService(TerminologyRepository(connection))


@router.get(RELEASES, summary="List the loaded releases")
async def list_releases(request: Request, access: Loader) -> ReleasesDocument:
    """Return the loaded releases, for the command line."""
    async with _service(request) as service:
        return ReleasesDocument.of(await service.releases())


@router.post(RELEASES, status_code=201, response_class=Response, summary="Load releases")
@repeatable("a release that is loaded twice says the same; the list shows both, and undo removes one")
@accepts(body_bytes=MAX_RELEASES_BYTES, limits=Limits(string=MAX_RELEASES_BYTES), seconds=60)
async def load_releases(request: Request, access: Loader, given: ReleasesInput) -> Response:
    """Store releases that the command line has read."""
    async with _service(request) as service:
        await service.load(given.releases)
    return Response(status_code=201)


@router.delete(f"{RELEASES}/last", summary="Remove the last release")
async def undo_release(request: Request, access: Loader) -> ReleasesDocument:
    """Remove the release that was loaded last and return it, if there is one."""
    async with _service(request) as service:
        removed = await service.undo()
    return ReleasesDocument.of([removed] if removed else [])


def _headers(terminology: Terminology) -> dict[str, str]:
    return {"ETag": f'"{terminology.version}"'}


def _is_current(request: Request, terminology: Terminology) -> bool:
    return f'"{terminology.version}"' in request.headers.get("if-none-match", "")
