"""`age` and `sex`: leaves about the birth and the sex of the patient (`docs/eligibility.md` §5)."""

from collections.abc import Iterator
from datetime import date

from services.matching.engine.facts import DateBounds
from services.matching.engine.kleene import MET, NOT_MET, Evaluation, TruthValues, decided, unknown
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.timeline import Timeline
from shared.criteria import expressions
from shared.criteria.durations import Span, add, day_after, day_before, first_within, parse


class Age:
    """Evaluated over every possible birth date; a corrected age over every possible due date.

    The birth dates that meet the bounds form one interval; those that are unclear lie just before it.
    """

    def __init__(self, leaf: expressions.Age, lead_time: Span | None) -> None:
        self._min = parse(leaf.min) if leaf.min else None
        self._max = parse(leaf.max) if leaf.max else None
        self._unclear_until = parse(leaf.max_unclear_until) if leaf.max_unclear_until else self._max
        self._min_inclusive = leaf.min_inclusive
        self._max_inclusive = leaf.max_inclusive
        self._at_dosing = leaf.at == "dosing"
        self._corrected = leaf.corrected
        self._lead_time = lead_time

    def evaluate(self, patient: PatientIndex, day: date) -> Evaluation:
        anchor, begin = self._anchor(patient, day), self._begin(patient)
        evidence = ("#birth", "#gestation") if self._corrected and patient.gestation_known else ("#birth",)
        if begin is None or anchor is None:
            return unknown("missing", () if begin is None else evidence)
        youngest = (
            date.max
            if self._min is None
            else day_before(first_within(day_after(anchor) if self._min_inclusive else anchor, self._min))
        )
        oldest = (
            date.min
            if self._max is None
            else first_within(anchor if self._max_inclusive else day_after(anchor), self._max)
        )
        unclear = (
            date.min
            if self._unclear_until is None
            else min(oldest, first_within(day_after(anchor), self._unclear_until))
        )
        earliest, latest = begin
        if oldest <= earliest and latest <= youngest:
            return decided(MET, evidence)
        if latest < unclear or earliest > youngest:
            return decided(NOT_MET, evidence)
        return unknown("partial_detail", evidence)

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        return Timeline.sample(
            patient.as_of,
            patient.end,
            self._change_days(patient),
            lambda day: TruthValues.of(self.evaluate(patient, day)),
        )

    def _begin(self, patient: PatientIndex) -> DateBounds | None:
        """Return the possible days from which the age counts."""
        return patient.due if self._corrected else patient.birth

    def _anchor(self, patient: PatientIndex, day: date) -> date | None:
        """Return the day on which the age counts; None where the day of dosing is not known."""
        if not self._at_dosing:
            return day
        if patient.dosing_date is not None:
            return patient.dosing_date
        return None if self._lead_time is None else add(day, self._lead_time)

    def _change_days(self, patient: PatientIndex) -> Iterator[date]:
        begin = self._begin(patient)
        if begin is None or (self._at_dosing and (patient.dosing_date is not None or self._lead_time is None)):
            return
        for span in (self._min, self._max, self._unclear_until):
            if span is not None:
                for birth in {*begin}:
                    birthday = add(birth, span)
                    for anchor in (birthday, day_after(birthday)):
                        yield (
                            anchor
                            if not self._at_dosing or self._lead_time is None
                            else first_within(anchor, self._lead_time)
                        )


class Sex:
    def __init__(self, leaf: expressions.Sex) -> None:
        self._value = leaf.value

    def evaluate(self, patient: PatientIndex, _day: date) -> Evaluation:
        if patient.sex is None:
            return unknown("missing")
        if patient.sex == "other":
            return unknown("needs_human", ("#sex",))
        return decided(MET if patient.sex == self._value else NOT_MET, ("#sex",))

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        return Timeline((patient.as_of,), (TruthValues.of(self.evaluate(patient, patient.as_of)),))
