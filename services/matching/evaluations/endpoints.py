"""``POST /matching/v1/match``: a patient in, trials out; stored nowhere."""

from datetime import UTC, date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response

from services.matching.evaluations.schemas import MatchAnswer
from services.matching.evaluations.service import Options, answer
from services.matching.patients.reading import read_patient
from services.matching.patients.schemas import Patient
from services.matching.snapshots.model import Snapshot
from services.matching.snapshots.store import SnapshotStore
from shared.access.policy import Access
from shared.criteria.durations import parse
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts
from shared.values.problems import Fault, ForbiddenError, InvalidParameterError
from shared.values.strict_json import Limits
from shared.values.wire import Day, Duration, Label
from shared.vocabulary.durations import in_months

router = APIRouter(prefix="/matching/v1", route_class=ApiRoute, tags=["match"])

Matcher = Annotated[Access, Depends(allow("match", "execute"))]
MATCH_BYTES = 256 * 1024
MATCH_SECONDS = 2.0
# A Phenopacket spells out a long deletion base by base; the fields that are read have their own bounds.
MATCH_LIMITS = Limits(string=MATCH_BYTES)
PARIS = ZoneInfo("Europe/Paris")
LONGEST_HORIZON = parse("P20Y")

Horizon = Annotated[Duration, Query(description="How far the timeline is told, at most P20Y.")]
DosingDate = Annotated[Day | None, Query(description="The planned day of dosing; absent: each trial's own lead time.")]
AsOf = Annotated[
    Day | None,
    Query(description="The day of the question, for a format that does not say it. A native patient says it itself."),
]
Most = Annotated[int, Query(ge=1, le=200, description="Trials in the answer.")]
Synthetic = Annotated[
    bool, Query(description="The patient is invented. The coordination, which sees no real one, must say so.")
]
ONLY_SYNTHETIC = Label(
    fr="seul un patient inventé, dit par synthetic=true", en="an invented patient only, told by synthetic=true"
)

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
async def match_patient(
    request: Request,
    access: Matcher,
    horizon: Horizon = "P2Y",
    dosing_date: DosingDate = None,
    as_of: AsOf = None,
    limit: Most = 50,
    synthetic: Synthetic = False,
) -> Response:
    """Which trials, where and when. Give a native patient, or a Phenopacket v2."""
    check_invented(access, synthetic)
    keeper: SnapshotStore = request.app.state.snapshots
    snapshot = keeper.current
    read = read_patient(await request.json(), as_of)
    options = options_of(read.patient.as_of, horizon, dosing_date, limit)
    return Response(answer(snapshot, read, options), media_type="application/json", headers=headers_of(snapshot))


def check_invented(access: Access, synthetic: bool) -> None:
    """:raises ForbiddenError: 403, a patient that is not said to be invented, from who may see no other."""
    if access.rows == "synthetic" and not synthetic:
        raise ForbiddenError(ONLY_SYNTHETIC)


def options_of(as_of: date | None, horizon: str, dosing_date: date | None, limit: int) -> Options:
    """:raises InvalidParameterError: 400, a horizon beyond 20 years or a dosing before the day of the match."""
    today = datetime.now(PARIS).date()
    span, longest = parse(horizon), LONGEST_HORIZON
    if in_months(span.months, span.days) > longest.months:
        detail = Label(fr="au plus P20Y", en="at most P20Y")
        raise InvalidParameterError(errors=[Fault(pointer="/query/horizon", code="horizon_too_long", detail=detail)])
    if dosing_date is not None and dosing_date < (as_of or today):
        detail = Label(fr="pas avant le jour de l'évaluation", en="not before the day of evaluation")
        raise InvalidParameterError(
            errors=[Fault(pointer="/query/dosing_date", code="dosing_in_the_past", detail=detail)]
        )
    return Options(today, horizon, dosing_date, limit)


def headers_of(snapshot: Snapshot) -> dict[str, str]:
    """Which snapshot answered, and how many seconds ago it was known to be current."""
    age = max(0, int((datetime.now(UTC) - snapshot.current_at).total_seconds()))
    return {"Snapshot": snapshot.id, "Snapshot-Age": str(age), "Cache-Control": "no-store"}
