"""``POST /matching/v1/match``: match a patient with every published trial; nothing is stored."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from services.matching.evaluations.costs import match_units
from services.matching.evaluations.examples import ANSWER
from services.matching.evaluations.schemas import MatchAnswer
from services.matching.evaluations.service import match_patient
from services.matching.patients.body import FHIR_JSON, PatientBody
from services.matching.patients.index import index_patient
from services.matching.patients.parameters import MATCH_BYTES, MATCH_LIMITS, MATCH_SECONDS, Matcher, Parameters
from services.matching.patients.reading import read_patient
from services.matching.snapshots.responses import current_snapshot, snapshot_response
from shared.http.charges import charge
from shared.http.route import ApiRoute, accepts

router = APIRouter(prefix="/matching/v1", route_class=ApiRoute, tags=["match"])

RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The trials, best first.", "content": {"application/json": {"example": ANSWER}}},
    410: {"description": "The trials have changed since the cursor was given."},
}


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of the results is wanted."""

    limit: Annotated[int, Query(ge=1, le=200, description="How many trials the page contains at most.")] = 50
    cursor: Annotated[
        str | None,
        Query(max_length=40, description="`next` of the page before, with the same body and parameters."),
    ] = None


@router.post("/match", response_model=MatchAnswer, responses=RESPONSES, summary="Match a patient")
@accepts("application/json", FHIR_JSON, body_bytes=MATCH_BYTES, limits=MATCH_LIMITS, seconds=MATCH_SECONDS)
async def match(
    request: Request, access: Matcher, body: PatientBody, parameters: Parameters, page: Annotated[Page, Depends()]
) -> Response:
    """Return the published trials for a patient, given natively or as a Phenopacket v2. Nothing is stored."""
    parameters.check_access(access)
    snapshot = current_snapshot(request)
    read = read_patient(body, parameters.as_of)
    parameters.check_days(read.patient.as_of)
    patient = index_patient(read, snapshot.vocabulary, parameters.today, parameters.dosing_date)
    charge(request, match_units(len(patient.index.facts), len(snapshot.trials)))
    return snapshot_response(snapshot, match_patient(snapshot, patient, parameters.horizon, page.limit, page.cursor))
