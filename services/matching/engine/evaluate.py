"""From a signed document and a patient's chart to a verdict for every day (`docs/eligibility.md` §6)."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import NamedTuple

from services.matching.engine.expression import Combination, Expression, compile_expression
from services.matching.engine.kleene import MET, NOT_MET, UNKNOWN, Judgement, Reading, Reason, negation
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.result import RANK, CohortResult, CriterionResult, Interval, Listing, TrialResult, Verdict
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from shared.criteria import expressions
from shared.criteria.durations import Span, add, parse, subtract
from shared.criteria.model import CriteriaDocument, Criterion

COUNTRY = "FR"
DEFAULT_HORIZON = "P2Y"
NOTHING_RECORDED: frozenset[Reason] = frozenset({"missing"})
_LISTINGS: tuple[Listing, ...] = ("listed", "undetermined", "not_indicated")


class Day(NamedTuple):
    """What decides a cohort's verdict on a day."""

    open: bool
    compatible: bool
    hopeless: bool


@dataclass(frozen=True, slots=True)
class CompiledCriterion:
    source: Criterion
    expression: Expression
    retest: Span
    investigator: bool

    @property
    def silence(self) -> frozenset[Reason]:
        """The reasons that say nobody has said anything; under discretion a question to a person may also stand for a failure."""
        return NOTHING_RECORDED if self.source.discretion else NOTHING_RECORDED | {"needs_human"}

    def counts_for(self, cohort: str) -> bool:
        return self.source.cohorts is None or cohort in self.source.cohorts

    def judged(self, judgement: Judgement) -> Judgement:
        """A failure that the protocol leaves to discretion is a question, not a failure."""
        if not self.source.discretion:
            return judgement
        raised = judgement._replace(
            now=max(judgement.now, UNKNOWN), carried=max(judgement.carried, UNKNOWN), hope=max(judgement.hope, UNKNOWN)
        )
        return raised._replace(reasons=frozenset({"needs_human"})) if judgement.now == NOT_MET else raised

    def judge(self, chart: PatientIndex, day: date) -> Judgement:
        return self.judged(self.expression.judge(chart, day))

    def course(self, chart: PatientIndex) -> Timeline[Reading]:
        course = self.expression.course(chart)
        return (
            course.map(lambda reading: Reading(*(max(state, UNKNOWN) for state in reading)))
            if self.source.discretion
            else course
        )

    def days(self, course: Timeline[Reading]) -> Timeline[Day]:
        """What the criterion alone lets a day be."""
        return course.map(
            lambda reading: Day(
                reading.carried != NOT_MET, reading.now == MET or self.investigator, reading.hope == NOT_MET
            )
        )


@dataclass(frozen=True, slots=True)
class CompiledCohort:
    """The criteria that count for a cohort, and those among them that say whom it is for."""

    counted: tuple[CompiledCriterion, ...]
    indication: tuple[CompiledCriterion, ...]


@dataclass(frozen=True, slots=True)
class CompiledTrial:
    """One version of a trial's criteria, ready to be matched with many patients."""

    document: CriteriaDocument
    criteria: tuple[CompiledCriterion, ...]
    cohorts: dict[str, CompiledCohort]
    lead_time: Span

    def for_everybody(self) -> "CompiledTrial":
        """The same criteria without the rule that lists a trial only for its own patients."""
        return replace(self, cohorts={name: replace(cohort, indication=()) for name, cohort in self.cohorts.items()})


def compile_criteria(document: CriteriaDocument, terminology: Terminology) -> CompiledTrial:
    """Compiles a document once; criteria that do not count in France are left out."""
    lead_time = parse(document.lead_time) if document.lead_time else None
    criteria = tuple(
        _compile_criterion(criterion, terminology, lead_time)
        for criterion in document.criteria
        if criterion.countries is None or COUNTRY in criterion.countries
    )
    cohorts = {}
    for cohort in [cohort.id for cohort in document.cohorts] or ["all"]:
        counted = tuple(criterion for criterion in criteria if criterion.counts_for(cohort))
        cohorts[cohort] = CompiledCohort(
            counted, tuple(criterion for criterion in counted if criterion.source.role == "indication")
        )
    return CompiledTrial(document, criteria, cohorts, lead_time or Span(0, 0))


def match(
    trial: CompiledTrial, chart: PatientIndex, horizon: str = DEFAULT_HORIZON, recruiting: Container[str] | None = None
) -> TrialResult:
    """The trial's verdict for the patient of a chart, told up to ``horizon``.

    ``recruiting`` holds the ids of the cohorts open to recruitment in France, which come first; None makes no difference.
    """
    listings = {name: _listing(cohort, chart) for name, cohort in trial.cohorts.items()}
    listing = min(listings.values(), key=_LISTINGS.index)
    if listing != "listed":
        return TrialResult(trial.document.trial, trial.document.version, listing)
    today = {criterion.source.id: criterion.judge(chart, chart.as_of) for criterion in trial.criteria}
    courses = {criterion.source.id: criterion.course(chart) for criterion in trial.criteria}
    days = {criterion.source.id: criterion.days(courses[criterion.source.id]) for criterion in trial.criteria}
    told_until = add(chart.as_of, parse(horizon))
    cohorts = tuple(_cohort(trial, cohort, today, days, chart, told_until) for cohort in trial.cohorts)

    def preference(cohort: CohortResult) -> tuple[bool, int, date]:
        return recruiting is not None and cohort.id not in recruiting, RANK[cohort.verdict], cohort.start or date.max

    return TrialResult(
        trial.document.trial,
        trial.document.version,
        "listed",
        min((cohort for cohort in cohorts if listings[cohort.id] == "listed"), key=preference),
        cohorts,
        tuple(
            _criterion(criterion, today[criterion.source.id], courses[criterion.source.id], chart)
            for criterion in trial.criteria
        ),
    )


