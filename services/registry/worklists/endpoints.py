"""Worklists over HTTP."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.registry.worklists.model import Reader
from services.registry.worklists.schemas import Worklist
from services.registry.worklists.service import WorklistService, reader_id, signs_as
from services.registry.worklists.writing import CALENDAR, CSV, JSON, as_calendar, as_csv
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.representations import preferred_type, revalidated
from shared.http.route import ApiRoute, produces
from shared.http.versions import IfNoneMatch
from shared.persistence import Reading
from shared.values.clock import day_in_france
from shared.values.language import negotiate
from shared.values.problems import ForbiddenError
from shared.vocabulary.identifiers import CentreId

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["worklist"])


def _service(connection: Reading) -> WorklistService:
    return WorklistService(connection)


Reads = Annotated[WorklistService, Depends(_service)]
Caller = Annotated[Access, Depends(allow("worklist", "read"))]


@router.get("/worklist", response_model=Worklist, summary="Read the worklist")
@produces(JSON, CSV, CALENDAR)
async def read_worklist(
    request: Request,
    cached: IfNoneMatch,
    worklists: Reads,
    access: Caller,
    centre: Annotated[CentreId | None, Query(description="For the coordination: that of this centre.")] = None,
) -> Response:
    """Return what waits for the caller's organisation or centre, and when it is due: references and days only.

    As JSON, `text/csv` or `text/calendar` (what has a day). The coordination gets counts; with `centre` the worklist
    of a centre.
    """
    found = await worklists.read(_reader(request, access, centre))
    kind = preferred_type(request.headers.get("accept"), (JSON, CSV, CALENDAR))
    language = negotiate(request.headers.get("accept-language"))
    if kind == CSV:
        body = as_csv(found, language)
    elif kind == CALENDAR:
        body = as_calendar(found, language, request.app.state.public_url)
    else:
        body = found.model_dump_json()
    return revalidated(cached, body, kind, is_public=False)


def _reader(request: Request, access: Access, centre: str | None) -> Reader:
    now, days = datetime.now(UTC), request.app.state.settings.referral_answer_days
    if centre is not None:
        if access.rows != "all" and centre != access.principal.centre:
            raise ForbiddenError
        return Reader("centre", centre, now, day_in_france(now), days)
    kind = access.principal.kind
    return Reader(kind, reader_id(access), now, day_in_france(now), days, signs_as(access.principal))  # type: ignore[arg-type]
