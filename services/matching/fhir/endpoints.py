"""``POST /fhir/ResearchStudy/$match``: match a patient given as a FHIR Bundle; nothing is stored."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request, Response

from services.matching.evaluations.service import match_trials
from services.matching.evaluations.work import run_match
from services.matching.fhir.request import read_request
from services.matching.fhir.service import StudyMatches
from services.matching.patients.body import FHIR_JSON
from services.matching.patients.calls import receive_patient
from services.matching.patients.parameters import MATCH_SECONDS, RECORD_BYTES, RECORD_LIMITS, Matcher, Parameters
from services.matching.snapshots.responses import current_snapshot
from shared.http.route import ApiRoute, accepts

router = APIRouter(prefix="/fhir", route_class=ApiRoute, tags=["fhir"])

ANSWER: dict[int | str, dict[str, Any]] = {200: {"content": {FHIR_JSON: {"schema": {"type": "object"}}}}}
Sent = Annotated[dict[str, Any], Body(description="A Bundle of one patient, or Parameters with one as `patient`.")]


def _matches(request: Request) -> StudyMatches:
    return StudyMatches(request.app.state.studies)


@router.post("/ResearchStudy/$match", response_class=Response, responses=ANSWER, summary="Match a patient over FHIR")
@accepts(FHIR_JSON, "application/json", body_bytes=RECORD_BYTES, limits=RECORD_LIMITS, seconds=MATCH_SECONDS)
async def match_studies(
    request: Request,
    access: Matcher,
    sent: Sent,
    parameters: Parameters,
    matches: Annotated[StudyMatches, Depends(_matches)],
    count: Annotated[int, Query(alias="_count", ge=1, le=100, description="How many trials a page contains.")] = 20,
    cursor: Annotated[str | None, Query(max_length=40, description="From the link `next`, with the same body.")] = None,
) -> Response:
    """Return the trials for a patient as a searchset of ResearchStudy with `search.score`, without fictitious ones."""
    parameters.check_access(access)
    asked, snapshot = read_request(sent), current_snapshot(request)
    patient = await receive_patient(request, asked.bundle, parameters, snapshot, asked.pointer)
    listed = (await run_match(request, snapshot, patient, match_trials, parameters.horizon)).listed
    found = await matches.page(listed, snapshot, patient, asked.wishes, count, cursor)
    text = json.dumps(found, ensure_ascii=False)
    return Response(text, media_type=FHIR_JSON, headers={"Cache-Control": "no-store"})
