"""Referrals over HTTP."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.registry.centres.repository import CentreRepository
from services.registry.model.references import ReferralReference
from services.registry.referrals.repository import ReferralRepository
from services.registry.referrals.schemas import Referral, ReferralInput, ReferralPage, ReferralStepInput, State
from services.registry.referrals.service import ReferralService
from services.registry.trials.repository import TrialRepository
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import IfMatch, etag
from shared.idempotency.marks import idempotent
from shared.persistence import Reading, Writing
from shared.vocabulary.identifiers import CentreId

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["referrals"])


def _service(request: Request, connection: Reading) -> ReferralService:
    days = request.app.state.settings.referral_answer_days
    return ReferralService(
        ReferralRepository(connection),
        TrialRepository(connection),
        CentreRepository(connection),
        datetime.now(UTC),
        days,
    )


def _writing_service(request: Request, connection: Writing) -> ReferralService:
    return _service(request, connection)


Reads = Annotated[ReferralService, Depends(_service)]
Writes = Annotated[ReferralService, Depends(_writing_service)]
Reader = Annotated[Access, Depends(allow("referral", "read"))]
Writer = Annotated[Access, Depends(allow("referral", "write"))]
Reference = Annotated[ReferralReference, Path(description="The reference of the referral.")]


@router.post("/referrals", status_code=201, summary="Send a referral")
@accepts()
@idempotent()
async def send_referral(response: Response, referrals: Writes, access: Writer, given: ReferralInput) -> Referral:
    """Refer a patient to a trial at a centre, by codes and dates. The answer has the reference and says where the file
    goes. Needs the patient's agreement; a trial that is not open at the centre, or under a safety hold, is 409.
    """
    referral = await referrals.send(given, access)
    response.headers["ETag"] = etag(referral.version)
    response.headers["Location"] = f"/registry/v1/referrals/{referral.reference}"
    return referral


@router.get("/referrals", summary="List referrals")
async def list_referrals(
    request: Request,
    response: Response,
    referrals: Reads,
    access: Reader,
    state: Annotated[State | None, Query(description="Only in this state.")] = None,
    trial: Annotated[
        str | None, Query(max_length=100, description="Only of this trial, by any of its numbers.")
    ] = None,
    centre: Annotated[CentreId | None, Query(description="Only to this centre.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ReferralPage:
    """List the referrals of the caller: its hospital sent them, or its centre received them. Newest first."""
    found = await referrals.page(access, state, trial, centre, open_page(request, cursor), limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    following = close_page(request, response, [last.sent_at.isoformat(), last.reference] if last else None)
    return ReferralPage(items=found[:limit], next=following)


@router.get("/referrals/{reference}", summary="Read a referral")
async def read_referral(response: Response, referrals: Reads, access: Reader, reference: Reference) -> Referral:
    """Return a referral of the caller with its steps, what the caller can do, and the time to access so far."""
    referral = await referrals.read(reference, access)
    response.headers["ETag"] = etag(referral.version)
    return referral


@router.post("/referrals/{reference}/steps", summary="Record a step of a referral")
@accepts()
@idempotent()
async def add_referral_step(
    response: Response,
    if_match: IfMatch,
    referrals: Writes,
    access: Writer,
    reference: Reference,
    given: ReferralStepInput,
) -> Referral:
    """Record what was done about a referral and when (`If-Match`): `possible` lists what the caller can do."""
    referral = await referrals.step(reference, given, access, if_match.required_version())
    response.headers["ETag"] = etag(referral.version)
    return referral


@router.delete("/referrals/{reference}", status_code=204, summary="Delete a referral")
async def delete_referral(if_match: IfMatch, referrals: Writes, access: Writer, reference: Reference) -> None:
    """Delete a referral with its steps (`If-Match`), by the hospital: the patient objects or asks for erasure."""
    await referrals.delete(reference, access, if_match.required_version())
