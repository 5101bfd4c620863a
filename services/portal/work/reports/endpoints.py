"""The page of reports, its plots and files."""

import asyncio

from fastapi import APIRouter, Request, Response

from services.portal.clients.api import segment
from services.portal.clients.names import centres_of
from services.portal.pages.access import Reader
from services.portal.pages.days import today
from services.portal.pages.rendering import HTML
from services.portal.pages.visitors import Visitor
from services.portal.work.pages import work_page
from services.portal.work.reports.view import PLOTS, query_of, sections_of, views_of
from services.portal.work.workers import Worker
from shared.http.route import ApiRoute, produces

router = APIRouter(route_class=ApiRoute, tags=["pages"])
_REPORT = "/registry/v1/reports/kpi"
_FIRST_YEAR = 2024
CSV, SVG = "text/csv", "image/svg+xml"


@router.api_route("/workspace/reports", methods=["GET", "HEAD"], summary="How long each step takes")
@produces(HTML)
async def show_report(
    request: Request, access: Reader, visitor: Worker, view: str = "", centre: str = "", year: str = ""
) -> Response:
    """Show the report that the visitor may read: numbers, plots, and their files."""
    query = _query(visitor, view, centre, year)
    report, centres = await asyncio.gather(visitor.api.get(_REPORT, **query), centres_of(visitor.api))
    return await work_page(
        request,
        visitor,
        "work/reports.html",
        report=report,
        sections=sections_of(report["measures"]),
        plots=PLOTS,
        query=query,
        views=views_of(_kind(visitor)),
        centres=centres,
        years=range(today().year, _FIRST_YEAR - 1, -1),
    )


@router.get("/workspace/reports.csv", summary="How long each step takes, as a table")
@produces(CSV)
async def report_table(access: Reader, visitor: Worker, view: str = "", centre: str = "", year: str = "") -> Response:
    """Return the report as CSV."""
    return await _file(visitor, _REPORT, _query(visitor, view, centre, year), CSV, "cleio-report.csv")


@router.get("/workspace/reports/{plot}.svg", summary="A plot of the report")
@produces(SVG)
async def report_plot(
    access: Reader, visitor: Worker, plot: str, view: str = "", centre: str = "", year: str = ""
) -> Response:
    """Return a plot as a picture."""
    return await _file(visitor, f"{_REPORT}/plots/{segment(plot)}", _query(visitor, view, centre, year), SVG)


@router.get("/workspace/reports/{plot}.csv", summary="The points of a plot")
@produces(CSV)
async def report_points(
    access: Reader, visitor: Worker, plot: str, view: str = "", centre: str = "", year: str = ""
) -> Response:
    """Return the points of a plot as CSV."""
    path = f"{_REPORT}/plots/{segment(plot)}"
    return await _file(visitor, path, _query(visitor, view, centre, year), CSV, f"cleio-{plot}.csv")


async def _file(visitor: Visitor, path: str, query: dict[str, str], media_type: str, name: str = "") -> Response:
    answer = await visitor.api.call("GET", path, query=query, headers={"Accept": media_type})
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    if name:
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(answer.body, 200, headers, f"{media_type}; charset=utf-8")


def _query(visitor: Visitor, view: str, centre: str, year: str) -> dict[str, str]:
    return query_of(_kind(visitor), view, centre, year, today().year)


def _kind(visitor: Visitor) -> str:
    return str(visitor.me["kind"]) if visitor.me else ""
