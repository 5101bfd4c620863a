"""`count`: the number of days with an event in a window, or in each part of it (`docs/eligibility.md` §5, count)."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cached_property

from services.matching.engine.facts import Fact
from services.matching.engine.kleene import MET, NOT_MET, UNKNOWN, Evaluation, State, TruthValues, decided, unknown
from services.matching.engine.leaves.comparison import between
from services.matching.engine.leaves.concepts import Concepts, Findings
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from services.matching.engine.window import Window
from shared.criteria import expressions
from shared.criteria.durations import add, day_after, parse, whole_parts


class Count:
    def __init__(self, leaf: expressions.Count, terminology: Terminology) -> None:
        self._concepts = Concepts(leaf.codes, terminology)
        self._op, self._bound, self._domain = leaf.op, leaf.value, leaf.domain
        self._each = parse(leaf.each or leaf.within)
        self._parts = whole_parts(parse(leaf.within), self._each) or 1

    @cached_property
    def _windows(self) -> list[Window]:
        """The window, or the sub-windows that it is cut into."""
        each = self._each
        return [
            Window(each.times(part), each.times(part - 1) if part > 1 else None) for part in range(1, self._parts + 1)
        ]

    def evaluate(self, patient: PatientIndex, day: date) -> Evaluation:
        """Evaluate every sub-window: all must be met. Of several unknown ones the most specific reason is given."""
        findings = self._concepts.find(patient)
        patient.count_work(6 * self._parts * findings.size)
        parts = [self._part(patient, findings, window, day) for window in self._windows]
        now = min(part.now for part in parts)
        deciding = [part for part in parts if part.now == now]
        evidence = frozenset[str]().union(*(part.evidence for part in deciding))
        if now != UNKNOWN:
            return decided(now, evidence, best_case=UNKNOWN)
        reasons = {reason for part in deciding for reason in part.reasons}
        return unknown(
            "partial_detail" if "partial_detail" in reasons else "stale" if "stale" in reasons else "missing", evidence
        )

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        """Count days by bisection, and look at no more undecided events than may change the state."""
        findings = self._concepts.find(patient)
        known = sorted({fact.day for fact in findings.carrying if fact.day is not None})
        if self._parts == 1:
            known = known[-self._bound - 1 :]
        counted = set(known)
        undecided = [fact for fact in findings.carrying if fact.day is None]
        undecided = sorted((*undecided, *findings.uncertain), key=lambda fact: fact.last.latest, reverse=True)

        def state(window: Window, day: date) -> State:
            dates = window.dates_on(day)
            first, end = bisect_left(known, dates.first), bisect_right(known, dates.last)
            fewest = max(0, end - first)
            if not patient.is_complete(self._domain, dates):
                return between(fewest, None, self._op, self._bound)
            more: set[date | str] = set()
            for fact in undecided:
                if fewest + len(more) > self._bound or fact.last.latest < dates.first:
                    break
                is_counted = fact.day in counted and dates.first <= fact.day <= dates.last
                if dates.may_contain(fact) and not is_counted:
                    more.add(fact.day or fact.id)
            return between(fewest, fewest + len(more), self._op, self._bound)

        def read(day: date) -> TruthValues:
            now = min(state(window, day) for window in self._windows)
            return TruthValues(now, now, UNKNOWN)

        patient.count_work(4 * self._parts * (len(known) + (len(undecided) if patient.declares(self._domain) else 0)))
        days = set(self._change_days(patient, known, undecided))
        patient.count_work(8 * self._parts * len(days))
        return Timeline.sample(patient.as_of, patient.end, days, read)

    def _change_days(self, patient: PatientIndex, known: Sequence[date], undecided: Sequence[Fact]) -> Iterator[date]:
        for window in self._windows:
            for span in (window.within, window.beyond):
                yield from (day_after(add(day, span)) for day in known if span is not None)
            if patient.declares(self._domain):
                yield from window.change_days(undecided)
                yield from patient.completeness_change_days(self._domain, window)

    def _part(self, patient: PatientIndex, findings: Findings, window: Window, day: date) -> Evaluation:
        dates = window.dates_on(day)
        known = [fact for fact in findings.carrying if fact.day is not None and dates.first <= fact.day <= dates.last]
        days = {fact.day for fact in known}
        undecided = [fact for fact in findings.carrying if fact.day is None and dates.may_contain(fact)]
        # A day counts once: an undecided event of a day that is known adds nothing, and two of one day add one.
        undecided += [fact for fact in findings.uncertain if fact.day not in days and dates.may_contain(fact)]
        undecided_ids = [fact.id for fact in undecided]
        most = len(days) + len({fact.day or fact.id for fact in undecided})
        complete = patient.is_complete(self._domain, dates)
        state = between(len(days), most if complete else None, self._op, self._bound)
        evidence = [fact.id for fact in known]
        if state in (MET, NOT_MET):
            return decided(state, [*evidence, f"#complete:{self._domain}"] if complete else evidence)
        if undecided_ids:
            return unknown("partial_detail", [*evidence, *undecided_ids])
        older = [fact.id for fact in findings.carrying if fact.day is not None and fact.day < dates.first]
        return unknown("stale" if older else "missing", [*evidence, *older])
