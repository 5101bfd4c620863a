"""Routes of the search for trials."""

from fastapi import APIRouter, Request, Response

from services.portal.find.departements import DEPARTEMENTS
from services.portal.find.download import csv_of
from services.portal.find.first_page import first_page
from services.portal.find.nothing import diseases_of, nothing_found
from services.portal.find.reading import find, place_of
from services.portal.find.search import MAX_PLACE, Search
from services.portal.find.site_map import site_map
from services.portal.find.suggesting import suggestions_for
from services.portal.find.view import results
from services.portal.pages.access import Reader
from services.portal.pages.formats import Formats
from services.portal.pages.rendering import HTML, page
from services.portal.pages.visitors import CurrentVisitor
from shared.http.route import ApiRoute, produces

router = APIRouter(route_class=ApiRoute, tags=["pages"])
FEW = 3
CSV, XML = "text/csv", "application/xml"


@router.api_route("/", methods=["GET", "HEAD"], summary="The first page")
@produces(HTML)
async def start(request: Request, access: Reader, visitor: CurrentVisitor) -> Response:
    """Show what can be found here, and the ways in."""
    place = request.query_params.get("near", "").strip()[:MAX_PLACE]
    return page(request, visitor, "find/start.html", **await first_page(visitor.api, place, Formats(visitor.language)))


@router.api_route("/trials", methods=["GET", "HEAD"], summary="Search trials")
@produces(HTML)
async def trials(request: Request, access: Reader, visitor: CurrentVisitor) -> Response:
    """Show the trials that a search finds, with filters."""
    search, formats = Search.of(request.query_params), Formats(visitor.language)
    found = await find(visitor.api, search)
    centres = found.names.centres.values()
    return page(
        request,
        visitor,
        "find/trials.html",
        search=search,
        found=found,
        results=results(search, found, formats),
        nothing=None if found.total else await nothing_found(visitor.api, search, centres, formats),
        # Few trials may be there only because a word is spelled alike.
        diseases=await diseases_of(visitor.api, search) if 0 < found.total <= FEW else [],
        departements=DEPARTEMENTS.values(),
        is_part=request.headers.get("hx-request") == "true",
    )


@router.api_route("/trials.csv", methods=["GET", "HEAD"], summary="Download a list of trials")
@produces(CSV)
async def download(request: Request, access: Reader, visitor: CurrentVisitor) -> Response:
    """Return the trials of a search as CSV."""
    search = Search.of(request.query_params)
    text = await csv_of(visitor.api, search, await place_of(visitor.api, search.near))
    return Response(
        text, 200, {"Content-Disposition": 'attachment; filename="cleio-trials.csv"'}, f"{CSV}; charset=utf-8"
    )


@router.api_route("/sitemap.xml", methods=["GET", "HEAD"], summary="The map of the site for search engines")
@produces(XML)
async def map_of_site(request: Request, access: Reader, visitor: CurrentVisitor) -> Response:
    """Return the addresses of pages that search engines may list."""
    return Response(await site_map(visitor.api, request.app.state.settings.issuer), 200, media_type=XML)


@router.api_route("/suggestions", methods=["GET", "HEAD"], summary="Suggestions while typing")
@produces(HTML)
async def suggestions(request: Request, access: Reader, visitor: CurrentVisitor) -> Response:
    """Show the diseases, trials, centres and places that begin with what was typed."""
    text = request.query_params.get("q", "").strip()[:100]
    items, place = await suggestions_for(visitor.api, text)
    return page(request, visitor, "find/suggestions.html", text=text, items=items, place=place)
