"""``/cds-services``: discovery, calls and feedback of CDS Hooks 2.0. Nothing of a patient is stored."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.matching.answers.rendering import to_json
from services.matching.cds_hooks.cards import cards
from services.matching.cds_hooks.catalogue import SERVICE, SERVICES
from services.matching.cds_hooks.prefetch import bundle_of
from services.matching.cds_hooks.schemas import Feedback, HookRequest
from services.matching.evaluations.service import match_trials
from services.matching.evaluations.work import run_match
from services.matching.patients.calls import receive_patient
from services.matching.patients.parameters import MATCH_SECONDS, RECORD_BYTES, RECORD_LIMITS, PatientParameters
from services.matching.snapshots.responses import current_snapshot, snapshot_response
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts
from shared.values.language import negotiate

router = APIRouter(prefix="/cds-services", route_class=ApiRoute, tags=["cds-hooks"])

# An EHR signs a token for the address that it calls.
Ehr = Annotated[Access, Depends(allow("match", "execute", signed_by_client=True))]
Anyone = Annotated[Access, Depends(allow("terminology", "read"))]


@router.get("", summary="List the CDS services")
async def list_services(access: Anyone) -> dict[str, Any]:
    """Return the hooks and the prefetch that they need."""
    return SERVICES


@router.post(f"/{SERVICE}", response_class=Response, summary="Call the CDS service")
@accepts(body_bytes=RECORD_BYTES, limits=RECORD_LIMITS, seconds=MATCH_SECONDS)
async def call_service(request: Request, access: Ehr, given: HookRequest) -> Response:
    """Return at most three cards: trials to consider, referral deadlines, and the question that decides most."""
    parameters, snapshot = PatientParameters(), current_snapshot(request)
    parameters.check_access(access)
    patient = await receive_patient(request, bundle_of(given.prefetch), parameters, snapshot)
    listed = (await run_match(request, snapshot, patient, match_trials)).listed
    language = negotiate(request.headers.get("accept-language"))
    shown = cards(listed, snapshot, patient, language, request.app.state.public_url)
    return snapshot_response(snapshot, to_json({"cards": shown}))


@router.post(f"/{SERVICE}/feedback", response_class=Response, summary="Report what was done with cards")
@accepts(body_bytes=64 * 1024)
async def take_feedback(request: Request, access: Ehr, given: Feedback) -> Response:
    """Count what was done with cards. Nothing else of it is kept."""
    for one in given.feedback:
        request.app.state.metrics.count_card(one.outcome)
    return Response(status_code=200)
