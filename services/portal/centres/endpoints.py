"""Routes of the pages of centres."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.portal.centres.reading import centre_of
from services.portal.centres.view import centre_page, members, populations
from services.portal.clients.names import centres_of
from services.portal.pages.access import Reader
from services.portal.pages.formats import Formats
from services.portal.pages.rendering import HTML, page
from services.portal.pages.visitors import CurrentVisitor
from shared.http.route import ApiRoute, produces
from shared.values.problems import NotFoundError

router = APIRouter(route_class=ApiRoute, tags=["pages"])
Place = Annotated[str, Query(max_length=1024, description="The next page of its trials.")]
_ID = re.compile(r"[a-z]{2}-[a-z0-9-]{1,61}")


@router.api_route("/centres", methods=["GET", "HEAD"], summary="The centres of the network")
@produces(HTML)
async def centres(request: Request, access: Reader, visitor: CurrentVisitor) -> Response:
    """Show the centres by city."""
    formats = Formats(visitor.language)
    found = members((await centres_of(visitor.api)).values(), formats)
    return page(request, visitor, "centres/list.html", centres=found, people=lambda one: populations(one, formats))


@router.api_route("/centres/{centre}", methods=["GET", "HEAD"], summary="A centre")
@produces(HTML)
async def centre(
    request: Request, access: Reader, visitor: CurrentVisitor, centre: str, cursor: Place = ""
) -> Response:
    """Show a centre, what it can do, and its trials page by page.

    :raises NotFoundError: 404, there is no such centre.
    """
    found = await centre_of(visitor.api, centre, cursor) if _ID.fullmatch(centre) else None
    if found is None:
        raise NotFoundError
    view = centre_page(found, Formats(visitor.language))
    return page(request, visitor, "centres/page.html", **view, is_first=not cursor)
