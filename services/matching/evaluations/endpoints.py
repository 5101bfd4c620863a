"""``POST /matching/v1/match``: match a patient with every published trial; nothing is stored."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from services.matching.evaluations.costs import match_units
from services.matching.evaluations.schemas import MatchAnswer
from services.matching.evaluations.service import match_patient
from services.matching.patients.index import index_patient
from services.matching.patients.parameters import MATCH_BYTES, MATCH_LIMITS, MATCH_SECONDS, Matcher, Parameters
from services.matching.patients.reading import read_patient
from services.matching.patients.schemas import Patient
from services.matching.snapshots.responses import current_snapshot, snapshot_response
from shared.http.charges import charge
from shared.http.route import ApiRoute, accepts

router = APIRouter(prefix="/matching/v1", route_class=ApiRoute, tags=["match"])

MaxResults = Annotated[int, Query(ge=1, le=200, description="How many trials the answer contains at most.")]

# The document's own place in the OpenAPI file, where its definitions stand.
_SCHEMA_AT = "#/paths/~1matching~1v1~1match/post/requestBody/content/application~1json/schema/oneOf/0/$defs/{model}"
# By what it must have, no patient of ours is one too.
PHENOPACKET = {
    "type": "object",
    "title": "Phenopacket",
    "description": "GA4GH Phenopacket v2, told by metaData.phenopacketSchemaVersion.",
    "required": ["metaData"],
    "properties": {"metaData": {"type": "object", "required": ["phenopacketSchemaVersion"]}},
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [Patient.model_json_schema(ref_template=_SCHEMA_AT), PHENOPACKET]},
            }
        },
    }
}


@router.post("/match", response_model=MatchAnswer, openapi_extra=BODY)
@accepts(body_bytes=MATCH_BYTES, limits=MATCH_LIMITS, seconds=MATCH_SECONDS)
async def post_match(request: Request, access: Matcher, parameters: Parameters, limit: MaxResults = 50) -> Response:
    """Match a native patient or a Phenopacket v2 with every published trial."""
    parameters.check_access(access)
    snapshot = current_snapshot(request)
    read = read_patient(await request.json(), parameters.as_of)
    parameters.check_days(read.patient.as_of)
    patient = index_patient(read, snapshot.vocabulary, parameters.today, parameters.dosing_date)
    charge(request, match_units(len(patient.index.facts), len(snapshot.trials)))
    return snapshot_response(snapshot, match_patient(snapshot, patient, parameters.horizon, limit))
