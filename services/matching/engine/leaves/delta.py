"""`delta`: the change of a measurement up to the latest one (`docs/eligibility.md` §5, delta)."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from services.matching.engine.facts import Fact
from services.matching.engine.kleene import MET, NOT_MET, UNKNOWN, Evaluation, Reason, TruthValues, unknown
from services.matching.engine.leaves.comparison import compare
from services.matching.engine.leaves.concepts import Concepts
from services.matching.engine.leaves.latest import Latest
from services.matching.engine.leaves.measured import Result, agreed, first_reason
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from services.matching.engine.window import DateRange, Window
from shared.criteria import expressions
from shared.criteria.durations import day_after, day_before, first_within, parse
from shared.criteria.units import analyte_of, is_bare


class Delta:
    def __init__(self, leaf: expressions.Delta, terminology: Terminology) -> None:
        self._concepts = Concepts(leaf.codes, terminology)
        self._op, self._bound = leaf.op, Fraction(str(leaf.value))
        self._unit, self._is_relative = leaf.unit, leaf.basis == "relative"
        self._analyte = analyte_of(leaf.codes)
        self._over = parse(leaf.over)
        self._window = Window(parse(leaf.within) if leaf.within else None)
        # Any rise or fall in that time is one; a change that must stay within a limit must always do so.
        self._decisive = NOT_MET if compare(0, None, self._op, self._bound) == MET else MET

    def evaluate(self, patient: PatientIndex, day: date) -> Evaluation:
        latest, dates = Latest.of(patient, self._concepts), self._window.dates_on(day)
        change = self._change(patient)
        if latest.may_be_in(dates):
            return change._replace(best_case=UNKNOWN)
        reason, evidence = latest.absent(dates)
        return unknown(reason, evidence, last_known=change.now)

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        leaves = day_after(self._window.last_day_of(Latest.of(patient, self._concepts).days.latest))
        return Timeline.sample(
            patient.as_of, patient.end, [leaves], lambda day: TruthValues.of(self.evaluate(patient, day))
        )

    def _change(self, patient: PatientIndex) -> Evaluation:
        """Evaluate the change up to the latest measurement, however old it is."""
        return patient.cached(("change", self), lambda: self._find(patient, Latest.of(patient, self._concepts)))

    def _find(self, patient: PatientIndex, latest: Latest) -> Evaluation:
        if latest.unconfirmed:
            return unknown("partial_detail", [fact.id for fact in latest.unconfirmed])
        if latest.day is None:
            return unknown("partial_detail", [fact.id for fact in latest.facts])
        dates = DateRange(first_within(latest.day, self._over), day_before(latest.day))
        baselines = [
            fact for fact in latest.older if fact.first.latest >= dates.first and fact.first.earliest <= dates.last
        ]
        patient.count_work(8 * len(latest.facts) * len(baselines))
        results, evidence = [], set[str]()
        for fact in latest.facts:
            result, rests_on = self._over_baselines(patient, fact, baselines, dates)
            results.append(result)
            evidence.update(rests_on)
        evaluation = agreed(results)
        return evaluation._replace(evidence=evaluation.evidence | evidence)

    def _over_baselines(
        self, patient: PatientIndex, fact: Fact, baselines: Sequence[Fact], dates: DateRange
    ) -> tuple[Result, list[str]]:
        """Return the state of the changes up to one measurement, and the ids of the baselines that decide it."""
        changes = [self._compare(patient, fact, baseline, dates) for baseline in baselines]
        if not changes:
            return Result(fact, UNKNOWN, "missing"), []
        state = (
            self._decisive
            if any(change.state == self._decisive for change in changes)
            else UNKNOWN
            if any(change.state == UNKNOWN for change in changes)
            else self._decisive.negated
        )
        deciding = [change for change in changes if change.state == state]
        reason = first_reason(deciding) if state == UNKNOWN else None
        return Result(fact, state, reason), [change.fact.id for change in deciding]

    def _compare(self, patient: PatientIndex, fact: Fact, baseline: Fact, dates: DateRange) -> Result:
        """Compare the change from one baseline; a partial date of it must lie wholly in the time before."""
        is_open = baseline.first.earliest < dates.first or baseline.first.latest > dates.last
        if is_open or _is_inexact(fact) or _is_inexact(baseline):
            return Result(baseline, UNKNOWN, "partial_detail")
        change = self._difference(patient, fact, baseline)
        if isinstance(change, Fraction):
            return Result(baseline, compare(change, None, self._op, self._bound))
        return Result(baseline, UNKNOWN, change)

    def _difference(self, patient: PatientIndex, fact: Fact, baseline: Fact) -> Fraction | Reason:
        """Return the change in the unit of the bound, or why it is not known."""
        number, before = fact.number or Fraction(0), baseline.number or Fraction(0)
        if self._is_relative:
            if before == 0:
                return "partial_detail"
            factor = patient.conversion_between(fact.unit, baseline.unit, self._analyte)
            return "unit" if factor is None else 100 * (number * factor - before) / abs(before)
        factor, factor_before = self._factor(patient, fact.unit), self._factor(patient, baseline.unit)
        if factor is None or factor_before is None:
            return "unit"
        return number * factor - before * factor_before

    def _factor(self, patient: PatientIndex, unit: str | None) -> Fraction | None:
        if self._unit is None:
            return Fraction(1) if is_bare(unit) else None
        return None if unit is None else patient.conversion(unit, self._unit, self._analyte)


def _is_inexact(fact: Fact) -> bool:
    return fact.doubtful or fact.comparator is not None
