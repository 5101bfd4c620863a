"""`computed`: a value that a named formula gives from other measurements (`docs/eligibility.md` §5, computed)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from services.matching.engine.equations import compute
from services.matching.engine.facts import DateBounds
from services.matching.engine.kleene import UNKNOWN, Evaluation, Reason, State, TruthValues, decided, unknown
from services.matching.engine.leaves.comparison import compare
from services.matching.engine.leaves.concepts import Concepts
from services.matching.engine.leaves.latest import Latest
from services.matching.engine.leaves.measurements import Value
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from services.matching.engine.window import Window
from shared.criteria import expressions
from shared.criteria.durations import Span, add, day_after, parse
from shared.criteria.formulas import FORMULAS, Input
from shared.criteria.units import analyte_of

_ADULT = 18
_MONTH = Span(1, 0)


class Reading(NamedTuple):
    """The latest measurements of an input: their values in its unit, and why some of them have none."""

    latest: Latest
    values: frozenset[Fraction]
    reasons: frozenset[Reason]

    @property
    def doubts(self) -> frozenset[Reason]:
        """The reasons, also where another measurement may be the latest."""
        is_open = self.latest.unconfirmed or (self.latest.facts and self.latest.day is None)
        return self.reasons | {"partial_detail"} if is_open else self.reasons


class Computed:
    def __init__(self, leaf: expressions.Computed, terminology: Terminology) -> None:
        self._name, self._op, self._bound = leaf.formula, leaf.op, Fraction(str(leaf.value))
        self._formula = FORMULAS[leaf.formula]
        self._inputs = {name: (one, Concepts(one.codes, terminology)) for name, one in self._formula.inputs.items()}
        self._window = Window(parse(leaf.within) if leaf.within else None)
        self._recorded = _recorded(leaf, terminology)

    def evaluate(self, patient: PatientIndex, day: date) -> Evaluation:
        """Evaluate the computed value, the recorded one, or what both agree on where dates leave open which counts."""
        computed = self._computed(patient, day)
        recorded_on = self._recorded_on(patient)
        if self._recorded is None or recorded_on is None:
            return computed
        readings = self.readings(patient).values()
        computed_on = DateBounds(
            max(one.latest.days.earliest for one in readings), max(one.latest.days.latest for one in readings)
        )
        is_complete = all(one.latest.facts for one in readings)
        if is_complete and recorded_on.latest < computed_on.earliest:
            return computed
        recorded = self._recorded.evaluate(patient, day)
        if is_complete and recorded_on.earliest < computed_on.latest:
            return _agreed(recorded, computed)
        return recorded

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        latest = [one.latest.days.latest for one in self.readings(patient).values()]
        days = [day_after(self._window.last_day_of(day)) for day in latest]
        if self._recorded is not None:
            days += self._recorded.evaluate_over_time(patient).days
        return Timeline.sample(
            patient.as_of, patient.end, days, lambda day: TruthValues.of(self.evaluate(patient, day))
        )

    def readings(self, patient: PatientIndex) -> Mapping[str, Reading]:
        """Return the latest measurements of each input, of any age, by its name."""
        return patient.cached(
            ("readings", self._name),
            lambda: {name: _read(patient, wanted, concepts) for name, (wanted, concepts) in self._inputs.items()},
        )

    def shown(self, patient: PatientIndex, day: date) -> Fraction | None:
        """Return the value that is compared, in the unit of the formula; None where a recorded one is, or several."""
        inputs = {fact.id for one in self.readings(patient).values() for fact in one.latest.facts}
        values = {value for values in self._values_by_age(patient).values() for value in values}
        return values.pop() if len(values) == 1 and inputs <= self.evaluate(patient, day).evidence else None

    def _computed(self, patient: PatientIndex, day: date) -> Evaluation:
        dates, readings = self._window.dates_on(day), self.readings(patient)
        outcome = patient.cached(("outcome", self), lambda: self._outcome(patient))
        outside = [one for one in readings.values() if not one.latest.may_be_in(dates)]
        if not outside:
            return outcome
        absent = [one.latest.absent(dates) for one in outside]
        reasons = {reason for reason, _ in absent} | self._lacking(patient)
        reasons |= {reason for one in readings.values() if one not in outside for reason in one.doubts}
        evidence = {identifier for _, ids in absent for identifier in ids} | outcome.evidence
        return unknown(min(reasons), evidence, last_known=outcome.now)

    def _outcome(self, patient: PatientIndex) -> Evaluation:
        """Evaluate with the latest measurements, however old they are."""
        readings = self.readings(patient).values()
        evidence = {fact.id for one in readings for fact in (*one.latest.facts, *one.latest.unconfirmed)}
        evidence |= {"#birth"} if self._formula.needs_age and patient.birth is not None else set()
        evidence |= {"#sex"} if self._formula.needs_sex and patient.sex is not None else set()
        if not all(one.latest.facts for one in readings):
            return unknown("missing", evidence)
        reasons = {*self._lacking(patient), *(reason for one in readings for reason in one.doubts)}
        days = [day for one in readings if (day := one.latest.day) is not None]
        if len(days) == len(readings):
            reasons |= self._untimely(patient, days)
        states = {age: self._states(values) for age, values in self._values_by_age(patient).items()}
        if any(len(found) > 1 for found in states.values()) or (states and any(one.reasons for one in readings)):
            reasons.add("conflict")
        alike = frozenset[State]().union(*states.values())
        if len(alike) > 1:
            reasons.add("partial_detail")
        return unknown(min(reasons), evidence) if reasons else decided(min(alike), evidence, best_case=UNKNOWN)

    def _lacking(self, patient: PatientIndex) -> set[Reason]:
        """Return why the age or the sex cannot be put into the formula."""
        lacking = set[Reason]()
        if self._formula.needs_age and patient.birth is None:
            lacking.add("missing")
        if self._formula.needs_sex and patient.sex not in ("male", "female"):
            lacking.add("missing" if patient.sex is None else "needs_human")
        return lacking

    def _untimely(self, patient: PatientIndex, days: Sequence[date]) -> set[Reason]:
        """Return whether the patient may be too young or too old on the day, or too young for inputs so far apart."""
        day, untimely = max(days), set[Reason]()
        youngest = None if patient.birth is None else _whole_years(patient.birth.latest, day)
        if (youngest is None or youngest < _ADULT) and add(min(days), _MONTH) < day:
            untimely.add("stale")
        if self._formula.needs_age and not all(map(self._holds_at, self._ages(patient, day))):
            untimely.add("partial_detail")
        return untimely

    def _holds_at(self, age: int) -> bool:
        formula = self._formula
        return (formula.from_years is None or age >= formula.from_years) and (
            formula.until_years is None or age < formula.until_years
        )

    def _ages(self, patient: PatientIndex, day: date) -> Sequence[int]:
        """Return the possible ages in whole years on a day; one that does not matter where the formula needs none."""
        if not self._formula.needs_age:
            return (0,)
        if patient.birth is None:
            return ()
        return range(_whole_years(patient.birth.latest, day), _whole_years(patient.birth.earliest, day) + 1)

    def _values_by_age(self, patient: PatientIndex) -> dict[int, set[Fraction]]:
        """Return the possible values with the latest measurements, for each possible age at which the formula holds."""
        key = ("values by age", self._name, self._op == "=")
        return patient.cached(key, lambda: self._compute(patient))

    def _compute(self, patient: PatientIndex) -> dict[int, set[Fraction]]:
        readings = self.readings(patient)
        days = [day for one in readings.values() if (day := one.latest.day) is not None]
        if len(days) < len(readings) or not all(one.values for one in readings.values()):
            return {}
        if self._formula.needs_sex and patient.sex not in ("male", "female"):
            return {}
        ages = [
            age for age in self._ages(patient, max(days)) if self._formula.from_years is None or self._holds_at(age)
        ]
        # Each formula rises or falls with an input: between the extremes no comparison but `=` can differ.
        given = [sorted(one.values) for one in readings.values()]
        if self._op != "=":
            given = [[values[0], values[-1]] for values in given]
        combinations = list(product(*map(set, given)))
        patient.count_work(180 * len(combinations) * len(ages))
        is_female = patient.sex == "female"
        return {
            age: {
                compute(self._name, dict(zip(readings, values, strict=True)), age, is_female=is_female)
                for values in combinations
            }
            for age in ages
        }

    def _states(self, values: Iterable[Fraction]) -> frozenset[State]:
        return frozenset(compare(value, None, self._op, self._bound) for value in values)

    def _recorded_on(self, patient: PatientIndex) -> DateBounds | None:
        """Return the days that the latest recorded result could be of; None without any."""
        given = [] if self._recorded is None else self._recorded.results(patient).given
        if not given:
            return None
        return DateBounds(max(one.days.earliest for one in given), max(one.days.latest for one in given))


def _recorded(leaf: expressions.Computed, terminology: Terminology) -> Value | None:
    """Return the leaf that compares a recorded result of the formula; None where it has no code."""
    formula = FORMULAS[leaf.formula]
    if not formula.recorded:
        return None
    return Value(
        expressions.Value(
            type="value",
            codes=list(formula.recorded),
            op=leaf.op,
            value=leaf.value,
            unit=formula.unit,
            within=leaf.within,
        ),
        terminology,
    )


def _read(patient: PatientIndex, wanted: Input, concepts: Concepts) -> Reading:
    latest = Latest.of(patient, concepts)
    analyte = analyte_of(wanted.codes)
    values, reasons = set[Fraction](), set[Reason]()
    for fact in latest.facts:
        number = fact.number or Fraction(0)
        factor = None if fact.unit is None else patient.conversion(fact.unit, wanted.unit, analyte)
        if fact.doubtful or fact.comparator is not None or number <= 0:
            reasons.add("partial_detail")
        elif factor is None:
            reasons.add("unit")
        else:
            values.add(number * factor)
    return Reading(latest, frozenset(values), frozenset(reasons))


def _whole_years(birth: date, day: date) -> int:
    years = day.year - birth.year
    return years if add(birth, Span(12 * years, 0)) <= day else years - 1


def _agreed(one: Evaluation, other: Evaluation) -> Evaluation:
    """Return what both say; unknown where they differ."""
    last_known = one.last_known if one.last_known == other.last_known else UNKNOWN
    evidence = one.evidence | other.evidence
    if one.now == other.now and one.reasons == other.reasons:
        return one._replace(last_known=last_known, evidence=evidence)
    return unknown("partial_detail", evidence, last_known=last_known)
