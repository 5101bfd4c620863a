"""`delta`: the change of a measurement up to the latest one (`docs/eligibility.md` §5, delta)."""

from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from services.matching.engine.facts import Fact
from services.matching.engine.kleene import MET, NOT_MET, UNKNOWN, Evaluation, Reason, TruthValues, unknown
from services.matching.engine.leaves.comparison import compare
from services.matching.engine.leaves.concepts import Concepts
from services.matching.engine.leaves.latest import Latest, may_be_in
from services.matching.engine.leaves.measured import Result, agreed, first_reason
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from services.matching.engine.window import DateRange, Window
from shared.criteria import expressions
from shared.criteria.durations import day_after, day_before, first_within, parse
from shared.criteria.units import analyte_of, is_bare


class Change(NamedTuple):
    """The change up to the latest measurement of any age. ``shown``: the one that decides; None where none is known."""

    evaluation: Evaluation
    shown: Fraction | None = None


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
        change = self._change(patient).evaluation
        if latest.may_be_in(dates):
            return change._replace(best_case=UNKNOWN)
        reason, evidence = latest.absent(dates)
        return unknown(reason, evidence, last_known=change.now)

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        leaves = day_after(self._window.last_day_of(Latest.of(patient, self._concepts).days.latest))
        return Timeline.sample(
            patient.as_of, patient.end, [leaves], lambda day: TruthValues.of(self.evaluate(patient, day))
        )

    def shown(self, patient: PatientIndex, _day: date) -> Fraction | None:
        """Return the change that decides, in the unit of the bound or in per cent; None where it is not known."""
        return self._change(patient).shown

    def _change(self, patient: PatientIndex) -> Change:
        """Evaluate the change up to the latest measurement, however old it is."""
        return patient.cached(("change", self), lambda: self._find(patient, Latest.of(patient, self._concepts)))

    def _find(self, patient: PatientIndex, latest: Latest) -> Change:
        if latest.unconfirmed or latest.day is None:
            return Change(unknown("partial_detail", [fact.id for fact in latest.unconfirmed or latest.facts]))
        dates = DateRange(first_within(latest.day, self._over), day_before(latest.day))
        baselines = [fact for fact in latest.older if may_be_in(fact, dates)]
        patient.count_work(14 * len(latest.facts) * len(baselines))
        changes = [
            (fact, [(baseline, self._difference(patient, fact, baseline, dates)) for baseline in baselines])
            for fact in latest.facts
        ]
        results, evidence = [], set[str]()
        for fact, differences in changes:
            result, rests_on = self._over_baselines(fact, differences)
            results.append(result)
            evidence.update(rests_on)
        evaluation = agreed(results)
        shown = {self._extreme(differences) for _, differences in changes} if evaluation.now != UNKNOWN else set()
        return Change(
            evaluation._replace(evidence=evaluation.evidence | evidence), shown.pop() if len(shown) == 1 else None
        )

    def _extreme(self, differences: Iterable[tuple[Fact, Fraction | Reason]]) -> Fraction | None:
        """Return the change that decides: the best one where any counts, the worst one where all do."""
        known = [one for _, one in differences if isinstance(one, Fraction)]
        is_largest = (self._op in (">", ">=")) == (self._decisive == MET)
        return None if not known else max(known) if is_largest else min(known)

    def _over_baselines(
        self, fact: Fact, differences: Sequence[tuple[Fact, Fraction | Reason]]
    ) -> tuple[Result, list[str]]:
        """Return the state of the changes up to one measurement, and the ids of the baselines that decide it."""
        if not differences:
            return Result(fact, UNKNOWN, "missing"), []
        changes = [
            Result(baseline, compare(one, None, self._op, self._bound))
            if isinstance(one, Fraction)
            else Result(baseline, UNKNOWN, one)
            for baseline, one in differences
        ]
        states = {change.state for change in changes}
        state = next(one for one in (self._decisive, UNKNOWN, self._decisive.negated) if one in states)
        deciding = [change for change in changes if change.state == state]
        reason = first_reason(deciding) if state == UNKNOWN else None
        return Result(fact, state, reason), [change.fact.id for change in deciding]

    def _difference(self, patient: PatientIndex, fact: Fact, baseline: Fact, dates: DateRange) -> Fraction | Reason:
        """Return the change in the unit of the bound, or why it is not known.

        ``dates``: the time before, in which a partial date of the baseline must lie wholly.
        """
        if baseline.first.earliest < dates.first or baseline.first.latest > dates.last:
            return "partial_detail"
        if any(one.doubtful or one.comparator is not None for one in (fact, baseline)):
            return "partial_detail"
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
