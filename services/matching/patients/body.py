"""The body of a call that carries a patient: described by its models, and passed on as it was sent."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import Body, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from services.matching.patients.examples import EXAMPLES
from services.matching.patients.fhir.bundle import is_fhir
from services.matching.patients.parameters import MATCH_BYTES
from services.matching.patients.phenopacket.reader import is_phenopacket
from services.matching.patients.problems import FormatNotSupportedError
from services.matching.patients.schemas import Patient
from shared.http.strict_request import media_type_of
from shared.values.problems import Fault, TooLargeError

FHIR_JSON = "application/fhir+json"
NDJSON = "application/x-ndjson"
ZIP = "application/zip"


class PhenopacketMetaData(BaseModel):
    """The meta data of a Phenopacket."""

    model_config = ConfigDict(extra="allow")

    version: str = Field(
        alias="phenopacketSchemaVersion", description="The version of the schema, such as `2.0` or `1.0`."
    )
    created: str | None = Field(default=None, description="The instant that an age of the packet is of.")


class Phenopacket(BaseModel):
    """A GA4GH Phenopacket of version 1 or 2, or a Family. What is not read is reported in `warnings`."""

    model_config = ConfigDict(extra="allow")

    meta_data: PhenopacketMetaData = Field(alias="metaData", description="With the version of the schema.")
    subject: dict[str, Any] | None = Field(
        default=None, description="The patient: `sex`, `dateOfBirth` or the age in `timeAtLastEncounter`."
    )
    phenotypic_features: list[dict[str, Any]] | None = Field(
        default=None, alias="phenotypicFeatures", description="Phenotypic features, present or excluded."
    )
    diseases: list[dict[str, Any]] | None = Field(default=None, description="Diseases, present or excluded.")
    measurements: list[dict[str, Any]] | None = Field(default=None, description="Measurements with units.")
    medical_actions: list[dict[str, Any]] | None = Field(
        default=None, alias="medicalActions", description="Procedures and treatments."
    )
    interpretations: list[dict[str, Any]] | None = Field(default=None, description="Interpretations with variants.")
    proband: dict[str, Any] | None = Field(default=None, description="Of a Family: the Phenopacket of the patient.")


class Bundle(BaseModel):
    """A FHIR R4 Bundle of one patient. Names, identifiers and narrative are dropped without being read."""

    model_config = ConfigDict(extra="allow")

    resource_type: Literal["Bundle"] = Field(alias="resourceType", description="`Bundle`.")
    type: Literal["collection", "document", "searchset", "transaction", "batch"] = Field(
        description="The kind of the Bundle. A `document` may be an International Patient Summary (IPS)."
    )
    timestamp: str | None = Field(default=None, description="When the Bundle was put together.")
    entry: list[dict[str, Any]] | None = Field(
        default=None, description="The resources, each in `resource`; `docs/patient-records.md` says what is read."
    )


def _pass_on(value: Any, _validate: ValidatorFunctionWrapHandler) -> Any:
    # What could identify a person is refused before anything is validated, and errors of one format must not mention
    # the other: `reading.read_patient` does both.
    if not isinstance(value, dict | bytes):
        raise PydanticCustomError("dict_type", "an object is expected")
    return value


# The models describe the body in OpenAPI. The value is the JSON object as it was sent, or the bytes of a batch or an
# archive.
SentPatient = Annotated[Patient | Phenopacket | Bundle, WrapValidator(_pass_on)]

OTHER_BODIES: dict[str, Any] = {
    FHIR_JSON: {"schema": {"$ref": "#/components/schemas/Bundle"}},
    ZIP: {
        "schema": {
            "type": "string",
            "format": "binary",
            "description": "One patient's rows of OMOP tables, one CSV file for each table.",
        }
    },
    NDJSON: {
        "schema": {"anyOf": [{"$ref": f"#/components/schemas/{one}"} for one in ("Patient", "Phenopacket", "Bundle")]}
    },
}


async def _require_json(request: Request) -> None:
    """Read the body before FastAPI does, so that an empty one is malformed JSON like any other."""
    if media_type_of(request) not in {NDJSON, ZIP}:
        await request.json()


async def _patient_body(
    request: Request,
    sent: Annotated[SentPatient, Body(openapi_examples=EXAMPLES)],
    _read: Annotated[None, Depends(_require_json)],
) -> Any:
    if isinstance(sent, dict):
        check_form(sent, media_type_of(request), len(await request.body()))
    return sent


def check_form(sent: Mapping[str, Any], media_type: str, size: int) -> None:
    """Check a patient against its media type, and its size against its format.

    :raises FormatNotSupportedError: 422, it is no FHIR resource although the media type says so.
    :raises TooLargeError: 413, a native patient is larger than `MATCH_BYTES`.
    """
    if media_type == FHIR_JSON and not is_fhir(sent):
        detail = FormatNotSupportedError.title
        raise FormatNotSupportedError(
            errors=[Fault(pointer="/header/content-type", code="format_not_supported", detail=detail)]
        )
    if size > MATCH_BYTES and not is_fhir(sent) and not is_phenopacket(sent):
        raise TooLargeError


# A JSON object, or the bytes of a batch or of an archive.
PatientBody = Annotated[Any, Depends(_patient_body)]
