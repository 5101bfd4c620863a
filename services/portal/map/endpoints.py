"""Routes of the map."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from services.portal.map.reading import COVERAGE, query_of, read
from services.portal.map.view import LEVELS, bounds_in_words, map_view
from services.portal.pages.access import Reader
from services.portal.pages.formats import Formats
from services.portal.pages.rendering import HTML, page
from services.portal.pages.visitors import CurrentVisitor
from shared.http.route import ApiRoute, produces

router = APIRouter(route_class=ApiRoute, tags=["pages"])
CSV = "text/csv"
MAX_DISEASE = 200


@router.api_route("/map", methods=["GET", "HEAD"], summary="The map")
@produces(HTML)
async def show_map(request: Request, access: Reader, visitor: CurrentVisitor) -> Response:
    """Show how long people travel to the nearest open site for a disease, and where the centres are."""
    asked = request.query_params
    disease, with_samples = asked.get("disease", "").strip()[:MAX_DISEASE], asked.get("sample") == "demo"
    formats = Formats(visitor.language)
    found = await read(visitor, disease, with_samples=with_samples)
    return page(
        request,
        visitor,
        "map/map.html",
        status=400 if found.problem == "unknown_disease" else 200,
        view=map_view(found, formats),
        problem=found.problem,
        asked=disease,
        sample="demo" if with_samples else "",
        classes=[(level, bounds_in_words(formats)[level]) for level in LEVELS],
    )


@router.api_route("/map.csv", methods=["GET", "HEAD"], summary="The data of the map")
@produces(CSV)
async def download(
    access: Reader,
    visitor: CurrentVisitor,
    disease: Annotated[str, Query(max_length=MAX_DISEASE)] = "",
    sample: Annotated[Literal["demo"] | None, Query()] = None,
) -> Response:
    """Return the rows behind the map as CSV."""
    query = query_of(disease, with_samples=sample is not None)
    answer = await visitor.api.call("GET", COVERAGE, query=query, headers={"Accept": CSV})
    headers = {"Content-Disposition": 'attachment; filename="cleio-map.csv"'}
    return Response(answer.body, 200, headers, f"{CSV}; charset=utf-8")
