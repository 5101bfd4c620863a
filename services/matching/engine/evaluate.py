"""From a criteria document and a patient to a verdict for every day (`docs/eligibility.md` §6)."""

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

from services.matching.engine.cohorts import (
    CohortDays,
    CountedCriterion,
    DayStatus,
    excluded_cohort,
    is_open,
    trial_dates,
)
from services.matching.engine.expression import Combination, Expression, compile_expression
from services.matching.engine.indication import IndicationCodes
from services.matching.engine.kleene import MET, NOT_MET, UNKNOWN, Evaluation, Reason, TruthValues, negation, unknown
from services.matching.engine.patient_index import PatientIndex
from services.matching.engine.result import RANK, CohortResult, CriterionResult, Listing, TrialResult
from services.matching.engine.terminology import Terminology
from services.matching.engine.timeline import Timeline
from shared.criteria import expressions
from shared.criteria.durations import Span, add, parse
from shared.criteria.model import CriteriaDocument, Criterion, leaves

DEFAULT_HORIZON = "P2Y"
# Work units of a criterion, whatever the facts.
_CRITERION = 25
_NO_DATA: frozenset[Reason] = frozenset({"missing"})
_LISTINGS: tuple[Listing, ...] = ("listed", "undetermined", "not_indicated")


@dataclass(frozen=True, slots=True)
class CompiledCriterion:
    """A criterion ready to be evaluated. The expression of an exclusion is already negated.

    ``at_dosing``: whether a part of it refers to the day of dosing.
    """

    source: Criterion
    expression: Expression
    retest: Span
    investigator: bool
    at_dosing: bool
    unanswered: CriterionResult | None
    """Its result where it is a question to a person that the patient's record does not answer."""

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
            return unknown("needs_human", evaluation.evidence)
        if not self.source.discretion:
            return evaluation
        raised = evaluation._replace(
            now=max(evaluation.now, UNKNOWN),
            last_known=max(evaluation.last_known, UNKNOWN),
            best_case=max(evaluation.best_case, UNKNOWN),
        )
        if evaluation.now != NOT_MET:
            return raised
        return raised._replace(reasons=frozenset({"needs_human"}), reasons_on_record=None)

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

    def outcome(self, patient: PatientIndex) -> "Outcome":
        """Evaluate the criterion for every day."""
        if self.unanswered is None or self._is_answered(patient):
            return self._outcome(patient)
        # Most criteria of a trial are such questions. They differ in nothing but the result.
        counted = patient.cached(("unanswered", self.investigator), lambda: self._outcome(patient).counted)
        return Outcome(counted, self.unanswered)

    def unknown_leaves(self, patient: PatientIndex, day: date) -> Iterable[expressions.Leaf]:
        """Return the unknown leaves that may decide it."""
        if isinstance(self.source.expr, expressions.Human) and not self._is_answered(patient):
            return (self.source.expr,)
        return self.expression.unknown_leaves(patient, day)

    def _is_answered(self, patient: PatientIndex) -> bool:
        return isinstance(self.source.expr, expressions.Human) and self.source.expr.question in patient.by_question

    def _outcome(self, patient: PatientIndex) -> "Outcome":
        today, timeline = self.evaluate(patient, patient.as_of), self.evaluate_over_time(patient)
        statuses = timeline.map(
            lambda values: DayStatus(
                values.last_known != NOT_MET, values.now == MET or self.investigator, values.best_case == NOT_MET
            )
        )
        return Outcome(
            CountedCriterion(statuses, today, self.retest, self.at_dosing), _criterion(self, today, timeline, patient)
        )


class Outcome(NamedTuple):
    """A criterion for one patient: what it means for the cohorts that it counts for, and what is said of it."""

    counted: CountedCriterion
    result: CriterionResult


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
    indication_key: str = ""
    """Equal for trials that `listing` lists for the same patients."""
    indication_codes: IndicationCodes | None = None
    """None where the indication of a cohort asks for more than conditions, or for nothing."""

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
    key = _indication_key(cohorts.values(), lead_time)
    codes = _indication_codes(cohorts.values(), terminology)
    return CompiledTrial(document, criteria, cohorts, lead_time or Span(0, 0), outdated, key, codes)


def _indication_codes(cohorts: Collection[CompiledCohort], terminology: Terminology) -> IndicationCodes | None:
    if not all(cohort.indication for cohort in cohorts):
        return None
    return IndicationCodes.of((one.source for cohort in cohorts for one in cohort.indication), terminology)


