"""Routes of the map."""

from fastapi import APIRouter, Request, Response

from services.portal.map.reading import COVERAGE, Asked, read
from services.portal.map.view import LEVELS, bounds_in_words, map_view
from services.portal.pages.access import Reader
from services.portal.pages.formats import Formats
from services.portal.pages.rendering import HTML, page
from services.portal.pages.visitors import CurrentVisitor
from shared.http.route import ApiRoute, produces

router = APIRouter(route_class=ApiRoute, tags=["pages"])
CSV = "text/csv"


@router.api_route("/map", methods=["GET", "HEAD"], summary="The map")
@produces(HTML)
async def show_map(request: Request, access: Reader, visitor: CurrentVisitor) -> Response:
    """Show how long people travel to the nearest open site for a disease, and where the centres are."""
    asked, formats = Asked.of(request.query_params), Formats(visitor.language)
    found = await read(visitor, asked)
    return page(
        request,
        visitor,
        "map/map.html",
        status=400 if found.problem == "unknown_disease" else 200,
        view=map_view(found, formats),
        problem=found.problem,
        asked=asked,
        classes=[(level, bounds_in_words(formats)[level]) for level in LEVELS],
    )


@router.api_route("/map.csv", methods=["GET", "HEAD"], summary="The data of the map")
@produces(CSV)
async def download(request: Request, access: Reader, visitor: CurrentVisitor) -> Response:
    """Return the rows behind the map as CSV."""
    query = Asked.of(request.query_params).parameters()
    answer = await visitor.api.call("GET", COVERAGE, query=query, headers={"Accept": CSV})
    headers = {"Content-Disposition": 'attachment; filename="cleio-map.csv"'}
    return Response(answer.body, 200, headers, f"{CSV}; charset=utf-8")
