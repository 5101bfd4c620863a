"""Routes of the pages of diseases."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.portal.diseases.reading import disease_of
from services.portal.diseases.view import disease_page
from services.portal.pages.access import Reader
from services.portal.pages.formats import Formats
from services.portal.pages.rendering import HTML, page
from services.portal.pages.visitors import CurrentVisitor
from shared.http.route import ApiRoute, produces
from shared.values.problems import NotFoundError

router = APIRouter(route_class=ApiRoute, tags=["pages"])
MAX_CODE = 64
Near = Annotated[str, Query(max_length=100, description="A département: the nearest centres to contact come first.")]


@router.api_route("/diseases", methods=["GET", "HEAD"], summary="Diseases with trials")
@produces(HTML)
async def diseases(request: Request, access: Reader, visitor: CurrentVisitor) -> Response:
    """Show the diseases that have trials, by name."""
    formats = Formats(visitor.language)
    counted = await visitor.api.get("/registry/v1/trials", facets="condition", fields="identifier", limit=1)
    rows = [
        (one["value"], formats.label(one["label"]) or one["value"], one["count"])
        for one in counted["facets"]["condition"]
    ]
    return page(request, visitor, "diseases/list.html", rows=sorted(rows, key=lambda row: formats.sorting(row[1])))


@router.api_route("/diseases/{code}", methods=["GET", "HEAD"], summary="A disease")
@produces(HTML)
async def disease(request: Request, access: Reader, visitor: CurrentVisitor, code: str, near: Near = "") -> Response:
    """Show a disease with its trials, centres and networks; without a trial, whom to contact.

    :raises NotFoundError: 404, the code is not known.
    """
    found = await disease_of(visitor.api, code) if len(code) <= MAX_CODE else None
    if found is None:
        raise NotFoundError
    return page(request, visitor, "diseases/page.html", **disease_page(found, near, Formats(visitor.language)))
