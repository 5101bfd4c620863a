"""``POST /matching/v1/criteria/check`` and ``…/dry-run``."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.matching.criteria.schemas import CheckAnswer, DryRun, DryRunAnswer
from services.matching.criteria.service import check, dry_run
from services.matching.evaluations.endpoints import (
    MATCH_BYTES,
    MATCH_SECONDS,
    AsOf,
    DosingDate,
    Horizon,
    Matcher,
    Synthetic,
    check_invented,
    headers_of,
    options_of,
)
from services.matching.patients.reading import read_patient
from services.matching.snapshots.store import SnapshotStore
from shared.access.policy import Access
from shared.criteria.model import CriteriaDocument
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts
from shared.values.strict_json import Limits

router = APIRouter(prefix="/matching/v1/criteria", route_class=ApiRoute, tags=["criteria"])

Checker = Annotated[Access, Depends(allow("criteria", "execute"))]
DOCUMENT_BYTES = 1024 * 1024


@router.post("/check", response_model=CheckAnswer)
@accepts(body_bytes=DOCUMENT_BYTES)
async def check_criteria(request: Request, document: CriteriaDocument, access: Checker) -> Response:
    """What is wrong with a criteria document. Nothing is stored."""
    keeper: SnapshotStore = request.app.state.snapshots
    snapshot = keeper.current
    return Response(check(document, snapshot), media_type="application/json", headers=headers_of(snapshot))


@router.post("/dry-run", response_model=DryRunAnswer)
@accepts(
    body_bytes=DOCUMENT_BYTES + MATCH_BYTES, limits=Limits(string=MATCH_BYTES, nodes=20_000), seconds=MATCH_SECONDS
)
async def dry_run_criteria(
    request: Request,
    body: DryRun,
    access: Matcher,  # it carries a patient
    horizon: Horizon = "P2Y",
    dosing_date: DosingDate = None,
    as_of: AsOf = None,
    synthetic: Synthetic = False,
) -> Response:
    """What a criteria document says of a patient, signed or not. Nothing is stored."""
    check_invented(access, synthetic)
    keeper: SnapshotStore = request.app.state.snapshots
    snapshot = keeper.current
    read = read_patient(body.patient, as_of, "/patient")
    options = options_of(read.patient.as_of, horizon, dosing_date, limit=1)
    return Response(
        dry_run(body.criteria, read, snapshot, options), media_type="application/json", headers=headers_of(snapshot)
    )
