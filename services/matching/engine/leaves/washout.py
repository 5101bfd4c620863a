"""`washout`: whether the last dose of every such medicine lies far enough back (`docs/eligibility.md` §5, washout)."""

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from services.matching.engine.facts import Fact
from services.matching.engine.kleene import (
    NOT_MET,
    UNKNOWN,
    Evaluation,
    TruthValues,
    decided,
    negation,
    unknown,
)
from services.matching.engine.leaves.absence import Absence
from services.matching.engine.leaves.concepts import Concepts, denials_of
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from services.matching.engine.window import Window
from shared.criteria import expressions
from shared.criteria.durations import Span, add, day_after, parse
from shared.terminology.clinical_data import HALF_LIVES

_NO_TIME = Span(0, 0)
_LONGEST = max(HALF_LIVES.values())


class Course(NamedTuple):
    """A medicine taken. It is certainly in its washout before ``sure``, and possibly before ``open``.

    ``against``: the ids of the absent facts that contradict it.
    """

    id: str
    sure: date
    open: date
    against: tuple[str, ...]


class Courses(NamedTuple):
    """The present courses of the asked medicines, and those that may be one of them."""

    present: tuple[Course, ...]
    uncertain: tuple[Course, ...]


class Washout:
    def __init__(self, leaf: expressions.Washout, terminology: Terminology) -> None:
        self._concepts = Concepts(leaf.codes, terminology)
        self._for = parse(leaf.for_) if leaf.for_ else _NO_TIME
        self._number = Fraction(str(leaf.half_lives or 0))
        longest = Span(0, self._days(_longest_half_life(leaf.codes, terminology)))
        self._window = Window(self._for, or_within=longest)
        self._absence = Absence(self._concepts, self._window, self._window, leaf.domain)

    def evaluate(self, patient: PatientIndex, day: date) -> Evaluation:
        courses = self._courses(patient)
        sure = [course for course in courses.present if day < course.sure]
        if sure:
            ids = [course.id for course in sure]
            if all(course.against for course in sure):
                return unknown("conflict", [*ids, *(one for course in sure for one in course.against)])
            return decided(NOT_MET, ids, best_case=UNKNOWN)
        if undecided := [course.id for course in (*courses.present, *courses.uncertain) if day < course.open]:
            return unknown("partial_detail", undecided)
        findings = self._concepts.find(patient)
        older = [fact.id for fact in (*findings.carrying, *findings.denying)]
        absent = self._absence.evaluate(patient, findings, day).or_else("stale" if older else "missing", older)
        return negation.evaluate([absent])._replace(best_case=UNKNOWN)

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        courses = self._courses(patient)
        clean = _last(course.sure for course in courses.present if not course.against)
        undecided = max(
            _last(course.sure for course in courses.present),
            _last(course.open for course in (*courses.present, *courses.uncertain)),
        )
        absence = self._absence.over_time(patient, self._concepts.find(patient))

        def read(day: date) -> TruthValues:
            if day < clean:
                return TruthValues(NOT_MET, NOT_MET, UNKNOWN)
            if day < undecided:
                return TruthValues(UNKNOWN, UNKNOWN, UNKNOWN)
            now, last_known = absence.on(day)
            return TruthValues(now.negated, last_known.negated, UNKNOWN)

        days = (clean, undecided, *absence.change_days())
        patient.count_work(6 * len(days))
        return Timeline.sample(patient.as_of, patient.end, days, read)

    def _courses(self, patient: PatientIndex) -> Courses:
        return patient.cached(("courses", self), lambda: self._find(patient))

    def _find(self, patient: PatientIndex) -> Courses:
        findings = self._concepts.find(patient)
        return Courses(
            tuple(self._course(patient, fact) for fact in findings.carrying),
            tuple(self._course(patient, fact) for fact in findings.uncertain),
        )

    def _course(self, patient: PatientIndex, fact: Fact) -> Course:
        denials = denials_of(patient, None, fact.codes)
        patient.count_work(6 + len(denials))
        against = tuple(
            denial.id
            for denial in denials
            if denial.first.earliest <= fact.last.latest and denial.last.latest >= fact.first.earliest
        )
        known = [HALF_LIVES[code] for code in patient.above(fact.codes) & HALF_LIVES.keys()]
        fewest, most = (self._days(max(known)),) * 2 if known else (0, self._days(_LONGEST))
        return Course(fact.id, self._over(fact.last.earliest, fewest), self._over(fact.last.latest, most), against)

    def _days(self, half_life: Fraction) -> int:
        """Return how long the half-lives last, in whole days. ``half_life``: in days."""
        return ceil(self._number * half_life)

    def _over(self, last: date, days: int) -> date:
        """Return the day on which the washout after the last day of a medicine is over."""
        return max(day_after(last), add(last, self._for), add(last, Span(0, days)))


def _longest_half_life(codes: list[str], terminology: Terminology) -> Fraction:
    """Return the longest half-life, in days, of the medicines at or below the codes; without any, of all."""
    known = [days for code, days in HALF_LIVES.items() if not terminology.above(code).isdisjoint(codes)]
    return max(known, default=_LONGEST)


def _last(days: Iterable[date]) -> date:
    return max(days, default=date.min)
