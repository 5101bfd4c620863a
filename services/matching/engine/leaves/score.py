"""`score`: the points of a set of classification criteria (`docs/eligibility.md` §5, score)."""

from collections.abc import Collection, Sequence
from datetime import date
from fractions import Fraction

from services.matching.engine.kleene import MET, UNKNOWN, Evaluation, Reason, State, TruthValues
from services.matching.engine.leaves.comparison import compare
from services.matching.engine.leaves.has import Has
from services.matching.engine.leaves.measurements import Value
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from shared.criteria import expressions
from shared.criteria.scores import SCORES, Item

_NOTHING_NEW: frozenset[Reason] = frozenset({"missing", "stale"})


class Score:
    """Items that are alternatives are in a group, of which the highest points count."""

    def __init__(self, leaf: expressions.Score, terminology: Terminology) -> None:
        self._op, self._bound = leaf.op, Fraction(str(leaf.value))
        groups = SCORES[leaf.set].groups
        self._groups = [[item.points for item in group] for group in groups]
        self._items = [_item(item, leaf, terminology) for group in groups for item in group]
        self._total = Value(
            expressions.Value(type="value", codes=[leaf.set], op=leaf.op, value=leaf.value), terminology
        )

    def evaluate(self, patient: PatientIndex, day: date) -> Evaluation:
        if self._total.results(patient).given:
            total = self._total.evaluate(patient, day)
            return total._replace(last_known=total.now)
        items = [item.evaluate(patient, day) for item in self._items]
        now, last_known = self._states(list(map(TruthValues.of, items)))
        deciding = items if now == UNKNOWN else [item for item in items if item.now != UNKNOWN]
        evidence = frozenset[str]().union(*(item.evidence for item in deciding))
        if now != UNKNOWN:
            return Evaluation(now, last_known, UNKNOWN, evidence=evidence)
        reasons, on_record = (
            self._reasons(items, [item.reasons for item in items]),
            self._reasons(items, [item.recorded for item in items]),
        )
        return Evaluation(now, last_known, UNKNOWN, reasons, evidence, None if on_record == reasons else on_record)

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        if self._total.results(patient).given:
            return Timeline((patient.as_of,), (TruthValues.of(self.evaluate(patient, patient.as_of)),))
        timelines = [item.evaluate_over_time(patient) for item in self._items]

        def read(items: Sequence[TruthValues]) -> TruthValues:
            now, last_known = self._states(items)
            return TruthValues(now, last_known, UNKNOWN)

        patient.count_work(len(self._items) * sum(len(timeline.days) for timeline in timelines))
        return Timeline.combine(timelines, read)

    def shown(self, patient: PatientIndex, day: date) -> Fraction | None:
        """Return the points; None where a recorded total counts, or where items that are not known may add some."""
        if self._total.results(patient).given:
            return None
        items = [item.evaluate(patient, day).last_known for item in self._items]
        fewest, most = self._points(items, {MET}), self._points(items, {MET, UNKNOWN})
        return Fraction(fewest) if fewest == most else None

    def _states(self, items: Sequence[TruthValues]) -> tuple[State, State]:
        """Return the states now and in the last-known scenario, from those of the items in their order."""
        return self._state([item.now for item in items]), self._state([item.last_known for item in items])

    def _state(self, items: Sequence[State]) -> State:
        fewest, most = self._points(items, {MET}), self._points(items, {MET, UNKNOWN})
        states = {compare(points, None, self._op, self._bound) for points in range(fewest, most + 1)}
        return states.pop() if len(states) == 1 else UNKNOWN

    def _points(self, items: Sequence[State], counted: Collection[State]) -> int:
        """Return the sum of the highest points of each group, over the items in a counted state."""
        states = iter(items)
        return sum(
            max([points for points, state in zip(group, states, strict=False) if state in counted], default=0)
            for group in self._groups
        )

    def _reasons(self, items: Sequence[Evaluation], reasons: Sequence[frozenset[Reason]]) -> frozenset[Reason]:
        known = any(item.now == MET for item in items) or any(not one <= _NOTHING_NEW for one in reasons)
        return frozenset(("partial_detail",) if known else ("missing",))


def _item(item: Item, leaf: expressions.Score, terminology: Terminology) -> Has:
    return Has(expressions.Has(type="has", codes=list(item.codes), domain=leaf.domain), terminology)
