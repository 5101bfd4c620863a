"""`count`: the number of days with an event in a window, or in each part of it (`docs/eligibility.md` §5, count)."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from services.matching.engine.facts import DateBounds, Fact
from services.matching.engine.kleene import MET, NOT_MET, UNKNOWN, Evaluation, State, TruthValues, decided, unknown
from services.matching.engine.leaves.comparison import between
from services.matching.engine.leaves.concepts import Concepts, Findings
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from services.matching.engine.window import DateRange, Window
from shared.criteria import expressions
from shared.criteria.durations import add, day_after, parse, whole_parts


@dataclass(frozen=True, slots=True)
class Events:
    """The events of a leaf. An event is of the day of its date or of its start.

    ``days``: the distinct full dates, in order; ``partial``: the possible days of those with a partial date or none,
    the first to end first; ``open``: facts that may or may not be such an event, the latest first; ``possible``: facts
    that could be one as far as their codes say, which matter where a declaration alone bounds the number.
    """

    days: Sequence[date]
    partial: Sequence[DateBounds]
    open: Sequence[Fact]
    possible: Sequence[Fact]

    @staticmethod
    def of(findings: Findings, possible: Iterable[Fact]) -> "Events":
        partial = [fact.first for fact in findings.carrying if fact.first.earliest != fact.first.latest]
        return Events(
            sorted({fact.first.earliest for fact in findings.carrying if fact.first.earliest == fact.first.latest}),
            sorted(partial, key=lambda bounds: bounds.latest),
            _latest_first(findings.uncertain),
            _latest_first(possible),
        )

    def fewest(self, dates: DateRange) -> int:
        """Return the largest number of events in the range that are certainly of different days."""
        first, end = bisect_left(self.days, dates.first), bisect_right(self.days, dates.last)
        inside = [bounds for bounds in self.partial if dates.first <= bounds.earliest and bounds.latest <= dates.last]
        if not inside:
            return max(0, end - first)
        known = [DateBounds(day, day) for day in self.days[first:end]]
        number, last = 0, date.min
        for bounds in sorted((*known, *inside), key=lambda bounds: bounds.latest):
            if bounds.earliest > last or not number:
                number, last = number + 1, bounds.latest
        return number

    def items(self, dates: DateRange) -> int:
        """Return the number of known days in the range and of partly dated events that may be in it."""
        first, end = bisect_left(self.days, dates.first), bisect_right(self.days, dates.last)
        return max(0, end - first) + sum(1 for bounds in self.partial if _may_be_in(bounds, dates))

    def most(self, dates: DateRange, enough: int) -> int:
        """Return the largest possible number, or any number above ``enough`` where it is larger."""
        first, end = bisect_left(self.days, dates.first), bisect_right(self.days, dates.last)
        number = self.items(dates)
        more: set[date | str] = set()
        for facts in (self.open, self.possible):
            for fact in facts:
                if number + len(more) > enough or fact.first.latest < dates.first:
                    break
                if _may_be_in(fact.first, dates) and not self._is_counted(fact.day, first, end):
                    more.add(fact.day or fact.id)
        return number + len(more)

    def _is_counted(self, day: date | None, first: int, end: int) -> bool:
        """Return whether a day is one of the known ones between two indexes: an event more on it adds nothing."""
        if day is None:
            return False
        index = bisect_left(self.days, day, first, end)
        return index < end and self.days[index] == day


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
        events = Events.of(findings, self._concepts.could_be(patient, self._domain))
        patient.count_work(6 * self._parts * (findings.size + len(events.possible)))
        parts = [self._part(patient, findings, events, window, day) for window in self._windows]
        now = min(part.now for part in parts)
        last_known = min(part.last_known for part in parts)
        deciding = [part for part in parts if part.now == now]
        evidence = frozenset[str]().union(*(part.evidence for part in deciding))
        if now != UNKNOWN:
            return decided(now, evidence, best_case=UNKNOWN)._replace(last_known=last_known)
        reasons = {reason for part in deciding for reason in part.reasons}
        return unknown(
            "partial_detail" if "partial_detail" in reasons else "stale" if "stale" in reasons else "missing",
            evidence,
            last_known=last_known,
        )._replace(reasons_on_record=findings.could_be_on_record)

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        """Look at no more events than may change the state."""
        findings = self._concepts.find(patient)
        events = Events.of(findings, self._concepts.could_be(patient, self._domain))
        if self._parts == 1 and not events.partial:
            events = Events(events.days[-self._bound - 1 :], (), events.open, events.possible)

        def states(window: Window, day: date) -> tuple[State, State]:
            dates = window.dates_on(day)
            fewest = events.fewest(dates)
            without = between(fewest, None, self._op, self._bound)
            complete = patient.completeness(self._domain, window, day)
            if not complete.carried:
                return without, without
            bounded = between(fewest, max(fewest, events.most(dates, self._bound)), self._op, self._bound)
            return bounded if complete.now else without, bounded

        def read(day: date) -> TruthValues:
            now, last_known = zip(*(states(window, day) for window in self._windows), strict=True)
            return TruthValues(min(now), min(last_known), UNKNOWN)

        declares = patient.declares(self._domain)
        looked_at = len(events.open) + len(events.possible) if declares else 0
        patient.count_work(4 * self._parts * (len(events.days) + len(events.partial) + looked_at))
        days = set(self._change_days(patient, events))
        patient.count_work(8 * self._parts * len(days) * (1 + len(events.partial)))
        return Timeline.sample(patient.as_of, patient.end, days, read)

    def _change_days(self, patient: PatientIndex, events: Events) -> Iterator[date]:
        declares = patient.declares(self._domain)
        bounds = {bound for one in events.partial for bound in one}
        if declares:
            bounds.update(bound for fact in (*events.open, *events.possible) for bound in fact.first)
        bounds.update(events.days)
        for window in self._windows:
            for span in (window.within, window.beyond):
                if span is not None:
                    yield from (day_after(add(day, span)) for day in bounds)
            if declares:
                yield from patient.completeness_change_days(self._domain, window)

    def _part(self, patient: PatientIndex, findings: Findings, events: Events, window: Window, day: date) -> Evaluation:
        """Evaluate one window."""
        dates = window.dates_on(day)
        complete = patient.completeness(self._domain, window, day)
        fewest = events.fewest(dates)
        most = max(fewest, events.most(dates, self._bound)) if complete.carried else None
        state = between(fewest, most if complete.now else None, self._op, self._bound)
        last_known = between(fewest, most, self._op, self._bound)
        known = [fact for fact in findings.carrying if _is_in(fact.first, dates)]
        evidence = [fact.id for fact in known]
        if state in (MET, NOT_MET):
            rests_on = [*evidence, f"#complete:{self._domain}"] if complete.now else evidence
            return decided(state, rests_on)._replace(last_known=last_known)
        days = {fact.day for fact in known}
        undecided = [
            fact.id
            for fact in (findings.carrying if events.items(dates) > fewest else ())
            if fact.first.earliest != fact.first.latest and _may_be_in(fact.first, dates)
        ]
        undecided += [
            fact.id
            for fact in (*findings.uncertain, *(events.possible if complete.now else ()))
            if (fact.day is None or fact.day not in days) and _may_be_in(fact.first, dates)
        ]
        if undecided:
            return unknown("partial_detail", [*evidence, *undecided], last_known=last_known)
        older = [fact.id for fact in findings.carrying if fact.first.latest < dates.first]
        return unknown("stale" if older else "missing", [*evidence, *older], last_known=last_known)


def _is_in(bounds: DateBounds, dates: DateRange) -> bool:
    return dates.first <= bounds.earliest and bounds.latest <= dates.last


def _may_be_in(bounds: DateBounds, dates: DateRange) -> bool:
    return bounds.earliest <= dates.last and bounds.latest >= dates.first


def _latest_first(facts: Iterable[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda fact: fact.first.latest, reverse=True)
