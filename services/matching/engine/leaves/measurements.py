"""`value`, `titre`, `ordinal` and `human`: what each compares (`docs/eligibility.md` §5)."""

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction

from services.matching.engine.facts import Fact
from services.matching.engine.kleene import MET, NOT_MET, UNKNOWN, Reason, State
from services.matching.engine.leaves.comparison import compare
from services.matching.engine.leaves.concepts import Concepts
from services.matching.engine.leaves.has import Has
from services.matching.engine.leaves.measured import Measured, Result
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from shared.criteria import expressions
from shared.criteria.scales import SCALES
from shared.criteria.units import ANALYTES, analyte_of, is_bare, measure

_DAYS_OF_A_YEAR = 366
_AT_MOST = ("<", "<=")


class Value(Measured):
    def __init__(self, leaf: expressions.Value, terminology: Terminology) -> None:
        super().__init__(leaf.within, leaf.pick, leaf.domain)
        self._concepts = Concepts(leaf.codes, terminology)
        self._op, self._bound, self._basis = leaf.op, Fraction(str(leaf.value)), leaf.basis
        self._at_most = leaf.op in _AT_MOST
        self._unit = "%" if leaf.basis == "pct_predicted" else leaf.unit
        self._analyte = analyte_of(leaf.codes)
        self._usual_units = frozenset(ANALYTES[code].unit for code in leaf.codes if code in ANALYTES)
        self._invalidators = [
            Has(expressions.Has(type="has", codes=event.codes, within=event.for_, domain=event.domain), terminology)
            for event in leaf.not_after
        ]

    def _facts(self, patient: PatientIndex) -> Sequence[Fact]:
        return self._concepts.carriers(patient)

    def _could_be(self, patient: PatientIndex) -> Sequence[Fact]:
        return self._concepts.could_be(patient, self._domain)

    def _result(self, patient: PatientIndex, fact: Fact) -> Result | None:
        """Compare one fact; return None for one without a number, or invalidated by an event before it."""
        if fact.number is None:
            return None
        validity = self._validity(patient, fact)
        if validity == NOT_MET:
            return None
        return Result(fact, UNKNOWN, "partial_detail") if validity == UNKNOWN else self._compared(patient, fact)

    def _validity(self, patient: PatientIndex, fact: Fact) -> State:
        """Return whether a measurement is valid on every day that it could be of."""
        if not self._invalidators:
            return MET
        earliest, latest = fact.first
        days = (latest - earliest).days + 1
        if days > _DAYS_OF_A_YEAR:
            return UNKNOWN  # without a date an event before it cannot be ruled out
        patient.count_work(6 * days * len(self._invalidators))
        states = {self._validity_on(patient, earliest + timedelta(days=number)) for number in range(days)}
        return states.pop() if len(states) == 1 else UNKNOWN

    def _validity_on(self, patient: PatientIndex, day: date) -> State:
        if any(invalidator.happened(patient, day) for invalidator in self._invalidators):
            return NOT_MET
        clean = all(invalidator.evaluate(patient, day).now == NOT_MET for invalidator in self._invalidators)
        return MET if clean else UNKNOWN

    def _compared(self, patient: PatientIndex, fact: Fact) -> Result:
        number, bound = fact.number or Fraction(0), self._bound
        if self._basis in ("xULN", "xLLN"):
            limit = fact.ref_high if self._basis == "xULN" else fact.ref_low
            if limit is None or limit <= 0:
                return Result(fact, UNKNOWN, "no_reference_range")
            if not self._fits_analyte(patient, fact.unit):
                return Result(fact, UNKNOWN, "unit")
            bound *= limit
        elif self._unit is None:
            if not is_bare(fact.unit):
                return Result(fact, UNKNOWN, "unit")
        else:
            factor = None if fact.unit is None else patient.conversion(fact.unit, self._unit, self._analyte)
            if factor is None:
                return Result(fact, UNKNOWN, "unit")
            number *= factor
        return _compared(fact, compare(number, fact.comparator, self._op, bound))

    def _fits_analyte(self, patient: PatientIndex, unit: str | None) -> bool:
        """Return whether a ratio can have this unit: none, one that is not known, or one of the analyte's dimension."""
        if unit is None or is_bare(unit) or not self._usual_units or measure(unit) is None:
            return True
        return any(patient.conversion(unit, usual, self._analyte) is not None for usual in self._usual_units)


class Titre(Measured):
    def __init__(self, leaf: expressions.Titre, terminology: Terminology) -> None:
        super().__init__(leaf.within)
        self._concepts = Concepts(leaf.codes, terminology)
        self._assay, self._op, self._reciprocal = leaf.assay, leaf.op, Fraction(str(leaf.reciprocal))
        self._at_most = leaf.op in _AT_MOST

    def _facts(self, patient: PatientIndex) -> Sequence[Fact]:
        return self._concepts.carriers(patient)

    def _result(self, _patient: PatientIndex, fact: Fact) -> Result | None:
        return None if fact.number is None else self._compared(fact, fact.number)

    def _compared(self, fact: Fact, number: Fraction) -> Result:
        if self._assay is not None and fact.assay != self._assay:
            return Result(fact, UNKNOWN, "partial_detail")
        if not is_bare(fact.unit):
            return Result(fact, UNKNOWN, "unit")
        return _compared(fact, compare(number, fact.comparator, self._op, self._reciprocal))


class Ordinal(Measured):
    def __init__(self, leaf: expressions.Ordinal, terminology: Terminology) -> None:
        super().__init__(leaf.within)
        self._concepts = Concepts([leaf.scale], terminology)
        self._scale = SCALES[leaf.scale]
        listed = [self._scale.expand(level) for level in leaf.in_ or ()]
        self._accepted = frozenset[str]().union(*listed) if listed else self._scale.between(leaf.min, leaf.max)

    def _facts(self, patient: PatientIndex) -> Sequence[Fact]:
        return self._concepts.carriers(patient)

    def _result(self, _patient: PatientIndex, fact: Fact) -> Result | None:
        if fact.text is not None:
            return self._compared(fact, fact.text)
        if fact.number is None:
            return None
        is_level = fact.comparator is None and fact.number.denominator == 1
        return self._compared(fact, str(fact.number) if is_level else "")

    def _compared(self, fact: Fact, text: str) -> Result:
        levels = self._scale.expand(text)
        if not levels or (levels & self._accepted and not levels <= self._accepted):
            return Result(fact, UNKNOWN, "partial_detail")
        return Result(fact, MET if levels <= self._accepted else NOT_MET)


class Human(Measured):
    reason_without_result: Reason = "needs_human"

    def __init__(self, leaf: expressions.Human) -> None:
        super().__init__(leaf.within)
        self._question = leaf.question

    def _facts(self, patient: PatientIndex) -> Sequence[Fact]:
        answers = patient.by_question.get(self._question, ())
        patient.count_work(len(answers))
        return answers

    def _result(self, _patient: PatientIndex, fact: Fact) -> Result | None:
        return Result(fact, MET if fact.answer == "yes" else NOT_MET)


def _compared(fact: Fact, state: State) -> Result:
    return Result(fact, state, "partial_detail" if state == UNKNOWN else None)
