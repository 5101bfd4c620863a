"""`has`: whether something is recorded, denied or unknown in a window (`docs/eligibility.md` §5, has)."""

from collections.abc import Iterator, Sequence
from datetime import date

from services.matching.engine.facts import Fact
from services.matching.engine.kleene import (
    MET,
    NOT_MET,
    UNKNOWN,
    Evaluation,
    State,
    TruthValues,
    decided,
    unknown,
)
from services.matching.engine.leaves.absence import Absence
from services.matching.engine.leaves.concepts import (
    Concepts,
    Findings,
    contradictions,
    contradicts,
    denials_of,
)
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from services.matching.engine.window import DateRange, Window
from shared.criteria import expressions
from shared.criteria.durations import Span, add, day_after, parse
from shared.criteria.parts import Where


class Has:
    def __init__(self, leaf: expressions.Has, terminology: Terminology) -> None:
        self._concepts = Concepts(leaf.codes, terminology, descendants=leaf.descendants)
        asks_present = leaf.within is None and all(_can_end(code, terminology) for code in leaf.codes)
        within = parse(leaf.within) if leaf.within else None
        evidence_within = parse(leaf.evidence_within) if leaf.evidence_within else within
        # The days on which it was so, on which a denial is in force, and on which a denial contradicts.
        self._window = Window(Span(0, 0) if asks_present else within)
        self._evidence_window = Window(evidence_within)
        self._contradicting_window = Window(within)
        self._may_change = asks_present or within is not None
        self._absence = Absence(self._concepts, self._window, self._evidence_window, leaf.domain)
        self._domain = leaf.domain
        self._relative = leaf.relative
        where = leaf.where or Where()
        wanted = {"outcome": where.outcome, "body_site": where.body_site, "severity": where.severity}
        self._attributes = [(name, frozenset(values)) for name, values in wanted.items() if values is not None]
        self._duration = parse(where.duration) if where.duration else None

    def evaluate(self, patient: PatientIndex, day: date) -> Evaluation:
        evaluation = self._evaluate(patient, day)
        last_known = MET if self._stays_met(patient) else evaluation.last_known
        return evaluation._replace(last_known=last_known, best_case=self._best_case(last_known))

    def _evaluate(self, patient: PatientIndex, day: date) -> Evaluation:
        """Evaluate on one day. The best case is left to `evaluate`."""
        findings = self._find(patient)
        dates = self._window.dates_on(day)
        sure = self._sure(findings, dates, day)
        if sure:
            against = contradictions(patient, self._relative, sure, self._contradicting_window.dates_on(day))
            if against is None:
                return decided(MET, [fact.id for fact in sure])
            return unknown("conflict", [*(fact.id for fact in sure), *against])
        open_facts = [
            fact
            for fact in (*findings.carrying, *findings.uncertain)
            if dates.may_contain(fact) and self._fits(fact, day) != NOT_MET
        ]
        if undecided := [fact.id for fact in open_facts if not _is_past(fact, dates)]:
            return unknown("partial_detail", undecided)
        if open_facts:
            return unknown("stale", [fact.id for fact in open_facts])
        return self._without_finding(patient, findings, day)

    def _without_finding(self, patient: PatientIndex, findings: Findings, day: date) -> Evaluation:
        """Evaluate where no fact may be what is asked: whether it is denied, or absent from a complete domain."""
        dates, in_force = self._window.dates_on(day), self._evidence_window.dates_on(day)
        fitting = [fact for fact in findings.carrying if self._fits(fact, day) != NOT_MET]
        older = [fact.id for fact in fitting if fact.first.earliest <= day and not dates.may_contain(fact)]
        older += [fact.id for fact in findings.denying if fact.first.earliest <= day and not in_force.may_contain(fact)]
        absent = self._absence.evaluate(patient, findings, day, lambda fact: self._fits(fact, day) != NOT_MET)
        return absent.or_else("stale" if older else "missing", older)

    def _sure(self, findings: Findings, dates: DateRange, day: date) -> list[Fact]:
        """Return the facts that are certainly in the window and as asked."""
        first, last = dates.first, dates.last
        return [
            fact
            for fact in findings.carrying
            if fact.first.latest <= last and fact.last.earliest >= first and self._fits(fact, day) == MET
        ]

    def _stays_met(self, patient: PatientIndex) -> bool:
        """Return whether a passing state without an end makes the leaf met on ``as_of``: nothing dated ends it."""
        findings = self._find(patient)
        if not any(_is_passing(fact) for fact in findings.carrying):
            return False

        def stays_met() -> bool:
            today = patient.as_of
            passing = [fact for fact in self._sure(findings, self._window.dates_on(today), today) if _is_passing(fact)]
            dates = self._contradicting_window.dates_on(today)
            return any(contradictions(patient, self._relative, [fact], dates) is None for fact in passing)

        return patient.cached(("stays met", self), stays_met)

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
        open_days = window.intervals(self._possible((*findings.carrying, *findings.uncertain)), today)
        could_be = self._possible(self._concepts.could_be(patient, self._domain))
        absence, stays_met = self._absence.over_time(patient, findings, could_be), self._stays_met(patient)

        def read(day: date) -> TruthValues:
            if day in sure and day in clean:
                return values(MET, MET)
            if day in sure or day in open_days:
                return values(UNKNOWN, UNKNOWN)
            return values(*absence.on(day))

        def values(now: State, last_known: State) -> TruthValues:
            carried = MET if stays_met else last_known
            return TruthValues(now, carried, self._best_case(carried))

        days = (
            *sure.change_days(),
            *clean.change_days(),
            *open_days.change_days(),
            *absence.change_days(),
        )
        patient.count_work(6 * len(days))
        return Timeline.sample(patient.as_of, patient.end, days, read)

    def _find(self, patient: PatientIndex) -> Findings:
        findings = self._concepts.find(patient, self._relative)
        patient.count_work(6 * findings.size if self._duration else 0)
        return findings

    def _best_case(self, last_known: State) -> State:
        """Return the best case: UNKNOWN for a leaf with a window or about the present; else the last known state."""
        return UNKNOWN if self._may_change else last_known

    def _fits(self, fact: Fact, day: date) -> State:
        """Return whether the fact has the wanted attributes; UNKNOWN where it does not say."""
        fits = self._attributes_of(fact) if self._attributes else MET
        return fits if self._duration is None else min(fits, _lasted(fact, self._duration, day))

    def _clean(self, patient: PatientIndex, findings: Findings) -> Iterator[tuple[date, date]]:
        """Yield, for each fact that certainly fits, the day since which nothing contradicts it, and its last day."""
        for fact, since in self._fitting(findings):
            against = denials_of(patient, self._relative, fact.codes)
            if fact.ends_by_denial:
                against = tuple(denial for denial in against if contradicts(denial, fact))
            # The first of them lasts longest.
            if not against or against[0].last.latest < fact.first.earliest:
                yield since, fact.last.earliest
            elif (left := day_after(self._contradicting_window.last_day_of(against[0].last.latest))) < date.max:
                yield max(since, left), fact.last.earliest

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


def _can_end(code: str, terminology: Terminology) -> bool:
    state = terminology.state_of(code)
    return state is not None and state.kind in ("persists", "passing")


def _is_passing(fact: Fact) -> bool:
    """Return whether the fact is a passing state without a dated end."""
    return fact.fades_on is not None and fact.last.latest == date.max


def _is_past(fact: Fact, dates: DateRange) -> bool:
    """Return whether a passing state began so long ago that it is not known to reach the dates."""
    return fact.fades_on is not None and fact.fades_on <= dates.first


def _lasted(fact: Fact, duration: Span, day: date) -> State:
    """Return whether an exposure has lasted ``duration`` by its end or by ``day``; UNKNOWN for a fact with one date."""
    if not fact.exposure:
        return UNKNOWN
    if add(fact.first.latest, duration) <= min(fact.last.earliest, day):
        return MET
    return UNKNOWN if add(fact.first.earliest, duration) <= min(fact.last.latest, day) else NOT_MET