def _indication_key(cohorts: Iterable[CompiledCohort], lead_time: Span | None) -> str:
    indications = [[criterion.source for criterion in cohort.indication] for cohort in cohorts]
    asked = sorted(
        {
            " ".join(f"{one.kind} {one.discretion} {one.expr.model_dump_json()}" for one in criteria)
            for criteria in indications
        }
    )
    return f"{lead_time} {asked}"


def listing(trial: CompiledTrial, patient: PatientIndex) -> Listing:
    """Return whether the trial is listed for the patient, by its indication alone."""
    if trial.indication_codes is not None and trial.indication_codes.is_unmentioned(patient):
        return "undetermined"
    return min((_listing(cohort, patient) for cohort in trial.cohorts.values()), key=_LISTINGS.index)


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
    best = min(listings.values(), key=_LISTINGS.index)
    if best != "listed":
        return TrialResult(trial.document.trial, trial.document.version, best)
    patient.count_work(_CRITERION * len(trial.criteria))
    outcomes = {criterion.source.id: criterion.outcome(patient) for criterion in trial.criteria}
    confirmed = trial.document.grade == "signed" and not trial.outdated
    evaluated = [
        (
            name,
            excluded_cohort(patient)
            if patient.deceased
            else CohortDays.of(
                [outcomes[one.source.id].counted for one in cohort.counted],
                patient,
                trial.lead_time,
                "compatible" if confirmed and cohort.counted else "possible",
            ),
        )
        for name, cohort in trial.cohorts.items()
    ]
    horizon_end = add(patient.as_of, parse(horizon))
    cohorts = {
        name: days.result(name, tuple(one.source.id for one in trial.cohorts[name].counted), horizon_end)
        for name, days in evaluated
    }
    listed = [(name, days) for name, days in evaluated if listings[name] == "listed"]
    in_view = [(name, days) for name, days in listed if recruiting is not None and name in recruiting] or listed
    dates = trial_dates([days for _, days in in_view], horizon_end)

    def preference(cohort: CohortResult) -> tuple[bool, int, date]:
        return recruiting is not None and cohort.id not in recruiting, RANK[cohort.verdict], cohort.start or date.max

    return TrialResult(
        trial.document.trial,
        trial.document.version,
        "listed",
        min((cohorts[name] for name, _ in listed), key=preference),
        tuple(cohorts.values()),
        tuple(outcome.result for outcome in outcomes.values()),
        dates._replace(
            ended_by=_ended_by(dates.until, [(trial.cohorts[name], days) for name, days in in_view], outcomes)
        ),
    )


def _ended_by(
    until: date | None, cohorts: Iterable[tuple[CompiledCohort, CohortDays]], outcomes: Mapping[str, "Outcome"]
) -> tuple[str, ...]:
    """Return the ids of the criteria that end an open interval: those of its last cohorts that fail from then on."""
    if until is None:
        return ()
    last = until - timedelta(days=1)
    counted = (one.source.id for cohort, days in cohorts if is_open(days.verdicts.at(last)) for one in cohort.counted)
    return tuple(name for name in dict.fromkeys(counted) if not outcomes[name].counted.statuses.at(until).open)


def left_to_the_investigator(criterion: Criterion) -> bool:
    """Return whether an unknown of this criterion does not keep a cohort from being compatible."""
    expr = criterion.expr
    return criterion.stage == "consent" or (isinstance(expr, expressions.Human) and expr.role == "investigator")


def _compile_criterion(criterion: Criterion, terminology: Terminology, lead_time: Span | None) -> CompiledCriterion:
    expression = compile_expression(criterion.expr, terminology, lead_time)
    if criterion.kind == "exclude":
        expression = Combination(negation, [expression])
    retest = parse(criterion.retest) if criterion.retest else Span(0, 0)
    at_dosing = any(isinstance(leaf, expressions.Age) and leaf.at == "dosing" for _, leaf in leaves(criterion.expr))
    investigator = left_to_the_investigator(criterion)
    unanswered = (
        CriterionResult(criterion.id, criterion.kind, UNKNOWN.code, ("needs_human",), (), None, investigator)
        if isinstance(criterion.expr, expressions.Human)
        else None
    )
    return CompiledCriterion(criterion, expression, retest, investigator, at_dosing, unanswered)


def _listing(cohort: CompiledCohort, patient: PatientIndex) -> Listing:
    """Return whether the cohort is meant for this patient; ``undetermined`` where nothing is known of the condition."""
    listing: Listing = "listed"
    for criterion in cohort.indication:
        evaluation = criterion.evaluate(patient, patient.as_of)
        if evaluation.now == NOT_MET:
            return "not_indicated"
        if evaluation.now == UNKNOWN and evaluation.recorded <= criterion.no_data_reasons:
            listing = "undetermined"
    return listing


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
