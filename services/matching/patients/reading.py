"""Reads a patient in any supported format as the native patient.

What could identify a person is refused in a native patient. The other formats usually carry it: there it is dropped
without being read.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import ValidationError

from services.matching.patients.draft import ReadPatient
from services.matching.patients.fhir.bundle import is_fhir, read_bundle
from services.matching.patients.native import clean
from services.matching.patients.omop.reader import read_archive
from services.matching.patients.phenopacket.reader import is_phenopacket, read_phenopacket
from services.matching.patients.problems import IdentifierForbiddenError
from services.matching.patients.schemas import Patient
from services.matching.patients.warnings import Warnings
from shared.values.personal_identifiers import identifying
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


def read_patient(document: Mapping[str, Any] | bytes, as_of: date | None = None, pointer: str = "") -> ReadPatient:
    """Read a patient. The format is recognised by the document; bytes are a zip of OMOP tables.

    ``as_of``: the day of evaluation, for a format without a field for it. ``pointer``: the place of the patient in the
    body.

    :raises IdentifierForbiddenError: 422, a native patient has something that could identify a person.
    :raises InvalidBodyError: 422, with the place of each fault; no value is repeated.
    """
    if isinstance(document, bytes):
        return read_archive(document).finish(as_of)
    if is_fhir(document):
        return read_bundle(document, pointer).finish(as_of)
    if is_phenopacket(document):
        return read_phenopacket(document, pointer).finish(as_of)
    found = identifying(document, pointer)
    if found:
        raise IdentifierForbiddenError(errors=found)
    if as_of is not None:
        raise InvalidParameterError(errors=[_AS_OF_TWICE])
    warnings = Warnings()
    cleaned = clean(document, warnings, pointer)
    try:
        patient = Patient.model_validate(cleaned.document)
    except ValidationError as error:
        errors = [_as_sent(fault, cleaned.indexes) for fault in faults(error.errors())]
        raise InvalidBodyError(
            errors=[fault.model_copy(update={"pointer": pointer + fault.pointer}) for fault in errors]
        ) from None
    return ReadPatient(patient, tuple(cleaned.places), warnings)


def _as_sent(fault: Fault, indexes: Sequence[int]) -> Fault:
    """Return a fault with the index of its fact in the body: facts that stand for unknown values were left out."""
    parts = fault.pointer.split("/")
    if parts[1:2] == ["facts"] and len(parts) > 2 and int(parts[2]) < len(indexes):
        parts[2] = str(indexes[int(parts[2])])
    return fault.model_copy(update={"pointer": "/".join(parts)})
