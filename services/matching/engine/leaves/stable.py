"""`stable`: a treatment that goes on, unchanged for long enough and at an accepted dose (`docs/eligibility.md` §5, stable)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from services.matching.engine.facts import DateBounds, Dose, Fact
from services.matching.engine.kleene import MET, NOT_MET, OPEN, UNKNOWN, Judgement, Reading, Reason, settled, unknown
from services.matching.engine.leaves.comparison import compare
from services.matching.engine.leaves.concepts import Concepts, Findings, denied_until, ruled_out
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from services.matching.engine.window import Intervals, Window
from shared.criteria import expressions
from shared.criteria.durations import add, day_after, day_before, parse
from shared.criteria.units import conversion

_NOT_STABLE = Reading(NOT_MET, NOT_MET, UNKNOWN)


@dataclass(frozen=True, slots=True)
class TreatmentEpisode:
    """Exposures to the same codes at the same dose that follow one another without a gap."""

    codes: tuple[str, ...]
    dose: Dose | None
    start: date | None
    end: DateBounds
    facts: tuple[str, ...]


class Stable:
    def __init__(self, leaf: expressions.Stable, terminology: Terminology) -> None:
        self._codes = tuple(leaf.codes)
        self._concepts = Concepts(leaf.codes, terminology)
        self._for = parse(leaf.for_)
        self._window = Window(self._for)
        self._min = None if leaf.min is None else Fraction(str(leaf.min))
        self._max = None if leaf.max is None else Fraction(str(leaf.max))
        self._unit, self._per_kg, self._domain = leaf.unit, leaf.per_kg, leaf.domain

    def judge(self, chart: PatientIndex, day: date) -> Judgement:
        findings = self._concepts.find(chart)
        courses = self._courses(chart, findings)
        ongoing = [course for course in courses if course.end.latest >= day]
        if not ongoing:
            return self._stopped(chart, findings, day)
        evidence = [identifier for course in ongoing for identifier in course.facts]
        if any(course.start is None or course.end.earliest < day for course in ongoing):
            return unknown("partial_detail", evidence)
        stretch = self._window.on(day)
        ended = [course for course in courses if course.end.latest < day and course.end.latest >= stretch.first]
        recent = [course for course in ongoing if course.start is not None and add(course.start, self._for) > day]
        changed = [*recent, *(course for course in ended if course.end.earliest >= stretch.first)]
        if changed:
            return settled(NOT_MET, [identifier for course in changed for identifier in course.facts], hope=UNKNOWN)
        if ended:
            return unknown("partial_detail", [identifier for course in ended for identifier in course.facts])
        return self._dosed(ongoing, evidence)

    def course(self, chart: PatientIndex) -> Timeline[Reading]:
        findings = self._concepts.find(chart)
        courses, leaves, window = self._courses(chart, findings), self._window.leaves, self._window
        until = [(one, one.end.earliest, one.end.latest) for one in courses]
        last = max((latest for _, _, latest in until), default=date.min)
        vague = Intervals(
            (date.min if one.start is None else day_after(earliest), latest) for one, earliest, latest in until
        )
        recent = Intervals(
            (date.min, min(latest, day_before(add(one.start, self._for))))
            for one, _, latest in until
            if one.start is not None
        )
        ended = Intervals((day_after(latest), leaves(latest)) for _, _, latest in until)
        changed = Intervals((day_after(latest), leaves(earliest)) for _, earliest, latest in until)
        doses = [
            (self._accepts(one.dose) if self._min is not None or self._max is not None else True, one.end.latest)
            for one in courses
        ]
        outside = max((latest for accepted, latest in doses if accepted is False), default=date.min)
        untold = max((latest for accepted, latest in doses if accepted not in (True, False)), default=date.min)
        doubtful = max((fact.last.latest for fact in findings.uncertain), default=date.min)
        denied, had = denied_until(findings, window), NOT_MET if findings.were_ruled_out(chart.as_of) else UNKNOWN

        def read(day: date) -> Reading:
            if day > last:
                if day <= doubtful:
                    return OPEN
                ruled = day <= denied or chart.is_complete(self._domain, window.on(day))
                return _NOT_STABLE if ruled else Reading(UNKNOWN, had, UNKNOWN)
            if day in vague:
                return OPEN
            if day in recent or day in changed:
                return _NOT_STABLE
            if day in ended:
                return OPEN
            return _NOT_STABLE if day <= outside else OPEN if day <= untold else Reading(MET, MET, UNKNOWN)

        ends = map(day_after, (last, outside, untold, doubtful, denied))
        spells = (day for spell in (vague, recent, ended, changed) for day in spell.flips())
        return Timeline.sample(
            chart.as_of, chart.end, (*ends, *spells, *chart.completeness_flips(self._domain, window)), read
        )

    def _courses(self, chart: PatientIndex, findings: Findings) -> "Sequence[TreatmentEpisode]":
        return chart.once(("courses", *self._codes), lambda: _courses(findings.carrying))

    def _stopped(self, chart: PatientIndex, findings: Findings, day: date) -> Judgement:
        doubtful = [fact.id for fact in findings.uncertain if fact.last.latest >= day]
        if doubtful:
            return unknown("partial_detail", doubtful)
        stretch = self._window.on(day)
        if (evidence := ruled_out(chart, findings, stretch, self._domain)) is not None:
            return settled(NOT_MET, evidence, hope=UNKNOWN)
        carried = NOT_MET if findings.were_ruled_out(day) else UNKNOWN
        older = [fact.id for fact in (*findings.carrying, *findings.denying)]
        if findings.may_be_ruled_out(stretch):
            return unknown("partial_detail", older, carried=carried)
        return unknown("stale" if findings.carrying else "missing", older, carried=carried)

    def _dosed(self, ongoing: Sequence[TreatmentEpisode], evidence: Sequence[str]) -> Judgement:
        if self._min is None and self._max is None:
            return settled(MET, evidence, hope=UNKNOWN)
        reasons: set[Reason] = set()
        for course in ongoing:
            accepted = self._accepts(course.dose)
            if accepted is False:
                return settled(NOT_MET, course.facts, hope=UNKNOWN)
            if accepted is not True:
                reasons.add(accepted)
        return unknown(min(reasons), evidence) if reasons else settled(MET, evidence, hope=UNKNOWN)

    def _accepts(self, dose: Dose | None) -> bool | Reason:
        """Whether a dose lies between the bounds, or why that cannot be told."""
        if dose is None:
            return "partial_detail"
        factor = conversion(dose.unit, self._unit) if self._unit is not None and dose.per_kg == self._per_kg else None
        if factor is None:
            return "unit"
        value = dose.value * factor
        above = self._min is None or compare(value, None, ">=", self._min) == MET
        return above and (self._max is None or compare(value, None, "<=", self._max) == MET)


def _courses(facts: Sequence[Fact]) -> list[TreatmentEpisode]:
    """Medication courses, joined where one continues another; only full dates can be seen to touch."""
    courses: list[TreatmentEpisode] = []
    for fact in sorted(
        (fact for fact in facts if fact.kind == "medication"),
        key=lambda fact: (fact.codes, _dose_key(fact.dose), fact.first, fact.last),
    ):
        last = courses[-1] if courses else None
        if last is not None and _continues(fact, last):
            end = max(last.end, fact.last)
            courses[-1] = TreatmentEpisode(last.codes, last.dose, last.start, end, (*last.facts, fact.id))
        else:
            courses.append(TreatmentEpisode(fact.codes, fact.dose, fact.day, fact.last, (fact.id,)))
    return courses


def _continues(fact: Fact, course: TreatmentEpisode) -> bool:
    return (
        (fact.codes, fact.dose) == (course.codes, course.dose)
        and fact.day is not None
        and course.start is not None
        and course.end.earliest == course.end.latest
        and fact.day <= day_after(course.end.latest)
        and fact.last.earliest == fact.last.latest
    )


def _dose_key(dose: Dose | None) -> tuple[Fraction, str, bool]:
    return (Fraction(-1), "", False) if dose is None else (dose.value, dose.unit, dose.per_kg)
