"""``POST /matching/v1/patients/read``: a patient of any format as the native patient; nothing is stored."""

import asyncio
from typing import Any

import pydantic_core
from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.matching.answers.schemas import WarningAnswer
from services.matching.patients.body import FHIR_JSON, ZIP, PatientBody
from services.matching.patients.examples import PATIENT
from services.matching.patients.parameters import (
    MATCH_SECONDS,
    RECORD_BYTES,
    RECORD_LIMITS,
    AsOf,
    Matcher,
    PatientParameters,
    Synthetic,
)
from services.matching.patients.reading import read_patient
from services.matching.patients.schemas import Patient
from shared.http.route import ApiRoute, accepts
from shared.values.wire import ApiModel

router = APIRouter(prefix="/matching/v1/patients", route_class=ApiRoute, tags=["match"])


class ReadAnswer(ApiModel):
    """A patient as it was understood. A match of `patient` gives what a match of the body gives."""

    patient: Patient = Field(description="The native patient; members that say nothing are left out.")
    warnings: list[WarningAnswer] = Field(
        description="What was not understood or not used; at most 501. Codes are checked by a match only."
    )


RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The native patient.",
        "content": {"application/json": {"example": {"patient": PATIENT, "warnings": []}}},
    }
}


@router.post("/read", response_model=ReadAnswer, responses=RESPONSES, summary="Read a patient in any format")
@accepts("application/json", FHIR_JSON, ZIP, body_bytes=RECORD_BYTES, limits=RECORD_LIMITS, seconds=MATCH_SECONDS)
async def read(
    request: Request, access: Matcher, body: PatientBody, as_of: AsOf = None, synthetic: Synthetic = False
) -> Response:
    """Return a FHIR R4 Bundle, a Phenopacket or OMOP tables as the native patient, to check it and to add to it."""
    PatientParameters(as_of=as_of, synthetic=synthetic).check_access(access)
    found = await asyncio.to_thread(read_patient, body, as_of)
    patient = found.patient.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    answer = {"patient": patient, "warnings": found.warnings.answer()}
    return Response(pydantic_core.to_json(answer), media_type="application/json", headers={"Cache-Control": "no-store"})
