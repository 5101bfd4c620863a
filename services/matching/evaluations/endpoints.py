"""``POST /matching/v1/match``: match a patient with every published trial; nothing is stored."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from services.matching.evaluations.batch import LINE_SCHEMA, batch_response
from services.matching.evaluations.examples import ANSWER
from services.matching.evaluations.schemas import MatchAnswer
from services.matching.evaluations.service import match_patient
from services.matching.evaluations.work import run_match
from services.matching.patients.body import FHIR_JSON, NDJSON, OTHER_BODIES, ZIP, PatientBody
from services.matching.patients.calls import receive_patient
from services.matching.patients.parameters import (
    BATCH_BYTES,
    MATCH_SECONDS,
    RECORD_BYTES,
    RECORD_LIMITS,
    Matcher,
    Parameters,
)
from services.matching.snapshots.responses import current_snapshot, snapshot_response
from shared.http.route import ApiRoute, accepts, produces
from shared.http.strict_request import media_type_of

router = APIRouter(prefix="/matching/v1", route_class=ApiRoute, tags=["match"])

RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The trials, best first; of several patients, one such answer a line.",
        "content": {"application/json": {"example": ANSWER}},
    },
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


@router.post(
    "/match",
    response_model=MatchAnswer,
    responses=RESPONSES,
    summary="Match a patient, or many",
    # As extensions: generators of clients refuse media types that they do not know.
    openapi_extra={"x-other-bodies": OTHER_BODIES, "x-batch-line": LINE_SCHEMA},
)
@accepts(
    "application/json",
    FHIR_JSON,
    NDJSON,
    ZIP,
    body_bytes=RECORD_BYTES,
    bytes_of={NDJSON: BATCH_BYTES},
    limits=RECORD_LIMITS,
    seconds=MATCH_SECONDS,
)
@produces("application/json", NDJSON)
async def match(
    request: Request, access: Matcher, body: PatientBody, parameters: Parameters, page: Annotated[Page, Depends()]
) -> Response:
    """Return the published trials for a patient: native, a FHIR R4 Bundle or a Phenopacket. Nothing is stored.

    `application/zip` carries the patient's rows of OMOP tables as CSV files. `application/x-ndjson` carries one patient
    a line, at most 1,000 lines of 1 MiB, and is answered in the same form: `{"line", "status", "answer" or "problem"}`,
    in the order of the lines.
    """
    parameters.check_access(access)
    snapshot = current_snapshot(request)
    if media_type_of(request) == NDJSON:
        return batch_response(request, body, snapshot, parameters, page.limit, page.cursor)
    patient = await receive_patient(request, body, parameters, snapshot)
    found = await run_match(request, snapshot, patient, match_patient, parameters.horizon, page.limit, page.cursor)
    return snapshot_response(snapshot, found)
