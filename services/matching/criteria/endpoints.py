"""``POST /matching/v1/criteria/check`` and ``…/dry-run``: help for authors of criteria; nothing is stored."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import ValidatorFunctionWrapHandler, WrapValidator

from services.matching.criteria.examples import CHECKED, DOCUMENTS, DRY_RUNS, TRIED
from services.matching.criteria.schemas import CheckAnswer, DryRun, DryRunAnswer
from services.matching.criteria.service import check, dry_run
from services.matching.patients.calls import receive_patient
from services.matching.patients.parameters import MATCH_SECONDS, RECORD_BYTES, RECORD_LIMITS, Matcher, Parameters
from services.matching.snapshots.responses import current_snapshot, snapshot_response
from shared.access.policy import Access
from shared.criteria.model import CriteriaDocument
from shared.http.guards import allow
from shared.http.heavy_work import HeavyWork
from shared.http.route import ApiRoute, accepts

router = APIRouter(prefix="/matching/v1/criteria", route_class=ApiRoute, tags=["criteria"])

# A larger body is worked on in a thread: it takes up to a tenth of a second.
SMALL_BYTES = 8 * 1024


def _pass_on(value: Any, _validate: ValidatorFunctionWrapHandler) -> Any:
    return value


# Described by the model, and validated where the document is checked.
SentCriteria = Annotated[CriteriaDocument, WrapValidator(_pass_on)]
Checker = Annotated[Access, Depends(allow("criteria", "execute"))]
Document = Annotated[SentCriteria, Body(openapi_examples=DOCUMENTS)]
Trial = Annotated[DryRun, Body(openapi_examples=DRY_RUNS)]
CHECK_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The findings.", "content": {"application/json": {"example": CHECKED}}}
}
DRY_RUN_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The result.", "content": {"application/json": {"example": TRIED}}}
}
DOCUMENT_BYTES = 1024 * 1024


@router.post("/check", response_model=CheckAnswer, responses=CHECK_RESPONSES, summary="Check a criteria document")
@accepts(body_bytes=DOCUMENT_BYTES)
async def check_criteria(request: Request, document: Document, access: Checker) -> Response:
    """Return the errors and the doubtful expressions of a criteria document. Nothing is stored."""
    snapshot = current_snapshot(request)
    return snapshot_response(snapshot, await _run(request, check, document, snapshot))


@router.post("/dry-run", response_model=DryRunAnswer, responses=DRY_RUN_RESPONSES, summary="Try criteria on a patient")
@accepts(body_bytes=DOCUMENT_BYTES + RECORD_BYTES, limits=RECORD_LIMITS, seconds=MATCH_SECONDS)
async def dry_run_criteria(request: Request, body: Trial, access: Matcher, parameters: Parameters) -> Response:
    """Return what a criteria document, signed or not, gives for one patient. Nothing is stored."""
    parameters.check_access(access)
    snapshot = current_snapshot(request)
    patient = await receive_patient(request, body.patient_as_sent, parameters, snapshot, "/patient")
    found = await _run(request, dry_run, body.criteria, patient, snapshot, parameters.horizon)
    return snapshot_response(snapshot, found)


async def _run(request: Request, function: Callable[..., bytes], *arguments: Any) -> bytes:
    """Return ``function(*arguments)``, computed in the thread for heavy work where the body is large."""
    if len(await request.body()) <= SMALL_BYTES:
        return function(*arguments)
    heavy: HeavyWork = request.app.state.heavy_work
    return await heavy.run(function, *arguments)
