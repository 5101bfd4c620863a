"""From a patient as read to one that is ready to be matched. Pure."""

from dataclasses import dataclass
from datetime import date

from services.matching.engine import PatientIndex
from services.matching.patients.mapping import BirthAfterAsOfError, to_engine
from services.matching.patients.reading import ReadPatient
from services.matching.snapshots.model import Vocabulary
from shared.values.problems import Fault, InvalidBodyError
from shared.values.wire import Label

_BORN_LATER = Label(
    fr="la date de naissance est postérieure au jour de l'évaluation",
    en="the birth date is after the day of evaluation",
)


@dataclass(frozen=True, slots=True)
class IndexedPatient:
    """A patient ready to be matched.

    ``departement``: where the patient lives. ``ignored``: the facts, and parts of another format, that are not used,
    each with a reason.
    """

    index: PatientIndex
    departement: str | None
    ignored: list[dict[str, str]]

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
        raise InvalidBodyError(
            errors=[Fault(pointer=f"{pointer}/birth_date", code="birth_after_as_of", detail=_BORN_LATER)]
        ) from None
    in_error = {fact.id for fact in patient.facts if fact.status == "entered_in_error"}
    ignored = [
        {"id": name, "reason": "entered_in_error" if name in in_error else "after_as_of"} for name in mapped.ignored
    ]
    ignored += [{"id": part.pointer, "reason": part.reason} for part in read.ignored]
    return IndexedPatient(PatientIndex(mapped.patient, vocabulary.engine, as_of, dosing_date), patient.place, ignored)
