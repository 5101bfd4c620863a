"""From a patient as read to one that is ready to be matched. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from services.matching.engine import PatientIndex
from services.matching.patients.codes import is_of_known_system
from services.matching.patients.draft import ReadPatient
from services.matching.patients.mapping import BirthAfterAsOfError, to_engine
from services.matching.snapshots.model import Vocabulary
from shared.criteria.scales import SCALES
from shared.criteria.units import ANALYTES
from shared.values.problems import Fault, InvalidBodyError
from shared.values.wire import Label

_BORN_LATER = Label(
    fr="la date de naissance est postérieure au jour de l'évaluation",
    en="the birth date is after the day of evaluation",
)


@dataclass(frozen=True, slots=True)
class IndexedPatient:
    """A patient ready to be matched.

    ``departement``: where the patient lives. ``warnings``: what of the patient was not understood or not used.
    """

    index: PatientIndex
    departement: str | None
    warnings: list[dict[str, Any]]

    @property
    def as_of(self) -> date:
        return self.index.as_of


def index_patient(
    read: ReadPatient, vocabulary: Vocabulary, today: date, dosing_date: date | None = None, pointer: str = ""
) -> IndexedPatient:
    """Index a patient. ``today`` is the ``as_of`` of one that has none; ``pointer``: where the patient is in the body.

    :raises InvalidBodyError: 422, the birth date is after ``as_of``.
    """
    patient = read.patient
    as_of = patient.as_of or today
    try:
        mapped = to_engine(patient, as_of)
    except BirthAfterAsOfError:
        at = read.person_places.get("birth_date", f"{pointer}/birth_date")
        raise InvalidBodyError(errors=[Fault(pointer=at, code="birth_after_as_of", detail=_BORN_LATER)]) from None
    unused = set(mapped.ignored)
    understands, warnings = vocabulary.engine.understands, read.warnings
    # Scales and laboratory analytes that the language itself knows.
    own = (SCALES, ANALYTES)
    for fact, place in zip(patient.facts, read.places, strict=True):
        if fact.id in unused:
            in_error = fact.status == "entered_in_error"
            warnings.add(place.pointer, "entered_in_error" if in_error else "after_as_of")
        for position, code in enumerate(fact.codes):
            if understands(code) or any(code in known for known in own):
                continue
            if is_of_known_system(code):
                warnings.add(place.code(position), "unknown_code", code)
            else:
                warnings.add(place.code(position), "unknown_system", code.partition(":")[0])
    index = PatientIndex(mapped.patient, vocabulary.engine, as_of, dosing_date)
    return IndexedPatient(index, patient.place, warnings.answer())
