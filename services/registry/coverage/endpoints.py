"""The coverage over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from services.registry.coverage.rows import coverage_csv
from services.registry.coverage.schemas import Coverage
from services.registry.coverage.service import TWO_HOURS, CoverageFilters, CoverageService
from services.registry.trials.listing.parameters import AGE_PATTERN
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.representations import preferred_type, revalidated
from shared.http.route import ApiRoute, produces
from shared.http.versions import IfNoneMatch
from shared.vocabulary.geography import DEPARTEMENT_PATTERN

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["coverage"])

Reader = Annotated[Access, Depends(allow("trial", "read"))]
JSON, CSV = "application/json", "text/csv"


@router.api_route(
    "/coverage", methods=["GET", "HEAD"], response_model=Coverage, responses={409: {}}, summary="Read the coverage"
)
@produces(JSON, CSV)
async def read_coverage(
    request: Request,
    cached: IfNoneMatch,
    access: Reader,
    condition: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=200,
            description="A disease by its code (`ORPHA:232`) or name, in French or English, with its descendants. "
            "Unknown: 400.",
        ),
    ] = None,
    departement: Annotated[
        str | None, Query(pattern=DEPARTEMENT_PATTERN, description="A département or territory. Unknown: 400.")
    ] = None,
    hours: Annotated[int, Query(ge=1, le=24, description="The hours of `within_hours`.")] = TWO_HOURS,
    sample: Annotated[
        Literal["demo"] | None, Query(description="`demo`: the fictitious demonstration trials count too.")
    ] = None,
    age: Annotated[
        str | None,
        Query(
            pattern=AGE_PATTERN,
            description="The age of a person, in days or as a duration (`P8Y`): only trials that take it count.",
        ),
    ] = None,
) -> Response:
    """Return how near the open sites of published trials are to the people of France.

    By département for a disease, by disease otherwise. Travel times are estimates. As `text/csv` the rows alone, first
    that of the whole of France. Needs a geography (`cleio geo load`), else 409.
    """
    service: CoverageService = request.app.state.coverage
    found = await service.coverage(CoverageFilters(condition, departement, hours, sample == "demo", age))
    kind = preferred_type(request.headers.get("accept"), (JSON, CSV))
    body = coverage_csv([found.france, *found.items]) if kind == CSV else found.model_dump_json()
    return revalidated(cached, body, kind, is_public=access.principal.kind == "public")
