"""From a criteria document and a patient to a verdict for every day (`docs/eligibility.md` §6)."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import NamedTuple

from services.matching.engine.expression import Combination, Expression, compile_expression
from services.matching.engine.kleene import MET, NOT_MET, UNKNOWN, Evaluation, Reason, TruthValues, negation
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.result import RANK, CohortResult, CriterionResult, Interval, Listing, TrialResult, Verdict
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from shared.criteria import expressions
from shared.criteria.durations import Span, add, parse, subtract
from shared.criteria.model import CriteriaDocument, Criterion

DEFAULT_HORIZON = "P2Y"
_NO_DATA: frozenset[Reason] = frozenset({"missing"})
_LISTINGS: tuple[Listing, ...] = ("listed", "undetermined", "not_indicated")


class DayStatus(NamedTuple):
    """What decides the verdict of a cohort on one day: its own criteria, or one criterion alone."""

    open: bool
    compatible: bool
    best_case_fails: bool


@dataclass(frozen=True, slots=True)
class CompiledCriterion:
    """A criterion ready to be evaluated. The expression of an exclusion is already negated."""

    source: Criterion
    expression: Expression
    retest: Span
    investigator: bool

    @property
    def no_data_reasons(self) -> frozenset[Reason]:
        """The reasons which mean that nothing is recorded. Under discretion ``needs_human`` may also mean a failure."""
        return _NO_DATA if self.source.discretion else _NO_DATA | {"needs_human"}

    def counts_for(self, cohort: str) -> bool:
        return self.source.cohorts is None or cohort in self.source.cohorts

    def as_stated(self, evaluation: Evaluation) -> Evaluation:
        """Apply what the document says of the criterion to the state of its expression.

        A failure that the protocol leaves to discretion is unknown with the reason ``needs_human``; so is everything
        where the source does not say whether the criterion includes or excludes.
        """
        if self.source.kind == "unclear":
            return evaluation._replace(
                now=UNKNOWN, last_known=UNKNOWN, best_case=UNKNOWN, reasons=frozenset({"needs_human"})
            )
        if not self.source.discretion:
            return evaluation
        raised = evaluation._replace(
            now=max(evaluation.now, UNKNOWN),
            last_known=max(evaluation.last_known, UNKNOWN),
            best_case=max(evaluation.best_case, UNKNOWN),
        )
        return raised._replace(reasons=frozenset({"needs_human"})) if evaluation.now == NOT_MET else raised

    def evaluate(self, patient: PatientIndex, day: date) -> Evaluation:
        return self.as_stated(self.expression.evaluate(patient, day))

    def evaluate_over_time(self, patient: PatientIndex) -> Timeline[TruthValues]:
        if self.source.kind == "unclear":
            return Timeline((patient.as_of,), (TruthValues(UNKNOWN, UNKNOWN, UNKNOWN),))
        timeline = self.expression.evaluate_over_time(patient)
        return (
            timeline.map(lambda values: TruthValues(*(max(state, UNKNOWN) for state in values)))
            if self.source.discretion
            else timeline
        )

    def statuses(self, timeline: Timeline[TruthValues]) -> Timeline[DayStatus]:
        """Return the status of each day as far as this criterion decides it."""
        return timeline.map(
            lambda values: DayStatus(
                values.last_known != NOT_MET, values.now == MET or self.investigator, values.best_case == NOT_MET
            )
        )


@dataclass(frozen=True, slots=True)
class CompiledCohort:
    """The criteria that count for a cohort; ``indication``: those among them with the role ``indication``."""

    counted: tuple[CompiledCriterion, ...]
    indication: tuple[CompiledCriterion, ...]


@dataclass(frozen=True, slots=True)
class CompiledTrial:
    """One version of the criteria of a trial, ready to be matched with many patients.

    ``outdated``: the source's text has changed since they were signed, so they are never more than ``possible``.
    """

    document: CriteriaDocument
    criteria: tuple[CompiledCriterion, ...]
    cohorts: dict[str, CompiledCohort]
    lead_time: Span
    outdated: bool = False

    def without_indication(self) -> "CompiledTrial":
        """Return the same criteria, listed for every patient whatever the condition."""
        return replace(self, cohorts={name: replace(cohort, indication=()) for name, cohort in self.cohorts.items()})


def compile_criteria(
    document: CriteriaDocument, terminology: Terminology, country: str, *, outdated: bool = False
) -> CompiledTrial:
    """Compile a document for one country (ISO 3166-1 alpha-2); leave out criteria for other countries.

    ``outdated``: the source's text has changed since they were signed.
    """
    lead_time = parse(document.lead_time) if document.lead_time else None
    criteria = tuple(
        _compile_criterion(criterion, terminology, lead_time)
        for criterion in document.criteria
        if criterion.countries is None or country in criterion.countries
    )
    cohorts = {}
    for cohort in [cohort.id for cohort in document.cohorts] or ["all"]:
        counted = tuple(criterion for criterion in criteria if criterion.counts_for(cohort))
        cohorts[cohort] = CompiledCohort(
            counted, tuple(criterion for criterion in counted if criterion.source.role == "indication")
        )
    return CompiledTrial(document, criteria, cohorts, lead_time or Span(0, 0), outdated)


def match(
    trial: CompiledTrial,
    patient: PatientIndex,
    horizon: str = DEFAULT_HORIZON,
    recruiting: Container[str] | None = None,
) -> TrialResult:
    """Match one trial with one patient. Intervals of the timeline that begin after ``horizon`` are left out.

    ``recruiting``: the ids of the cohorts that recruit, which are preferred; None for no preference.
    """
    listings = {name: _listing(cohort, patient) for name, cohort in trial.cohorts.items()}
    listing = min(listings.values(), key=_LISTINGS.index)
    if listing != "listed":
        return TrialResult(trial.document.trial, trial.document.version, listing)
    today = {criterion.source.id: criterion.evaluate(patient, patient.as_of) for criterion in trial.criteria}
    timelines = {criterion.source.id: criterion.evaluate_over_time(patient) for criterion in trial.criteria}
    statuses = {criterion.source.id: criterion.statuses(timelines[criterion.source.id]) for criterion in trial.criteria}
    horizon_end = add(patient.as_of, parse(horizon))
    cohorts = tuple(_cohort(trial, cohort, today, statuses, patient, horizon_end) for cohort in trial.cohorts)

    def preference(cohort: CohortResult) -> tuple[bool, int, date]:
        return recruiting is not None and cohort.id not in recruiting, RANK[cohort.verdict], cohort.start or date.max

    return TrialResult(
        trial.document.trial,
        trial.document.version,
        "listed",
        min((cohort for cohort in cohorts if listings[cohort.id] == "listed"), key=preference),
        cohorts,
        tuple(
            _criterion(criterion, today[criterion.source.id], timelines[criterion.source.id], patient)
            for criterion in trial.criteria
        ),
    )


def left_to_the_investigator(criterion: Criterion) -> bool:
    """Return whether an unknown of this criterion does not keep a cohort from being compatible."""
    expr = criterion.expr
    return criterion.stage == "consent" or (isinstance(expr, expressions.Human) and expr.role == "investigator")


def _compile_criterion(criterion: Criterion, terminology: Terminology, lead_time: Span | None) -> CompiledCriterion:
    expression = compile_expression(criterion.expr, terminology, lead_time)
    if criterion.kind == "exclude":
        expression = Combination(negation, [expression])
    retest = parse(criterion.retest) if criterion.retest else Span(0, 0)
    return CompiledCriterion(criterion, expression, retest, left_to_the_investigator(criterion))


def _listing(cohort: CompiledCohort, patient: PatientIndex) -> Listing:
    """Return whether the cohort is meant for this patient; ``undetermined`` where nothing is known of the condition."""
    listing: Listing = "listed"
    for criterion in cohort.indication:
        evaluation = criterion.evaluate(patient, patient.as_of)
        if evaluation.now == NOT_MET:
            return "not_indicated"
        if evaluation.now == UNKNOWN and evaluation.reasons <= criterion.no_data_reasons:
            listing = "undetermined"
    return listing


def _cohort(
    trial: CompiledTrial,
    cohort: str,
    today: Mapping[str, Evaluation],
    statuses: Mapping[str, Timeline[DayStatus]],
    patient: PatientIndex,
    horizon_end: date,
) -> CohortResult:
    counted = trial.cohorts[cohort].counted
    confirmed = trial.document.grade == "signed" and not trial.outdated
    best_possible: Verdict = "compatible" if confirmed and counted else "possible"
    parts = [statuses[criterion.source.id] for criterion in counted]
    patient.count_work(4 * sum(len(part.days) for part in parts))
    days = (
        Timeline.combine_counts(parts, _combined_status)
        if parts
        else Timeline((patient.as_of,), (DayStatus(open=True, compatible=True, best_case_fails=False),))
    )
    verdicts = _verdicts(days, best_possible)
    start = days.first(lambda day: day.open)
    until = None if start is None else days.first(lambda day: not day.open, start)
    verdict = verdicts.at(patient.as_of)
    return CohortResult(
        cohort,
        verdict,
        start,
        until,
        None if until is None else max(patient.as_of, subtract(until, trial.lead_time)),
        _retest(counted, today, days, patient) if verdict == "not_now" else None,
        _intervals(verdicts, horizon_end),
        tuple(criterion.source.id for criterion in counted),
    )


def _combined_status(counts: Counter[DayStatus]) -> DayStatus:
    days = [day for day, number in counts.items() if number]
    return DayStatus(
        all(day.open for day in days), all(day.compatible for day in days), any(day.best_case_fails for day in days)
    )


def _verdicts(days: Timeline[DayStatus], best_possible: Verdict) -> Timeline[Verdict]:
    """Return the verdict of each day. It depends on the later days, so they are read from the last one back."""
    verdicts: list[Verdict] = []
    opens = clears = False
    for day in reversed(days.values):
        clears = clears or not day.best_case_fails
        opens = opens or day.open
        if day.open:
            verdicts.append(best_possible if day.compatible else "possible")
        else:
            verdicts.append("not_yet" if opens else "not_now" if clears else "excluded")
    return Timeline.of(zip(days.days, reversed(verdicts), strict=True))


def _intervals(verdicts: Timeline[Verdict], horizon_end: date) -> tuple[Interval, ...]:
    ends: tuple[date | None, ...] = (*verdicts.days[1:], None)
    return tuple(
        Interval(day, end, verdict) for (day, verdict), end in zip(verdicts, ends, strict=True) if day <= horizon_end
    )


def _retest(
    counted: Sequence[CompiledCriterion],
    today: Mapping[str, Evaluation],
    days: Timeline[DayStatus],
    patient: PatientIndex,
) -> date | None:
    """Return the first day on which no criterion fails in the best case and failing measurements may be repeated."""
    earliest = patient.as_of
    for criterion in counted:
        failing = today[criterion.source.id]
        if failing.last_known == NOT_MET:
            measured = patient.cached(("measured", failing.evidence), partial(_last_day, failing.evidence, patient))
            earliest = earliest if measured is None else max(earliest, add(measured, criterion.retest))
    return days.first(lambda day: not day.best_case_fails, earliest)


def _last_day(evidence: Iterable[str], patient: PatientIndex) -> date | None:
    return max(
        (fact.day for identifier in evidence if (fact := patient.by_id.get(identifier)) and fact.day is not None),
        default=None,
    )


def _criterion(
    criterion: CompiledCriterion, evaluation: Evaluation, timeline: Timeline[TruthValues], patient: PatientIndex
) -> CriterionResult:
    patient.count_work(len(evaluation.evidence))
    clears_on = timeline.first(lambda later: later.last_known != NOT_MET) if evaluation.now == NOT_MET else None
    return CriterionResult(
        criterion.source.id,
        criterion.source.kind,
        evaluation.now.code,
        tuple(sorted(evaluation.reasons)),
        patient.cached(("sorted", evaluation.evidence), lambda: tuple(sorted(evaluation.evidence))),
        clears_on,
        criterion.investigator,
    )
