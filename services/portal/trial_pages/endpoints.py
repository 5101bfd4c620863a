"""Routes of the page of a trial."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.portal.pages.formats import Formats
from services.portal.pages.rendering import HTML, moved, page
from services.portal.pages.visitors import CurrentVisitor
from services.portal.trial_pages.json_ld import medical_trial
from services.portal.trial_pages.reading import read_parts, read_trial
from services.portal.trial_pages.view import address_of, trial_view
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute, produces

router = APIRouter(route_class=ApiRoute, tags=["pages"])
Reader = Annotated[Access, Depends(allow("page", "read"))]
Identifier = Annotated[str, Path(max_length=100, description="Any number of the trial, in any spelling.")]
Near = Annotated[str, Query(max_length=100, description="A place: the nearest sites come first.")]


@router.api_route("/trials/{identifier}", methods=["GET", "HEAD"], summary="A trial")
@produces(HTML)
async def trial(
    request: Request, access: Reader, visitor: CurrentVisitor, identifier: Identifier, near: Near = ""
) -> Response:
    """Show a trial: what it is, where, for whom, until when, and where each fact comes from."""
    found = await read_trial(visitor.api, identifier)
    if address_of(found) != identifier:
        return moved(visitor, f"/trials/{address_of(found)}", near=near)
    parts = await read_parts(visitor.api, found, near)
    view = trial_view(parts, Formats(visitor.language), datetime.now(UTC).date())
    return page(request, visitor, "trial_pages/trial.html", view=view, near=near, json_ld=medical_trial(view, visitor))
