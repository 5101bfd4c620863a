"""Routes of the pages that belong to no feature, and of the files that all pages load."""

from fastapi import APIRouter, Request, Response

from services.portal.pages.access import Reader
from services.portal.pages.asset_files import assets
from services.portal.pages.rendering import HTML, page
from services.portal.pages.visitors import CurrentVisitor
from shared.http.route import ApiRoute, produces
from shared.values.problems import NotFoundError

router = APIRouter(route_class=ApiRoute, tags=["pages"])
_YEAR = "public, max-age=31536000, immutable"


@router.api_route("/about", methods=["GET", "HEAD"], summary="About CLEIO")
@produces(HTML)
async def about(request: Request, access: Reader, visitor: CurrentVisitor) -> Response:
    """Show what CLEIO is, how it protects data, and how accessible its pages are."""
    return page(request, visitor, "home/about.html")


@router.api_route("/design", methods=["GET", "HEAD"], summary="The design system")
@produces(HTML)
async def design(request: Request, access: Reader, visitor: CurrentVisitor) -> Response:
    """Show every component of the pages."""
    return page(request, visitor, "home/design.html")


@router.api_route("/portal/assets/{digest}/{name:path}", methods=["GET", "HEAD"], summary="A file of the pages")
@produces("text/css", "text/javascript", "image/svg+xml", "image/png")
async def read_asset(access: Reader, digest: str, name: str) -> Response:
    """Return a style sheet, script or picture. Its address changes with its content."""
    found = assets().get(name)
    if found is None or found.digest != digest:
        raise NotFoundError
    return Response(found.content, 200, {"Cache-Control": _YEAR}, found.media_type)


@router.api_route("/{path:path}", methods=["GET", "HEAD"], summary="Any other address")
@produces(HTML, "application/problem+json")
async def unknown(access: Reader, visitor: CurrentVisitor, path: str) -> Response:
    """Answer that there is no such page.

    :raises NotFoundError: always.
    """
    raise NotFoundError
