"""The past of trials over HTTP."""

import json
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.registry.centres.repository import CentreRepository
from services.registry.history.schemas import History, TrialDiff, TrialVersion
from services.registry.history.service import HistoryService
from services.registry.trials.repository import TrialRepository
from services.registry.trials.service import TrialService
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute
from shared.persistence import Reading

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["trials"])


def _service(
    request: Request, connection: Reading, access: Annotated[Access, Depends(allow("trial", "read"))]
) -> HistoryService:
    trials = TrialService(TrialRepository(connection), CentreRepository(connection), request.app.state.trial_rules)
    return HistoryService(trials, access)


Reads = Annotated[HistoryService, Depends(_service)]
Identifier = Annotated[str, Path(max_length=100, description="The `id` of the trial, or any of its numbers.")]
Number = Annotated[int | None, Query(ge=1, le=1_000_000)]


@router.get("/trials/{identifier}/history", response_model=History, summary="List the versions of a trial")
async def read_history(
    request: Request,
    response: Response,
    service: Reads,
    identifier: Identifier,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List the versions of a trial, newest first, each with its source and the names of the fields that it changed.

    A version from a time when the trial was not public is shown only to those who see unpublished trials. Only the
    coordination sees authors.
    """
    before = open_page(request, cursor)
    found = await service.page(identifier, before[0] if before else None, limit + 1)
    following = close_page(request, response, [found[limit - 1].version] if len(found) > limit else None)
    items = [TrialVersion.of(one, with_author=service.sees_authors) for one in found[:limit]]
    body = json.dumps({"items": items, "next": following}, ensure_ascii=False)
    return Response(body, headers=dict(response.headers), media_type="application/json")


@router.get("/trials/{identifier}/history/diff", summary="Compare two versions of a trial")
async def read_diff(
    service: Reads,
    identifier: Identifier,
    first: Annotated[Number, Query(alias="from", description="Absent: the version before `to`.")] = None,
    last: Annotated[Number, Query(alias="to", description="Absent: the newest version.")] = None,
) -> TrialDiff:
    """Return each field that differs, before and after, and the source that changed it last."""
    return await service.diff(identifier, first, last)
