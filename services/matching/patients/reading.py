"""A patient as sent, in whichever format, to the native patient; who could be identified is refused before anything is read."""

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
    detail=Label(fr="le patient natif dit lui-même son as_of", en="the native patient says its own as_of"),
)


@dataclass(frozen=True, slots=True)
class ReadPatient:
    """The native patient, and the parts of another format that were left out."""

    patient: Patient
    ignored: tuple[Ignored, ...] = ()


def read_patient(document: Mapping[str, Any], as_of: date | None = None, pointer: str = "") -> ReadPatient:
    """Told apart by the body's own marker. ``as_of`` is for formats that cannot say it; ``pointer``: where the patient stands in the body.

    :raises FormatNotSupportedError: 422, a FHIR resource.
    :raises IdentifierForbiddenError: 422, anything that could identify a person; its value is not repeated.
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
