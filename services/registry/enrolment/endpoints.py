"""Places of enrolments over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from services.registry.centres.repository import CentreRepository
from services.registry.enrolment.cohorts import CohortService
from services.registry.enrolment.schemas import (
    CohortReleaseInput,
    EnrolmentDocument,
    EnrolmentInput,
    EnrolmentList,
    EnrolmentPage,
    PlaceDecisionInput,
    PlaceDocument,
    PlaceList,
)
from services.registry.model.precondition import CREATES, Precondition
from services.registry.trials.repository import TrialRepository
from services.registry.trials.service import TrialService
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import IfMatch, etag
from shared.idempotency.marks import idempotent
from shared.persistence import Reading, Writing

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["enrolment"])
Reader = Annotated[Access, Depends(allow("enrolment", "read"))]
Writer = Annotated[Access, Depends(allow("enrolment", "write"))]


def _reading_service(request: Request, connection: Reading, access: Reader) -> CohortService:
    rules = request.app.state.trial_rules
    return CohortService(TrialService(TrialRepository(connection), CentreRepository(connection), rules), access)


def _writing_service(request: Request, connection: Writing, access: Writer) -> CohortService:
    rules = request.app.state.trial_rules
    return CohortService(TrialService(TrialRepository(connection), CentreRepository(connection), rules), access)


Reads = Annotated[CohortService, Depends(_reading_service)]
Writes = Annotated[CohortService, Depends(_writing_service)]
Identifier = Annotated[str, Path(max_length=100, description="The `id` of the trial, or any of its numbers.")]
Centre = Annotated[str, Path(max_length=64, description="The id of the centre, such as `fr-lille`.")]
CohortName = Annotated[str, Path(max_length=32, description="The id of the cohort; `all` if the trial has none.")]
Referral = Annotated[str, Path(max_length=40, description="The reference of the referral.")]
SITE = "/trials/{identifier}/sites/{centre}/enrolment/{cohort}"


@router.get("/enrolment", summary="List the places of your trials")
async def list_all_enrolment(
    request: Request, response: Response, service: Reads, limit: Limit = 50, cursor: Cursor = None
) -> EnrolmentPage:
    """List the places of all trials in numbers: of a centre its own, of a sponsor those of its trials.

    Hospitals and authorities get those of published trials, the coordination all.
    """
    after = open_page(request, cursor)
    found = await service.of_all(limit + 1, (after[0], after[1], after[2]) if after else None)
    last = found[limit - 1] if len(found) > limit else None
    key = [last.trial_id, last.centre, last.cohort] if last else None
    return EnrolmentPage(items=found[:limit], next=close_page(request, response, key))


@router.get("/trials/{identifier}/enrolment", summary="List the places of a trial")
async def list_enrolment(service: Reads, identifier: Identifier) -> EnrolmentList:
    """List the places of each centre and cohort in numbers. A centre gets its own, a sponsor those of its trials."""
    return EnrolmentList(items=await service.of_trial(identifier))


@router.get(SITE, summary="Read the places of a cohort")
async def read_enrolment(
    response: Response, service: Reads, identifier: Identifier, centre: Centre, cohort: CohortName
) -> EnrolmentDocument:
    """Return the places of a cohort at a centre in numbers."""
    found = await service.read(identifier, centre, cohort)
    response.headers["ETag"] = etag(found.version)
    return found


@router.put(SITE, responses={201: {"model": EnrolmentDocument}}, summary="Declare the places of a cohort")
@accepts()
async def write_enrolment(
    response: Response,
    if_match: IfMatch,
    service: Writes,
    identifier: Identifier,
    centre: Centre,
    cohort: CohortName,
    given: EnrolmentInput,
) -> EnrolmentDocument:
    """Declare what a centre offers in a cohort (`If-Match`; `If-None-Match: *` for the first time)."""
    expected = CREATES if if_match.creates else Precondition(version=if_match.required_version())
    found = await service.put(identifier, centre, cohort, given, expected)
    response.status_code = 201 if expected.creates else 200
    response.headers["ETag"] = etag(found.version)
    return found


@router.get(f"{SITE}/places", summary="List who has a place of a cohort, and who waits")
async def list_places_of_cohort(
    service: Reads, identifier: Identifier, centre: Centre, cohort: CohortName
) -> PlaceList:
    """List the referrals that wait for a place of a cohort, in the suggested order, and those that have one."""
    return await service.list_places(identifier, centre, cohort)


@router.post(f"{SITE}/places/{{referral}}/decision", summary="Decide on a place")
@accepts()
@idempotent()
async def decide_place(
    response: Response,
    if_match: IfMatch,
    service: Writes,
    identifier: Identifier,
    centre: Centre,
    cohort: CohortName,
    referral: Referral,
    given: PlaceDecisionInput,
) -> PlaceDocument:
    """Assign a place to a referral that waits, or decide what a manufacturing failure leaves open (`If-Match`).

    The centre decides; in a cohort that the sponsor allocates, the sponsor.
    """
    found = await service.decide(identifier, centre, cohort, referral, given, if_match.required_version())
    response.headers["ETag"] = etag(found.version)
    return found


@router.post("/trials/{identifier}/enrolment/{cohort}/release", summary="Release the next place of a staggered cohort")
@accepts()
@idempotent()
async def release_cohort(
    service: Writes, identifier: Identifier, cohort: CohortName, given: CohortReleaseInput
) -> EnrolmentList:
    """Record the decision to go on after a dosing: the next place opens then, but not before the interval is over.

    Only the sponsor that owns the trial releases; the coordination, if it has none.
    """
    return EnrolmentList(items=await service.release(identifier, cohort, given))
