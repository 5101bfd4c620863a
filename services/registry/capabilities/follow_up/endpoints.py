"""The long-term follow-up of trials over HTTP."""

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from services.registry.capabilities.follow_up.schemas import FollowUp, Month, ScheduleInput
from services.registry.capabilities.follow_up.service import FollowUpService
from services.registry.preparation.answers import answer, precondition_of
from services.registry.preparation.repository import PreparationRepository
from services.registry.preparation.service import PreparationService
from services.registry.trials.repository import TrialRepository
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts
from shared.http.versions import IfMatch, etag
from shared.persistence import Reading, Writing
from shared.values.wire import Day

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["capabilities"])


def _reading_service(connection: Reading) -> FollowUpService:
    repository = PreparationRepository(connection)
    return FollowUpService(PreparationService(repository, TrialRepository(connection), datetime.now(UTC)))


def _writing_service(connection: Writing) -> FollowUpService:
    repository = PreparationRepository(connection)
    return FollowUpService(PreparationService(repository, TrialRepository(connection), datetime.now(UTC)))


Reads = Annotated[FollowUpService, Depends(_reading_service)]
Writes = Annotated[FollowUpService, Depends(_writing_service)]
Reader = Annotated[Access, Depends(allow("capability", "read"))]
Writer = Annotated[Access, Depends(allow("activation", "write"))]
Identifier = Annotated[str, Path(max_length=100, description="The `id` of the trial, or any of its numbers.")]


@router.get("/trials/{identifier}/follow-up", summary="Read the calendar of long-term follow-up")
async def read_follow_up(
    response: Response,
    service: Reads,
    access: Reader,
    identifier: Identifier,
    dosed_on: Annotated[Day | None, Query(description="The day of dosing: gives each visit its day.")] = None,
    adult_on: Annotated[
        Month | None, Query(description="The month in which the patient turns 18. A birth date is never asked for.")
    ] = None,
) -> FollowUp:
    """Return how long patients are followed after dosing, and when they are seen. Nothing of a patient is stored.

    What the sponsor states goes before what is usual for the kind of product.
    """
    adult_in = date.fromisoformat(f"{adult_on}-01") if adult_on is not None else None
    found = await service.read(identifier, access, dosed_on, adult_in)
    if found.version is not None:
        response.headers["ETag"] = etag(found.version)
    return found


@router.put(
    "/trials/{identifier}/follow-up",
    response_model=FollowUp,
    responses={201: {"model": FollowUp}},
    summary="State the follow-up that the protocol sets",
)
@accepts()
async def write_follow_up(
    if_match: IfMatch, given: ScheduleInput, service: Writes, access: Writer, identifier: Identifier
) -> Response:
    """State the schedule (`If-None-Match: *`) or replace a version (`If-Match`): the sponsor or the coordination."""
    expected = precondition_of(if_match)
    stated = await service.state(identifier, given, access, expected)
    assert stated.version is not None
    return answer(stated, stated.version, created=expected.creates)