def left_to_the_investigator(criterion: Criterion) -> bool:
    expr = criterion.expr
    return criterion.stage == "consent" or (isinstance(expr, expressions.Human) and expr.role == "investigator")


def _compile_criterion(criterion: Criterion, terminology: Terminology, lead_time: Span | None) -> CompiledCriterion:
    expression = compile_expression(criterion.expr, terminology, lead_time)
    if criterion.kind == "exclude":
        expression = Combination(negation, [expression])
    retest = parse(criterion.retest) if criterion.retest else Span(0, 0)
    return CompiledCriterion(criterion, expression, retest, left_to_the_investigator(criterion))


def _listing(cohort: CompiledCohort, chart: PatientIndex) -> Listing:
    """Whether the cohort is for this patient at all: where nothing is known of its condition, it is only counted."""
    listing: Listing = "listed"
    for criterion in cohort.indication:
        judgement = criterion.judge(chart, chart.as_of)
        if judgement.now == NOT_MET:
            return "not_indicated"
        if judgement.now == UNKNOWN and judgement.reasons <= criterion.silence:
            listing = "undetermined"
    return listing


def _cohort(
    trial: CompiledTrial,
    cohort: str,
    today: Mapping[str, Judgement],
    lets: Mapping[str, Timeline[Day]],
    chart: PatientIndex,
    told_until: date,
) -> CohortResult:
    counted = trial.cohorts[cohort].counted
    best_possible: Verdict = "compatible" if trial.document.grade == "signed" and counted else "possible"
    parts = [lets[criterion.source.id] for criterion in counted]
    chart.spend(4 * sum(len(part.days) for part in parts))
    days = (
        Timeline.tally(parts, _together)
        if parts
        else Timeline((chart.as_of,), (Day(open=True, compatible=True, hopeless=False),))
    )
    verdicts = _verdicts(days, best_possible)
    start = days.first(lambda day: day.open)
    until = None if start is None else days.first(lambda day: not day.open, start)
    verdict = verdicts.at(chart.as_of)
    return CohortResult(
        cohort,
        verdict,
        start,
        until,
        None if until is None else max(chart.as_of, subtract(until, trial.lead_time)),
        _retest(counted, today, days, chart) if verdict == "not_now" else None,
        _told(verdicts, told_until),
        tuple(criterion.source.id for criterion in counted),
    )


def _together(held: Counter[Day]) -> Day:
    days = [day for day, number in held.items() if number]
    return Day(all(day.open for day in days), all(day.compatible for day in days), any(day.hopeless for day in days))


def _verdicts(days: Timeline[Day], best_possible: Verdict) -> Timeline[Verdict]:
    """Each day's verdict, which depends on what comes after it: told from the last day back."""
    verdicts: list[Verdict] = []
    opens = clears = False
    for day in reversed(days.values):
        clears = clears or not day.hopeless
        opens = opens or day.open
        if day.open:
            verdicts.append(best_possible if day.compatible else "possible")
        else:
            verdicts.append("not_yet" if opens else "not_now" if clears else "excluded")
    return Timeline.of(zip(days.days, reversed(verdicts), strict=True))


def _told(verdicts: Timeline[Verdict], told_until: date) -> tuple[Interval, ...]:
    ends: tuple[date | None, ...] = (*verdicts.days[1:], None)
    return tuple(
        Interval(day, end, verdict) for (day, verdict), end in zip(verdicts, ends, strict=True) if day <= told_until
    )


def _retest(
    counted: Sequence[CompiledCriterion], today: Mapping[str, Judgement], days: Timeline[Day], chart: PatientIndex
) -> date | None:
    """The first day without hopeless criteria that leaves each failing measurement the time its criterion asks for."""
    earliest = chart.as_of
    for criterion in counted:
        failing = today[criterion.source.id]
        if failing.carried == NOT_MET:
            measured = chart.once(("measured", failing.evidence), partial(_last_day, failing.evidence, chart))
            earliest = earliest if measured is None else max(earliest, add(measured, criterion.retest))
    return days.first(lambda day: not day.hopeless, earliest)


def _last_day(evidence: Iterable[str], chart: PatientIndex) -> date | None:
    return max(
        (fact.day for identifier in evidence if (fact := chart.by_id.get(identifier)) and fact.day is not None),
        default=None,
    )


def _criterion(
    criterion: CompiledCriterion, judgement: Judgement, course: Timeline[Reading], chart: PatientIndex
) -> CriterionResult:
    chart.spend(len(judgement.evidence))
    clears_on = course.first(lambda later: later.carried != NOT_MET) if judgement.now == NOT_MET else None
    return CriterionResult(
        criterion.source.id,
        criterion.source.kind,
        judgement.now.code,
        tuple(sorted(judgement.reasons)),
        chart.once(("sorted", judgement.evidence), lambda: tuple(sorted(judgement.evidence))),
        clears_on,
        criterion.investigator,
    )
