"""Overviews of trials over HTTP."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.registry.capabilities.follow_up.service import FollowUpService
from services.registry.centres.repository import CentreRepository
from services.registry.overview.schemas import Overview
from services.registry.overview.service import OverviewService
from services.registry.preparation.repository import PreparationRepository
from services.registry.preparation.service import PreparationService
from services.registry.trials.repository import TrialRepository
from services.registry.trials.service import TrialService
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute
from shared.persistence import Reading

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["trials"])


def _service(request: Request, connection: Reading) -> OverviewService:
    trials = TrialRepository(connection)
    preparation = PreparationService(PreparationRepository(connection), trials, datetime.now(UTC))
    return OverviewService(
        TrialService(trials, CentreRepository(connection), request.app.state.trial_rules), FollowUpService(preparation)
    )


@router.get("/trials/{identifier}/overview", response_model=Overview, summary="Read what belongs to a trial")
async def read_overview(
    request: Request,
    service: Annotated[OverviewService, Depends(_service)],
    access: Annotated[Access, Depends(allow("trial", "read"))],
    identifier: Annotated[str, Path(max_length=100, description="The `id` of the trial, or any of its numbers.")],
    near: Annotated[
        str | None,
        Query(min_length=1, max_length=100, description="A place: its distance to the sites, as in their own list."),
    ] = None,
) -> Response:
    """Return criteria, sites, provenance, follow-up and holds of a trial in one answer, each with the rights to it."""
    atlas = await request.app.state.geography.atlas()
    body = await service.read(identifier, access.principal, near, atlas)
    return Response(body, media_type="application/json")
