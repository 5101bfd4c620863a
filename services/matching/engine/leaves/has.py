"""`has`: whether something is recorded, denied or unknown in a window (`docs/eligibility.md` §5, has)."""

from collections.abc import Iterator, Sequence
from datetime import date

from services.matching.engine.facts import Fact
from services.matching.engine.kleene import MET, NOT_MET, OPEN, UNKNOWN, Judgement, Reading, State, settled, unknown
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
        self._ages = leaf.within is not None
        self._domain = leaf.domain
        self._relative = leaf.relative
        where = leaf.where or expressions.Where()
        wanted = {"outcome": where.outcome, "body_site": where.body_site, "severity": where.severity}
        self._attributes = [(name, frozenset(values)) for name, values in wanted.items() if values is not None]
        self._duration = parse(where.duration) if where.duration else None

    def judge(self, chart: PatientIndex, day: date) -> Judgement:
        findings = self._find(chart)
        stretch = self._window.on(day)
        sure: list[Fact] = []
        undecided: list[str] = []
        first, last = stretch.first, stretch.last
        for fact in findings.carrying:
            if fact.first.earliest <= last and fact.last.latest >= first and (fits := self._fits(fact, day)) != NOT_MET:
                if fits == MET and stretch.surely_holds(fact):
                    sure.append(fact)
                else:
                    undecided.append(fact.id)
        if sure:
            against = contradictions(chart, self._relative, sure, stretch)
            if against is None:
                return settled(MET, [fact.id for fact in sure], hope=self._hope(MET))
            return unknown("conflict", [*(fact.id for fact in sure), *against])
        undecided += [
            fact.id for fact in findings.uncertain if stretch.may_hold(fact) and self._fits(fact, day) != NOT_MET
        ]
        if undecided:
            return unknown("partial_detail", undecided)
        if (evidence := ruled_out(chart, findings, stretch, self._domain)) is not None:
            return settled(NOT_MET, evidence, hope=self._hope(NOT_MET))
        carried = NOT_MET if findings.were_ruled_out(day) else UNKNOWN
        once = [fact for fact in findings.carrying if self._fits(fact, day) != NOT_MET]
        older = [
            fact.id for fact in (*once, *findings.denying) if fact.first.earliest <= day and not stretch.may_hold(fact)
        ]
        if findings.may_be_ruled_out(stretch):
            return unknown(
                "partial_detail", [fact.id for fact in findings.denying], carried=carried, hope=self._hope(carried)
            )
        return unknown("stale" if older else "missing", older, carried=carried, hope=self._hope(carried))

    def happened(self, chart: PatientIndex, day: date) -> bool:
        """Whether a present fact is certainly in the window, contradicted or not."""
        stretch = self._window.on(day)
        return any(stretch.surely_holds(fact) and self._fits(fact, day) == MET for fact in self._find(chart).carrying)

    def course(self, chart: PatientIndex) -> Timeline[Reading]:
        findings = self._find(chart)
        window, today = self._window, chart.as_of
        sure = window.spells(((since, fact.last.earliest) for fact, since in self._fitting(findings)), today)
        clean = window.spells(self._clean(chart, findings), today) if chart.of(self._relative).denied else sure
        possible = window.spells(self._possible((*findings.carrying, *findings.uncertain)), today)
        denied, had = denied_until(findings, self._window), NOT_MET if findings.were_ruled_out(chart.as_of) else UNKNOWN

        def read(day: date) -> Reading:
            if day in sure:
                return Reading(MET, MET, self._hope(MET)) if day in clean else OPEN
            if day in possible:
                return OPEN
            if day <= denied or chart.is_complete(self._domain, window.on(day)):
                return Reading(NOT_MET, NOT_MET, self._hope(NOT_MET))
            return Reading(UNKNOWN, had, self._hope(had))

        days = (
            *sure.flips(),
            *clean.flips(),
            *possible.flips(),
            day_after(denied),
            *chart.completeness_flips(self._domain, window),
        )
        chart.spend(6 * len(days))
        return Timeline.sample(chart.as_of, chart.end, days, read)

    def _find(self, chart: PatientIndex) -> Findings:
        findings = self._concepts.find(chart, self._relative)
        chart.spend(6 * findings.size if self._duration else 0)
        return findings

    def _hope(self, carried: State) -> State:
        """A window passes, so a leaf with one may be cleared; one without stays as it is."""
        return UNKNOWN if self._ages else carried

    def _fits(self, fact: Fact, day: date) -> State:
        """Whether the attributes asked for are the fact's: UNKNOWN where it does not say."""
        fits = self._attributes_of(fact) if self._attributes else MET
        return fits if self._duration is None else min(fits, _lasted(fact, self._duration, day))

    def _clean(self, chart: PatientIndex, findings: Findings) -> Iterator[tuple[date, date]]:
        """The facts that fit for certain, each since it is no longer contradicted."""
        denied: dict[tuple[str, ...], tuple[date, date] | None] = {}
        for fact, since in self._fitting(findings):
            if fact.codes not in denied:
                against = denials_of(chart, self._relative, fact.codes)
                denied[fact.codes] = (
                    (against[0].last.latest, day_after(self._window.leaves(against[0].last.latest)))
                    if against
                    else None
                )
            last = denied[fact.codes]
            if last is None or last[0] < fact.first.earliest:
                yield since, fact.last.earliest
            elif self._ages:
                yield max(since, last[1]), fact.last.earliest

    def _fitting(self, findings: Findings) -> Iterator[tuple[Fact, date]]:
        """The facts that fit for certain, each since it does."""
        for fact in findings.carrying:
            if self._attributes_of(fact) == MET:
                if self._duration is None:
                    yield fact, fact.first.latest
                elif fact.exposure and (reached := add(fact.first.latest, self._duration)) <= fact.last.earliest:
                    yield fact, reached

    def _possible(self, facts: Sequence[Fact]) -> Iterator[tuple[date, date]]:
        """The facts that may fit, each since it may."""
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
    """Whether an exposure has lasted a duration by its end or the day; a fact with a single date does not say."""
    if not fact.exposure:
        return UNKNOWN
    if add(fact.first.latest, duration) <= min(fact.last.earliest, day):
        return MET
    return UNKNOWN if add(fact.first.earliest, duration) <= min(fact.last.latest, day) else NOT_MET
