"""`has`: whether something is recorded, denied or unknown in a window (`docs/eligibility.md` §5, has)."""

from collections.abc import Iterator, Sequence
from datetime import date

from services.matching.engine.facts import Fact
from services.matching.engine.kleene import (
    ALL_UNKNOWN,
    MET,
    NOT_MET,
    UNKNOWN,
    Evaluation,
    State,
    TruthValues,
    decided,
    unknown,
)
from services.matching.engine.leaves.concepts import (
    Concepts,
    Findings,
    contradictions,
    denials_of,
    denied_until,
    ruled_out,
)
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from services.matching.engine.window import Window
from shared.criteria import expressions
from shared.criteria.durations import Span, add, day_after, parse


class Has:
    def __init__(self, leaf: expressions.Has, terminology: Terminology) -> None:
        self._concepts = Concepts(leaf.codes, terminology, descendants=leaf.descendants)
        self._window = Window(parse(leaf.within) if leaf.within else None)
        self._has_window = leaf.within is not None
        self._domain = leaf.domain
        self._relative = leaf.relative
        where = leaf.where or expressions.Where()
        wanted = {"outcome": where.outcome, "body_site": where.body_site, "severity": where.severity}
        self._attributes = [(name, frozenset(values)) for name, values in wanted.items() if values is not None]
        self._duration = parse(where.duration) if where.duration else None

    def evaluate(self, patient: PatientIndex, day: date) -> Evaluation:
        findings = self._find(patient)
        dates = self._window.dates_on(day)
        sure: list[Fact] = []
        undecided: list[str] = []
        first, last = dates.first, dates.last
        for fact in findings.carrying:
            if fact.first.earliest <= last and fact.last.latest >= first and (fits := self._fits(fact, day)) != NOT_MET:
                if fits == MET and dates.certainly_contains(fact):
                    sure.append(fact)
                else:
                    undecided.append(fact.id)
        if sure:
            against = contradictions(patient, self._relative, sure, dates)
            if against is None:
                return decided(MET, [fact.id for fact in sure], best_case=self._best_case(MET))
            return unknown("conflict", [*(fact.id for fact in sure), *against])
        undecided += [
            fact.id for fact in findings.uncertain if dates.may_contain(fact) and self._fits(fact, day) != NOT_MET
        ]
        if undecided:
            return unknown("partial_detail", undecided)
        if (evidence := ruled_out(patient, findings, dates, self._domain)) is not None:
            return decided(NOT_MET, evidence, best_case=self._best_case(NOT_MET))
        last_known = NOT_MET if findings.were_ruled_out(day) else UNKNOWN
        fitting = [fact for fact in findings.carrying if self._fits(fact, day) != NOT_MET]
        older = [
            fact.id
            for fact in (*fitting, *findings.denying)
            if fact.first.earliest <= day and not dates.may_contain(fact)
        ]
        if findings.may_be_ruled_out(dates):
            return unknown(
                "partial_detail",
                [fact.id for fact in findings.denying],
                last_known=last_known,
                best_case=self._best_case(last_known),
            )
        return unknown(
            "stale" if older else "missing", older, last_known=last_known, best_case=self._best_case(last_known)
        )

    def happened(self, patient: PatientIndex, day: date) -> bool:
        """Return whether a present fact is certainly in the window, contradicted or not."""
        dates = self._window.dates_on(day)
        return any(
            dates.certainly_contains(fact) and self._fits(fact, day) == MET for fact in self._find(patient).carrying
        )

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        findings = self._find(patient)
        window, today = self._window, patient.as_of
        sure = window.intervals(((since, fact.last.earliest) for fact, since in self._fitting(findings)), today)
        clean = (
            window.intervals(self._clean(patient, findings), today) if patient.facts_of(self._relative).denied else sure
        )
        possible = window.intervals(self._possible((*findings.carrying, *findings.uncertain)), today)
        denied, last_known = (
            denied_until(findings, self._window),
            NOT_MET if findings.were_ruled_out(patient.as_of) else UNKNOWN,
        )

        def read(day: date) -> TruthValues:
            if day in sure:
                return TruthValues(MET, MET, self._best_case(MET)) if day in clean else ALL_UNKNOWN
            if day in possible:
                return ALL_UNKNOWN
            if day <= denied or patient.is_complete(self._domain, window.dates_on(day)):
                return TruthValues(NOT_MET, NOT_MET, self._best_case(NOT_MET))
            return TruthValues(UNKNOWN, last_known, self._best_case(last_known))

        days = (
            *sure.change_days(),
            *clean.change_days(),
            *possible.change_days(),
            day_after(denied),
            *patient.completeness_change_days(self._domain, window),
        )
        patient.count_work(6 * len(days))
        return Timeline.sample(patient.as_of, patient.end, days, read)

    def _find(self, patient: PatientIndex) -> Findings:
        findings = self._concepts.find(patient, self._relative)
        patient.count_work(6 * findings.size if self._duration else 0)
        return findings

    def _best_case(self, last_known: State) -> State:
        """Return the best case: UNKNOWN for a leaf with a window, which passes; else the last known state."""
        return UNKNOWN if self._has_window else last_known

    def _fits(self, fact: Fact, day: date) -> State:
        """Return whether the fact has the wanted attributes; UNKNOWN where it does not say."""
        fits = self._attributes_of(fact) if self._attributes else MET
        return fits if self._duration is None else min(fits, _lasted(fact, self._duration, day))

    def _clean(self, patient: PatientIndex, findings: Findings) -> Iterator[tuple[date, date]]:
        """Yield, for each fact that certainly fits, the day since which nothing contradicts it, and its last day."""
        denied: dict[tuple[str, ...], tuple[date, date] | None] = {}
        for fact, since in self._fitting(findings):
            if fact.codes not in denied:
                against = denials_of(patient, self._relative, fact.codes)
                denied[fact.codes] = (
                    (against[0].last.latest, day_after(self._window.last_day_of(against[0].last.latest)))
                    if against
                    else None
                )
            last = denied[fact.codes]
            if last is None or last[0] < fact.first.earliest:
                yield since, fact.last.earliest
            elif self._has_window:
                yield max(since, last[1]), fact.last.earliest

    def _fitting(self, findings: Findings) -> Iterator[tuple[Fact, date]]:
        """Yield each fact that certainly fits, with the day since which it does."""
        for fact in findings.carrying:
            if self._attributes_of(fact) == MET:
                if self._duration is None:
                    yield fact, fact.first.latest
                elif fact.exposure and (reached := add(fact.first.latest, self._duration)) <= fact.last.earliest:
                    yield fact, reached

    def _possible(self, facts: Sequence[Fact]) -> Iterator[tuple[date, date]]:
        """Yield, for each fact that may fit, the day since which it may, and its last day."""
        for fact in facts:
            if self._attributes_of(fact) != NOT_MET:
                since = (
                    add(fact.first.earliest, self._duration)
                    if self._duration is not None and fact.exposure
                    else fact.first.earliest
                )
                if since <= fact.last.latest:
                    yield since, fact.last.latest

    def _attributes_of(self, fact: Fact) -> State:
        fits = MET
        for name, wanted in self._attributes:
            given = getattr(fact, name)
            fits = min(fits, UNKNOWN if given is None else MET if given in wanted else NOT_MET)
        return fits


def _lasted(fact: Fact, duration: Span, day: date) -> State:
    """Return whether an exposure has lasted ``duration`` by its end or by ``day``; UNKNOWN for a fact with one date."""
    if not fact.exposure:
        return UNKNOWN
    if add(fact.first.latest, duration) <= min(fact.last.earliest, day):
        return MET
    return UNKNOWN if add(fact.first.earliest, duration) <= min(fact.last.latest, day) else NOT_MET
