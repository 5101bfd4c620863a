"""Reads a patient in any supported format as the native patient.

A body that could identify a person is refused before anything else of it is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import ValidationError

from services.matching.patients.identifiers import identifying
from services.matching.patients.phenopacket import Ignored, is_phenopacket, read_phenopacket
from services.matching.patients.problems import FormatNotSupportedError, IdentifierForbiddenError
from services.matching.patients.schemas import Patient
from shared.values.problems import Fault, InvalidBodyError, InvalidParameterError
from shared.values.validation import faults
from shared.values.wire import Label

_AS_OF_TWICE = Fault(
    pointer="/query/as_of",
    code="not_for_native",
    detail=Label(
        fr="pour un patient natif, mettez as_of dans le corps de la requête",
        en="for a native patient, put as_of into the body of the request",
    ),
)


@dataclass(frozen=True, slots=True)
class ReadPatient:
    """The native patient, and the parts of another format that were not used."""

    patient: Patient
    ignored: tuple[Ignored, ...] = ()


def read_patient(document: Mapping[str, Any], as_of: date | None = None, pointer: str = "") -> ReadPatient:
    """Read a patient. The format is recognised by the marker in the document.

    ``as_of``: the day of evaluation, for a format without a field for it. ``pointer``: the place of the patient in the
    body.

    :raises FormatNotSupportedError: 422, a FHIR resource.
    :raises IdentifierForbiddenError: 422, something could identify a person; its value is not repeated.
    :raises InvalidBodyError: 422, with the place of each fault.
    """
    if "resourceType" in document:
        wrong = Fault(
            pointer=f"{pointer}/resourceType", code="format_not_supported", detail=FormatNotSupportedError.title
        )
        raise FormatNotSupportedError(errors=[wrong])
    found = identifying(document, pointer)
    if found:
        raise IdentifierForbiddenError(errors=found)
    if is_phenopacket(document):
        patient, ignored = read_phenopacket(document, as_of, pointer)
        return ReadPatient(patient, tuple(ignored))
    if as_of is not None:
        raise InvalidParameterError(errors=[_AS_OF_TWICE])
    try:
        return ReadPatient(Patient.model_validate(document))
    except ValidationError as error:
        raise InvalidBodyError(errors=faults(error.errors(), pointer)) from None
