"""`has`: whether something is recorded, denied or unknown in a window (`docs/eligibility.md` §5, has)."""

from collections.abc import Iterator
from datetime import date

from services.matching.engine.chart import Chart
from services.matching.engine.facts import Fact
from services.matching.engine.kleene import MET, NOT_MET, UNKNOWN, Judgement, State, settled, unknown
from services.matching.engine.leaves.concepts import Concepts, Findings, contradicted, flips, ruled_out
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from services.matching.engine.window import Window
from shared.criteria import expressions
from shared.criteria.durations import Span, add, parse


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

    def judge(self, chart: Chart, day: date) -> Judgement:
        return self._judge(chart, self._concepts.find(chart, self._relative), day)

    def happened(self, chart: Chart, day: date) -> bool:
        """Whether a present fact is certainly in the window, contradicted or not."""
        stretch = self._window.on(day)
        return any(stretch.surely_holds(fact) and self._fits(fact, day) == MET for fact in self._concepts.find(chart, self._relative).carrying)

    def timeline(self, chart: Chart) -> Timeline[Judgement]:
        findings = self._concepts.find(chart, self._relative)
        days = flips(chart, findings, self._window, self._domain) | set(self._duration_flips(findings))
        chart.spend(len(days) * (len(findings.carrying) + len(findings.uncertain)))
        return Timeline.sample(chart.as_of, chart.end, days, lambda day: self._judge(chart, findings, day))

    def _judge(self, chart: Chart, findings: Findings, day: date) -> Judgement:
        stretch = self._window.on(day)
        sure: list[Fact] = []
        undecided: list[str] = []
        for fact in findings.carrying:
            if stretch.may_hold(fact) and (fits := self._fits(fact, day)) != NOT_MET:
                if fits == MET and stretch.surely_holds(fact):
                    sure.append(fact)
                else:
                    undecided.append(fact.id)
        if sure:
            record, contradictions = chart.of(self._relative), set[str]()
            for fact in sure:
                against = contradicted(fact, record, chart.terminology, stretch)
                if not against:
                    return settled(MET, [fact.id for fact in sure], hope=self._hope(MET))
                contradictions.update(against)
            return unknown("conflict", [*(fact.id for fact in sure), *contradictions])
        undecided += [fact.id for fact in findings.uncertain if stretch.may_hold(fact) and self._fits(fact, day) != NOT_MET]
        if undecided:
            return unknown("partial_detail", undecided)
        if (evidence := ruled_out(chart, findings, stretch, self._domain)) is not None:
            return settled(NOT_MET, evidence, hope=self._hope(NOT_MET))
        carried = NOT_MET if findings.were_ruled_out(day) else UNKNOWN
        once = [fact for fact in findings.carrying if self._fits(fact, day) != NOT_MET]
        older = [fact.id for fact in (*once, *findings.denying) if fact.first.earliest <= day and not stretch.may_hold(fact)]
        if findings.may_be_ruled_out(stretch):
            return unknown("partial_detail", [fact.id for fact in findings.denying], carried=carried, hope=self._hope(carried))
        return unknown("stale" if older else "missing", older, carried=carried, hope=self._hope(carried))

    def _hope(self, carried: State) -> State:
        """A window passes, so a leaf with one may be cleared; one without stays as it is."""
        return UNKNOWN if self._ages else carried

    def _fits(self, fact: Fact, day: date) -> State:
        """Whether the attributes asked for are the fact's: UNKNOWN where it does not say."""
        fits = MET if self._duration is None else _lasted(fact, self._duration, day)
        for name, wanted in self._attributes:
            given = getattr(fact, name)
            fits = min(fits, UNKNOWN if given is None else MET if given in wanted else NOT_MET)
        return fits

    def _duration_flips(self, findings: Findings) -> Iterator[date]:
        if self._duration is not None:
            for fact in (*findings.carrying, *findings.uncertain):
                yield from (add(start, self._duration) for start in fact.first)


def _lasted(fact: Fact, duration: Span, day: date) -> State:
    """Whether an exposure has lasted a duration by its end or the day; a fact with a single date does not say."""
    if not fact.exposure:
        return UNKNOWN
    if add(fact.first.latest, duration) <= min(fact.last.earliest, day):
        return MET
    return UNKNOWN if add(fact.first.earliest, duration) <= min(fact.last.latest, day) else NOT_MET
