"""Published trials over FHIR R4: read, search, and what this server can do."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.registry.fhir.capability import CAPABILITY
from services.registry.fhir.service import ResearchStudies, searchset
from services.registry.trials.repository import TrialRepository
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import close_page, open_page
from shared.http.route import ApiRoute
from shared.persistence import Reading

router = APIRouter(prefix="/fhir", route_class=ApiRoute, tags=["fhir"])

FHIR_JSON = "application/fhir+json"
MAX_IDS = 100
Reader = Annotated[Access, Depends(allow("trial", "read"))]


def _service(connection: Reading) -> ResearchStudies:
    return ResearchStudies(TrialRepository(connection))


Studies = Annotated[ResearchStudies, Depends(_service)]
ANSWER: dict[int | str, dict[str, Any]] = {200: {"content": {FHIR_JSON: {"schema": {"type": "object"}}}}}


@router.get("/metadata", response_class=Response, responses=ANSWER, summary="Read the capability statement")
async def read_capability(access: Reader) -> Response:
    """Return what this FHIR server can do."""
    return _resource(CAPABILITY)


@router.get("/ResearchStudy/{identifier}", response_class=Response, responses=ANSWER, summary="Read a ResearchStudy")
async def read_study(
    studies: Studies,
    access: Reader,
    identifier: Annotated[str, Path(max_length=100, description="Any public identifier of the trial.")],
) -> Response:
    """Return one published trial as an R4 ResearchStudy. Demonstration trials are not in FHIR."""
    return _resource(await studies.read(identifier))


@router.get("/ResearchStudy", response_class=Response, responses=ANSWER, summary="Search ResearchStudies")
async def search_studies(
    request: Request,
    studies: Studies,
    access: Reader,
    ids: Annotated[str, Query(alias="_id", max_length=8000, description="Up to 100 ids, separated by commas.")] = "",
    identifier: Annotated[str | None, Query(max_length=300, description="`system|value`, or the value alone.")] = None,
    count: Annotated[int, Query(alias="_count", ge=1, le=100, description="How many resources a page contains.")] = 20,
    cursor: Annotated[str | None, Query(max_length=1024, description="From the link `next` of a page.")] = None,
) -> Response:
    """Return published trials as a searchset: those with these ids or this identifier, else all, page by page."""
    asked = [*(ids.split(",") if ids else ()), *([identifier.rpartition("|")[2]] if identifier else ())]
    base = _base(request)
    path = f"{base}/ResearchStudy?{request.url.query}"
    if asked:
        return _resource(searchset(await studies.some(asked[:MAX_IDS]), base, path, None))
    after = open_page(request, cursor)
    rows = await studies.page(after[0] if after else 0, count + 1)
    following = close_page(request, Response(), [rows[count - 1][0]] if len(rows) > count else None)
    link = f"{base}/ResearchStudy?_count={count}&cursor={following}" if following else None
    return _resource(searchset([study for _, study in rows[:count]], base, path, link))


def _base(request: Request) -> str:
    public: str = request.app.state.public_url
    return f"{public}/fhir"


def _resource(document: dict[str, Any]) -> Response:
    return Response(json.dumps(document, ensure_ascii=False), media_type=FHIR_JSON)
