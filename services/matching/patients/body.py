"""The body of a call that carries a patient: described by its models, and passed on as it was sent."""

from collections.abc import Mapping
from typing import Annotated, Any, cast

from fastapi import Body, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from services.matching.patients.examples import EXAMPLES
from services.matching.patients.problems import FormatNotSupportedError
from services.matching.patients.schemas import Patient
from shared.values.problems import Fault

FHIR_JSON = "application/fhir+json"


class PhenopacketMetaData(BaseModel):
    """The meta data of a Phenopacket; its version marks the format."""

    model_config = ConfigDict(extra="allow")

    version: str = Field(alias="phenopacketSchemaVersion", description="The version of the schema, such as `2.0`.")


class Phenopacket(BaseModel):
    """A GA4GH Phenopacket v2, or a Family. Parts that no criterion uses are listed as ignored."""

    model_config = ConfigDict(extra="allow")

    meta_data: PhenopacketMetaData = Field(alias="metaData", description="With the version of the schema.")
    subject: dict[str, Any] | None = Field(
        default=None, description="The patient: `sex`, `dateOfBirth` or the age in `timeAtLastEncounter`."
    )
    phenotypic_features: list[dict[str, Any]] | None = Field(
        default=None, alias="phenotypicFeatures", description="Phenotypic features, present or excluded."
    )
    diseases: list[dict[str, Any]] | None = Field(default=None, description="Diseases, present or excluded.")
    measurements: list[dict[str, Any]] | None = Field(default=None, description="Measurements with UCUM units.")
    medical_actions: list[dict[str, Any]] | None = Field(
        default=None, alias="medicalActions", description="Procedures and treatments."
    )
    interpretations: list[dict[str, Any]] | None = Field(default=None, description="Interpretations with variants.")
    proband: dict[str, Any] | None = Field(default=None, description="Of a Family: the Phenopacket of the patient.")


def _pass_on(value: Any, _validate: ValidatorFunctionWrapHandler) -> Any:
    # What could identify a person is refused before anything is validated, and errors of one format must not mention
    # the other: `reading.read_patient` does both.
    if not isinstance(value, dict):
        raise PydanticCustomError("dict_type", "an object is expected")
    return value


# The models describe the body in OpenAPI; the value is the JSON object as it was sent.
SentPatient = Annotated[Patient | Phenopacket, WrapValidator(_pass_on)]


async def _require_json(request: Request) -> None:
    """Read the body before FastAPI does, so that an empty one is malformed JSON like any other.

    :raises FormatNotSupportedError: 422, FHIR JSON.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == FHIR_JSON:
        detail = FormatNotSupportedError.title
        raise FormatNotSupportedError(
            errors=[Fault(pointer="/header/content-type", code="format_not_supported", detail=detail)]
        )
    await request.json()


async def _patient_body(
    sent: Annotated[SentPatient, Body(openapi_examples=EXAMPLES)], _read: Annotated[None, Depends(_require_json)]
) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", sent)


PatientBody = Annotated[Mapping[str, Any], Depends(_patient_body)]
