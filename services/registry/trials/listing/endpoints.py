"""The list of trials, its statistics and suggestions over HTTP."""

import json
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.registry.trials.listing.answers import (
    CSV,
    JSON,
    MEDIA_TYPES,
    NDJSON,
    page_csv,
    page_json,
    page_lines,
    shown,
)
from services.registry.trials.listing.parameters import ListParameters, TrialFilters, dependency
from services.registry.trials.listing.repository import StoredTrials
from services.registry.trials.listing.schemas import DiseaseDocument, ListPage, Statistics, Suggestion, Suggestions
from services.registry.trials.listing.service import TrialSearch, caller_of
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.marks import cached_for_public
from shared.http.paging import close_page, open_page
from shared.http.representations import preferred_type, revalidated
from shared.http.route import ApiRoute, produces
from shared.http.versions import IfNoneMatch
from shared.values.problems import NotFoundError
from shared.values.wire import Label

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["trials"])

Reader = Annotated[Access, Depends(allow("trial", "read"))]
Parameters = Annotated[ListParameters, Depends(dependency(ListParameters))]
Filters = Annotated[TrialFilters, Depends(dependency(TrialFilters))]


@router.api_route("/trials", methods=["GET", "HEAD"], response_model=ListPage, summary="List and search trials")
@produces(JSON, CSV, NDJSON)
async def list_trials(
    request: Request, response: Response, cached: IfNoneMatch, access: Reader, asked: Parameters
) -> Response:
    """List the trials that match, as JSON, `text/csv` or `application/x-ndjson`.

    Open in France first, then by what matches (the disease that is treated, the title, anything), then by distance
    and by date; demonstration trials come last. Without any filter, in the order in which the registry took them.
    """
    search: TrialSearch = request.app.state.search
    after = open_page(request, asked.cursor)
    source = StoredTrials(request.app.state.database, access.rows)
    listed = await search.page(asked, caller_of(access.principal, access.rows), after, source)
    documents = shown(listed, asked.fields)
    kind = preferred_type(request.headers.get("accept"), MEDIA_TYPES)
    following = close_page(request, response, listed.last)
    body = (
        {CSV: page_csv, NDJSON: page_lines}[kind](documents)
        if kind != JSON
        else page_json(documents, following, listed)
    )
    is_public = access.principal.kind == "public"
    return revalidated(cached, body, kind, is_public=is_public, headers=response.headers)


@router.get("/trials/statistics", response_model=Statistics, summary="Count trials")
@cached_for_public
async def read_statistics(request: Request, cached: IfNoneMatch, access: Reader, asked: Filters) -> Response:
    """Count the trials that match by status, phase, class of product, disease and département."""
    search: TrialSearch = request.app.state.search
    total, counts = await search.statistics(asked, caller_of(access.principal, access.rows))
    body = Statistics(total=total, counts=counts).model_dump_json()
    return revalidated(cached, body, JSON, is_public=access.principal.kind == "public")


@router.get("/diseases/{disease}", response_model=DiseaseDocument, summary="Read a disease")
@cached_for_public
async def read_disease(
    request: Request,
    cached: IfNoneMatch,
    access: Reader,
    disease: Annotated[str, Path(max_length=200, description="A code in any spelling, such as `ORPHA:232`.")],
) -> Response:
    """Return a disease, the more general ones, and those that its trials name, each with its number of trials."""
    search: TrialSearch = request.app.state.search
    found = await search.disease(disease, caller_of(access.principal, access.rows))
    if found is None:
        raise NotFoundError
    body = json.dumps(found, ensure_ascii=False)
    return revalidated(cached, body, JSON, is_public=access.principal.kind == "public")


@router.get("/trials/suggest", response_model=Suggestions, summary="Suggest while typing")
@cached_for_public
async def suggest(
    request: Request,
    cached: IfNoneMatch,
    access: Reader,
    q: Annotated[
        str, Query(min_length=1, max_length=100, description="The beginning of a search; letters may be wrong.")
    ],
) -> Response:
    """Suggest diseases that have trials, trials and centres for what was typed so far."""
    search: TrialSearch = request.app.state.search
    diseases, numbers, centres = await search.suggestions(q, caller_of(access.principal, access.rows))
    documents = await StoredTrials(request.app.state.database, access.rows).documents(numbers)
    trials = [_suggested(document) for document in documents.values()]
    body = Suggestions(items=[*diseases, *trials, *centres]).model_dump_json()
    return revalidated(cached, body, JSON, is_public=access.principal.kind == "public")


def _suggested(document: str) -> Suggestion:
    trial = json.loads(document)
    french, english = trial["titles"]["fr"], trial["titles"]["en"]
    title = Label(fr=french or english or trial["identifier"], en=english or french or trial["identifier"])
    return Suggestion(kind="trial", value=trial["id"], label=title)
