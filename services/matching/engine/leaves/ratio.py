"""`ratio`: one measurement divided by another of the same day (`docs/eligibility.md` §5, ratio)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from services.matching.engine.facts import Fact
from services.matching.engine.kleene import UNKNOWN, Evaluation, Reason, TruthValues, decided, unknown
from services.matching.engine.leaves.comparison import compare
from services.matching.engine.leaves.concepts import Concepts
from services.matching.engine.leaves.latest import is_measurement, may_be_in
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from services.matching.engine.window import DateRange, Window
from shared.criteria import expressions
from shared.criteria.durations import day_after, parse
from shared.criteria.units import analyte_of


class Pair(NamedTuple):
    """The latest day on which both were measured, None without any, and the comparison on that day.

    ``quotients``: of all measurements of the day, or why they are not known.
    """

    day: date | None
    compared: Evaluation
    quotients: frozenset[Fraction | Reason] = frozenset()


class Ratio:
    def __init__(self, leaf: expressions.Ratio, terminology: Terminology) -> None:
        self._numerator = Concepts(leaf.numerator, terminology)
        self._denominator = Concepts(leaf.denominator, terminology)
        self._op, self._bound = leaf.op, Fraction(str(leaf.value))
        # With two analytes the ratio of masses is not that of amounts.
        self._analyte = analyte_of([*leaf.numerator, *leaf.denominator])
        self._window = Window(parse(leaf.within) if leaf.within else None)

    def evaluate(self, patient: PatientIndex, day: date) -> Evaluation:
        pair, dates = self._pair(patient), self._window.dates_on(day)
        if pair.day is None:
            announced = self._possible_pair(patient, dates)
            return unknown("partial_detail" if announced else "missing", announced)
        if pair.day < dates.first:
            return unknown("stale", pair.compared.evidence, last_known=pair.compared.now)
        return pair.compared

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        measured = self._pair(patient).day
        days = () if measured is None else (day_after(self._window.last_day_of(measured)),)
        return Timeline.sample(
            patient.as_of, patient.end, days, lambda day: TruthValues.of(self.evaluate(patient, day))
        )

    def shown(self, patient: PatientIndex, _day: date) -> Fraction | None:
        """Return the quotient that is compared; None where there is none, or several."""
        quotients = self._pair(patient).quotients
        known = [one for one in quotients if isinstance(one, Fraction)]
        return known[0] if len(quotients) == len(known) == 1 else None

    def _pair(self, patient: PatientIndex) -> Pair:
        return patient.cached(("pair", self), lambda: self._find(patient))

    def _find(self, patient: PatientIndex) -> Pair:
        above, below = self._numerator.carriers(patient), self._denominator.carriers(patient)
        patient.count_work(4 * (len(above) + len(below)))
        days = set(_days(above)) & set(_days(below))
        if not days:
            return Pair(None, unknown("missing"))
        last = max(days)
        open_ones = [fact.id for fact in (*above, *below) if fact.first.latest >= last and _is_open(fact)]
        if open_ones:
            return Pair(last, unknown("partial_detail", open_ones))
        above, below = _of_day(above, last), _of_day(below, last)
        patient.count_work(14 * len(above) * len(below))
        quotients = frozenset(self._quotient(patient, one, other) for one in above for other in below)
        return Pair(last, self._compared(quotients, [fact.id for fact in (*above, *below)]), quotients)

    def _compared(self, quotients: Iterable[Fraction | Reason], evidence: Sequence[str]) -> Evaluation:
        known = [one for one in quotients if isinstance(one, Fraction)]
        reasons = [one for one in quotients if not isinstance(one, Fraction)]
        states = {compare(one, None, self._op, self._bound) for one in known}
        if len(states) + bool(reasons) > 1:
            return unknown("conflict", evidence)
        return unknown(min(reasons), evidence) if reasons else decided(states.pop(), evidence, best_case=UNKNOWN)

    def _quotient(self, patient: PatientIndex, numerator: Fact, denominator: Fact) -> Fraction | Reason:
        doubtful = any(fact.doubtful or fact.comparator is not None for fact in (numerator, denominator))
        if doubtful or not denominator.number or numerator.number is None:
            return "partial_detail"
        factor = patient.conversion_between(denominator.unit, numerator.unit, self._analyte)
        return "unit" if factor is None else numerator.number / (denominator.number * factor)

    def _possible_pair(self, patient: PatientIndex, dates: DateRange) -> list[str]:
        """Return the ids of two facts in the window that may be measurements of one day; empty without any."""
        above, below = (
            [fact for fact in concepts.carriers(patient) if may_be_in(fact, dates) and _may_be_measured(fact)]
            for concepts in (self._numerator, self._denominator)
        )
        # Of two that overlap, one begins first: it is the one that ends last of those that have begun.
        for first, second in ((above, below), (below, above)):
            reaching: Fact | None = None
            begun = sorted(first, key=lambda fact: fact.first.earliest, reverse=True)
            for fact in sorted(second, key=lambda fact: fact.first.earliest):
                while begun and begun[-1].first.earliest <= fact.first.earliest:
                    other = begun.pop()
                    if reaching is None or other.first.latest > reaching.first.latest:
                        reaching = other
                if reaching is not None and reaching.first.latest >= max(fact.first.earliest, dates.first):
                    return [reaching.id, fact.id]
        return []


def _days(facts: Iterable[Fact]) -> Iterator[date]:
    return (fact.first.latest for fact in facts if is_measurement(fact) and not _is_partial(fact))


def _of_day(facts: Iterable[Fact], day: date) -> list[Fact]:
    return [fact for fact in facts if is_measurement(fact) and not _is_partial(fact) and fact.first.latest == day]


def _is_partial(fact: Fact) -> bool:
    return fact.first.earliest != fact.first.latest


def _is_open(fact: Fact) -> bool:
    """Return whether a fact may be a later measurement than those with a full date."""
    return fact.status == "unconfirmed" or (is_measurement(fact) and _is_partial(fact))


def _may_be_measured(fact: Fact) -> bool:
    return fact.status != "present" or fact.number is not None
