"""Routes of the page of a trial."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from services.portal.pages.access import Reader
from services.portal.pages.days import today
from services.portal.pages.formats import Formats
from services.portal.pages.rendering import HTML, moved, page
from services.portal.pages.visitors import CurrentVisitor
from services.portal.trial_pages.history_view import history_view
from services.portal.trial_pages.json_ld import medical_trial
from services.portal.trial_pages.milestones import dates_csv, milestones_of
from services.portal.trial_pages.reading import read_history, read_parts, read_trial
from services.portal.trial_pages.view import address_of, trial_view
from shared.http.route import ApiRoute, produces

router = APIRouter(route_class=ApiRoute, tags=["pages"])
CSV = "text/csv"
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
    view = trial_view(parts, Formats(visitor.language), today())
    json_ld = medical_trial(view, visitor)
    return page(request, visitor, "trial_pages/trial.html", view=view, near=near, today=today(), json_ld=json_ld)


@router.api_route("/trials/{identifier}/dates.csv", methods=["GET", "HEAD"], summary="The dates of a trial")
@produces(CSV)
async def dates(access: Reader, visitor: CurrentVisitor, identifier: Identifier) -> Response:
    """Return the table behind the timeline of a trial as CSV."""
    found, formats = await read_trial(visitor.api, identifier), Formats(visitor.language)
    text = dates_csv(milestones_of(found, today(), formats), formats)
    name = f"cleio-{address_of(found)}-dates.csv"
    return Response(text, 200, {"Content-Disposition": f'attachment; filename="{name}"'}, f"{CSV}; charset=utf-8")


@router.api_route("/trials/{identifier}/history", methods=["GET", "HEAD"], summary="The history of a trial")
@produces(HTML)
async def history(
    request: Request,
    access: Reader,
    visitor: CurrentVisitor,
    identifier: Identifier,
    version: Annotated[int | None, Query(ge=1, le=1_000_000, description="Show what this version changed.")] = None,
    cursor: Annotated[str | None, Query(max_length=2000, description="The next page.")] = None,
) -> Response:
    """Show the versions of a trial, and what one of them changed."""
    found = await read_trial(visitor.api, identifier)
    if address_of(found) != identifier:
        return moved(visitor, f"/trials/{address_of(found)}/history", version=version, cursor=cursor)
    read = await read_history(visitor.api, found["id"], version, cursor)
    view = history_view(found, read, Formats(visitor.language))
    return page(request, visitor, "trial_pages/history.html", view=view, version=version)
