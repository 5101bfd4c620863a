"""`since`: how long ago the first of several events was (`docs/eligibility.md` §5, since)."""

from datetime import date
from typing import NamedTuple

from services.matching.engine.facts import DateBounds, Fact
from services.matching.engine.kleene import MET, NOT_MET, Evaluation, TruthValues, decided, unknown
from services.matching.engine.leaves.absence import Absence
from services.matching.engine.leaves.concepts import Concepts, Findings, contradicts, denials_of
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from services.matching.engine.window import Window
from shared.criteria import expressions
from shared.criteria.durations import add, day_after, parse


class Onset(NamedTuple):
    """What is recorded of the first event.

    ``first``: the days that the first recorded event could be of; None without any. ``evidence``: the ids of the events
    that may be it. ``earlier``: those of possible events that may be earlier, all of them without a recorded event.
    ``disputed``: whether all possible events are contradicted ones. ``denying``: the ids of the denials of the codes
    that no event carries; None where such a code is not denied.
    """

    first: DateBounds | None
    evidence: tuple[str, ...]
    earlier: tuple[str, ...]
    disputed: bool
    denying: tuple[str, ...] | None


class Since:
    def __init__(self, leaf: expressions.Since, terminology: Terminology) -> None:
        self._codes = tuple(leaf.codes)
        self._concepts = Concepts(leaf.codes, terminology)
        self._value = parse(leaf.value)
        self._passes_after = leaf.op in ("<=", ">")
        self._states = (MET, NOT_MET) if leaf.op in ("<", "<=") else (NOT_MET, MET)
        self._domain = leaf.domain
        self._window = Window(None)
        self._absence = Absence(self._concepts, self._window, self._window, leaf.domain)

    def evaluate(self, patient: PatientIndex, day: date) -> Evaluation:
        evaluation = self._evaluate(patient, day)
        return evaluation._replace(best_case=evaluation.last_known)

    def _evaluate(self, patient: PatientIndex, day: date) -> Evaluation:
        """Evaluate on one day. The best case is left to `evaluate`."""
        onset = self._onset(patient)
        if onset.first is None:
            if onset.earlier:
                return unknown("conflict" if onset.disputed else "partial_detail", onset.earlier)
            return self._absence.evaluate(patient, self._concepts.find(patient), day)
        earliest, latest = (self._has_passed(first, day) for first in onset.first)
        before, after = self._states
        if latest:  # an event before it would be even longer ago
            return decided(after, onset.evidence)
        if earliest or onset.earlier:
            return unknown("partial_detail", (*onset.evidence, *onset.earlier))
        if onset.denying is not None:
            return decided(before, (*onset.evidence, *onset.denying))
        complete = patient.completeness(self._domain, self._window, day)
        if not complete.carried:
            return unknown("partial_detail", onset.evidence)
        if could_be := self._concepts.could_be(patient, self._domain):
            return unknown("partial_detail", (*onset.evidence, *(fact.id for fact in could_be)))
        if not complete.now:
            return unknown("partial_detail", onset.evidence, last_known=before)
        return decided(before, (*onset.evidence, f"#complete:{self._domain}"))

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        first = self._onset(patient).first
        limits = [add(day, self._value) for day in first or ()]
        days = [*limits, *map(day_after, limits), *patient.completeness_change_days(self._domain, self._window)]
        patient.count_work(6 * len(days))
        return Timeline.sample(
            patient.as_of, patient.end, days, lambda day: TruthValues.of(self.evaluate(patient, day))
        )

    def _has_passed(self, first: date, day: date) -> bool:
        """Return whether the asked time since the first event is over."""
        limit = add(first, self._value)
        return day > limit if self._passes_after else day >= limit

    def _onset(self, patient: PatientIndex) -> Onset:
        return patient.cached(("onset", self), lambda: self._find(patient))

    def _find(self, patient: PatientIndex) -> Onset:
        findings = self._concepts.find(patient)
        disputed = [fact for fact in findings.carrying if _is_contradicted(patient, fact)]
        ids = {fact.id for fact in disputed}
        events = [fact for fact in findings.carrying if fact.id not in ids]
        possible = [*disputed, *findings.uncertain]
        if not events:
            return Onset(None, (), tuple(fact.id for fact in possible), not findings.uncertain, None)
        first = DateBounds(min(fact.first.earliest for fact in events), min(fact.first.latest for fact in events))
        return Onset(
            first,
            tuple(fact.id for fact in events if fact.first.earliest <= first.latest),
            tuple(fact.id for fact in possible if fact.first.earliest < first.latest),
            disputed=False,
            denying=self._denying(patient, findings, events),
        )

    def _denying(self, patient: PatientIndex, findings: Findings, events: list[Fact]) -> tuple[str, ...] | None:
        carried = frozenset[str]().union(*(patient.above(fact.codes) for fact in events))
        others = [facts for code, facts in zip(self._codes, findings.denials, strict=True) if code not in carried]
        return tuple(fact.id for facts in others for fact in facts) if all(others) else None


def _is_contradicted(patient: PatientIndex, fact: Fact) -> bool:
    denials = denials_of(patient, None, fact.codes)
    patient.count_work(2 + len(denials))
    return any(contradicts(denial, fact) for denial in denials)
