"""`count`: how many days with an event a window, or each part of it, holds (`docs/eligibility.md` §5, count)."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cached_property

from services.matching.engine.facts import Fact
from services.matching.engine.kleene import MET, NOT_MET, UNKNOWN, Judgement, Reading, State, settled, unknown
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
        """The window, or its parts."""
        each = self._each
        return [
            Window(each.times(part), each.times(part - 1) if part > 1 else None) for part in range(1, self._parts + 1)
        ]

    def judge(self, chart: PatientIndex, day: date) -> Judgement:
        """Every part must hold; one that fails decides, and of several unknown ones the most telling reason is given."""
        findings = self._concepts.find(chart)
        chart.spend(6 * self._parts * findings.size)
        parts = [self._part(chart, findings, window, day) for window in self._windows]
        now = min(part.now for part in parts)
        deciding = [part for part in parts if part.now == now]
        evidence = frozenset[str]().union(*(part.evidence for part in deciding))
        if now != UNKNOWN:
            return settled(now, evidence, hope=UNKNOWN)
        reasons = {reason for part in deciding for reason in part.reasons}
        return unknown(
            "partial_detail" if "partial_detail" in reasons else "stale" if "stale" in reasons else "missing", evidence
        )

    def course(self, chart: PatientIndex) -> Timeline[Reading]:
        """The state alone: days are counted by their place among those known, and no more events are looked at than may decide."""
        findings = self._concepts.find(chart)
        known = sorted({fact.day for fact in findings.carrying if fact.day is not None})
        if self._parts == 1:
            known = known[-self._bound - 1 :]
        counted = set(known)
        doubtful = [fact for fact in findings.carrying if fact.day is None]
        doubtful = sorted((*doubtful, *findings.uncertain), key=lambda fact: fact.last.latest, reverse=True)

        def state(window: Window, day: date) -> State:
            stretch = window.on(day)
            first, end = bisect_left(known, stretch.first), bisect_right(known, stretch.last)
            fewest = max(0, end - first)
            if not chart.is_complete(self._domain, stretch):
                return between(fewest, None, self._op, self._bound)
            more: set[date | str] = set()
            for fact in doubtful:
                if fewest + len(more) > self._bound or fact.last.latest < stretch.first:
                    break
                told = fact.day in counted and stretch.first <= fact.day <= stretch.last
                if stretch.may_hold(fact) and not told:
                    more.add(fact.day or fact.id)
            return between(fewest, fewest + len(more), self._op, self._bound)

        def read(day: date) -> Reading:
            now = min(state(window, day) for window in self._windows)
            return Reading(now, now, UNKNOWN)

        chart.spend(4 * self._parts * (len(known) + (len(doubtful) if chart.declares(self._domain) else 0)))
        days = set(self._flips(chart, known, doubtful))
        chart.spend(8 * self._parts * len(days))
        return Timeline.sample(chart.as_of, chart.end, days, read)

    def _flips(self, chart: PatientIndex, known: Sequence[date], doubtful: Sequence[Fact]) -> Iterator[date]:
        for window in self._windows:
            for span in (window.within, window.beyond):
                yield from (day_after(add(day, span)) for day in known if span is not None)
            if chart.declares(self._domain):
                yield from window.flips(doubtful)
                yield from chart.completeness_flips(self._domain, window)

    def _part(self, chart: PatientIndex, findings: Findings, window: Window, day: date) -> Judgement:
        stretch = window.on(day)
        known = [
            fact for fact in findings.carrying if fact.day is not None and stretch.first <= fact.day <= stretch.last
        ]
        days = {fact.day for fact in known}
        doubtful = [fact for fact in findings.carrying if fact.day is None and stretch.may_hold(fact)]
        # A day counts once: an undecided event of a day that is known adds nothing, and two of one day add one.
        doubtful += [fact for fact in findings.uncertain if fact.day not in days and stretch.may_hold(fact)]
        undecided = [fact.id for fact in doubtful]
        most = len(days) + len({fact.day or fact.id for fact in doubtful})
        complete = chart.is_complete(self._domain, stretch)
        state = between(len(days), most if complete else None, self._op, self._bound)
        evidence = [fact.id for fact in known]
        if state in (MET, NOT_MET):
            return settled(state, [*evidence, f"#complete:{self._domain}"] if complete else evidence)
        if undecided:
            return unknown("partial_detail", [*evidence, *undecided])
        older = [fact.id for fact in findings.carrying if fact.day is not None and fact.day < stretch.first]
        return unknown("stale" if older else "missing", [*evidence, *older])
