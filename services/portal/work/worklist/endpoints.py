"""The worklist as a page, and as files."""

from fastapi import APIRouter, Request, Response

from services.portal.clients.names import trials_of
from services.portal.pages.access import Reader
from services.portal.pages.formats import Formats
from services.portal.pages.rendering import HTML
from services.portal.work.pages import work_page
from services.portal.work.workers import Worker
from services.portal.work.worklist.reading import waiting_for
from services.portal.work.worklist.view import groups_of, sentences_of
from shared.http.route import ApiRoute, produces

router = APIRouter(route_class=ApiRoute, tags=["pages"])
CSV, CALENDAR = "text/csv", "text/calendar"


@router.api_route("/workspace", methods=["GET", "HEAD"], summary="What waits for you")
@produces(HTML)
async def show_worklist(request: Request, access: Reader, visitor: Worker) -> Response:
    """Show what waits for the visitor's organisation: in sentences, then by day."""
    assert visitor.me is not None
    formats = Formats(visitor.language)
    found = await waiting_for(visitor.api, visitor.me["kind"], formats)
    items = found.worklist["items"] if found.worklist else []
    trials = await trials_of(visitor.api, [one["trial"] for one in items])
    sentences, groups = sentences_of(found, formats), groups_of(found, formats)
    return await work_page(request, visitor, "work/worklist.html", sentences=sentences, groups=groups, trials=trials)


@router.get("/workspace/worklist.csv", summary="What waits for you, as a table")
@produces(CSV)
async def worklist_table(access: Reader, visitor: Worker) -> Response:
    """Return the worklist as CSV."""
    return await _file(visitor, CSV, "csv")


@router.get("/workspace/worklist.ics", summary="What waits for you, as a calendar")
@produces(CALENDAR)
async def worklist_calendar(access: Reader, visitor: Worker) -> Response:
    """Return what has a day as a calendar."""
    return await _file(visitor, CALENDAR, "ics")


async def _file(visitor: Worker, media_type: str, ending: str) -> Response:
    answer = await visitor.api.call("GET", "/registry/v1/worklist", headers={"Accept": media_type})
    headers = {"Content-Disposition": f'attachment; filename="cleio-worklist.{ending}"', "Cache-Control": "no-store"}
    return Response(answer.body, 200, headers, f"{media_type}; charset=utf-8")
