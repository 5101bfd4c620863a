"""``POST /fhir/ResearchStudy/$match``: match a patient given as a FHIR Bundle; nothing is stored."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request, Response

from services.matching.clients.studies import ResearchStudies
from services.matching.evaluations.costs import match_units
from services.matching.evaluations.paging import cursor_of, start_of
from services.matching.evaluations.service import match_trials
from services.matching.fhir.answer import bundle, outcome, wanted
from services.matching.fhir.request import read_request
from services.matching.patients.body import FHIR_JSON
from services.matching.patients.index import index_patient
from services.matching.patients.parameters import MATCH_BYTES, MATCH_LIMITS, MATCH_SECONDS, Matcher, Parameters
from services.matching.patients.reading import read_patient
from services.matching.snapshots.responses import current_snapshot
from shared.http.charges import charge
from shared.http.route import ApiRoute, accepts

router = APIRouter(prefix="/fhir", route_class=ApiRoute, tags=["fhir"])

ANSWER: dict[int | str, dict[str, Any]] = {200: {"content": {FHIR_JSON: {"schema": {"type": "object"}}}}}
Sent = Annotated[dict[str, Any], Body(description="A Bundle of one patient, or Parameters with one as `patient`.")]


def _studies(request: Request) -> ResearchStudies:
    studies: ResearchStudies = request.app.state.studies
    return studies


@router.post("/ResearchStudy/$match", response_class=Response, responses=ANSWER, summary="Match a patient over FHIR")
@accepts(FHIR_JSON, "application/json", body_bytes=MATCH_BYTES, limits=MATCH_LIMITS, seconds=MATCH_SECONDS)
async def match_studies(
    request: Request,
    access: Matcher,
    sent: Sent,
    parameters: Parameters,
    studies: Annotated[ResearchStudies, Depends(_studies)],
    count: Annotated[int, Query(alias="_count", ge=1, le=100, description="How many trials a page contains.")] = 20,
    cursor: Annotated[str | None, Query(max_length=40, description="From the link `next`, with the same body.")] = None,
) -> Response:
    """Return the trials for a patient as a searchset of ResearchStudy with `search.score`, without fictitious ones."""
    parameters.check_access(access)
    asked = read_request(sent)
    snapshot = current_snapshot(request)
    read = read_patient(asked.bundle, parameters.as_of, asked.pointer)
    parameters.check_days(read.patient.as_of)
    patient = index_patient(read, snapshot.vocabulary, parameters.today, parameters.dosing_date, asked.pointer)
    charge(request, match_units(len(patient.index.facts), len(snapshot.trials)))
    found = wanted(match_trials(snapshot, patient, parameters.horizon).listed, snapshot, patient, asked.wishes)
    start = start_of(cursor, snapshot.id)
    page = found[start : start + count]
    links = [{"relation": "self", "url": "ResearchStudy/$match"}]
    if start + count < len(found):
        following = f"ResearchStudy/$match?_count={count}&cursor={cursor_of(snapshot.id, start + count)}"
        links.append({"relation": "next", "url": following})
    resources = await studies.get([(one.trial.record.trial.id, one.trial.record.trial.version) for one in page])
    return _resource(bundle(page, resources, len(found), links, outcome(patient.warnings)))


def _resource(document: Mapping[str, Any]) -> Response:
    return Response(
        json.dumps(document, ensure_ascii=False), media_type=FHIR_JSON, headers={"Cache-Control": "no-store"}
    )
