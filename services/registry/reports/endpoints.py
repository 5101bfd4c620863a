"""Reports over HTTP."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.registry.reports.model import View
from services.registry.reports.schemas import Plot, ReferralCount, Report
from services.registry.reports.service import ReportService
from services.registry.reports.writing import measures_of_plot, plot_csv, plot_svg, report_csv
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.representations import preferred_type
from shared.http.route import ApiRoute, produces
from shared.values.language import negotiate
from shared.vocabulary.identifiers import CentreId

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["reports"])

JSON, CSV, SVG = "application/json", "text/csv", "image/svg+xml"


def _service(request: Request) -> ReportService:
    return ReportService(request.app.state.database, datetime.now(UTC), request.app.state.report_secret)


Reports = Annotated[ReportService, Depends(_service)]
Reader = Annotated[Access, Depends(allow("report", "read"))]
Counter = Annotated[Access, Depends(allow("referral_count", "read"))]
ViewParameter = Annotated[
    View | None,
    Query(
        description="`network`: all centres. `centre`: one of them. `fcrin`: all, without counts below 11. Default: "
        "`centre` for a centre, else `network`."
    ),
]
CentreParameter = Annotated[
    CentreId | None, Query(description="With the view `centre`: the id of the centre. A centre reads its own report.")
]
YearParameter = Annotated[
    int | None, Query(ge=2000, le=2200, description="Only cases that began in this year; default: all.")
]


@router.get("/reports/kpi", response_model=Report, summary="Read how long each step takes")
@produces(JSON, CSV)
async def read_report(
    request: Request,
    reports: Reports,
    access: Reader,
    view: ViewParameter = None,
    centre: CentreParameter = None,
    year: YearParameter = None,
) -> Response:
    """Return the time of each step from the sponsor's question to the patient's treatment, and counts.

    Open cases count until today, and no case is dropped. Patients: cumulative incidence, where other ends compete.
    For an authority and F-CRIN no count below 11 is shown, and none that would reveal one. As `text/csv`: the same.
    """
    found = await reports.report(access, view, centre, year)
    kind = preferred_type(request.headers.get("accept"), (JSON, CSV))
    return Response(report_csv(found) if kind == CSV else found.model_dump_json(), media_type=kind)


@router.get("/reports/kpi/plots/{plot}", response_class=Response, summary="Read a plot of the report")
@produces(SVG, CSV)
async def read_plot(
    request: Request,
    reports: Reports,
    access: Reader,
    plot: Annotated[Plot, Path(description="The plot.")],
    view: ViewParameter = None,
    centre: CentreParameter = None,
    year: YearParameter = None,
) -> Response:
    """Return the curves of steps as a picture, in the language of `Accept-Language`; as `text/csv` their points."""
    shown = measures_of_plot(plot, await reports.measures(access, view, centre, year))
    kind = preferred_type(request.headers.get("accept"), (SVG, CSV))
    language = negotiate(request.headers.get("accept-language"))
    return Response(plot_csv(shown) if kind == CSV else plot_svg(plot, shown, language), media_type=kind)


@router.get("/reports/referral-counts", summary="Ask how many referrals a trial has")
async def count_referrals(
    request: Request,
    reports: Reports,
    access: Counter,
    trial: Annotated[str, Query(max_length=100, description="The `id` of the trial, or any of its numbers.")],
    stage: Annotated[
        Literal["sent", "answer", "visit", "consent", "inclusion", "collection", "dosing"],
        Query(description="The stage that they reached."),
    ] = "sent",
    year: YearParameter = None,
) -> ReferralCount:
    """Return a range for the owner of a trial, over all centres. The same question always has the same answer.

    An organisation can ask so many different questions a day; then 429.
    """
    questions: int = request.app.state.report_questions
    return await reports.referral_count(access, trial, stage, year, questions)
