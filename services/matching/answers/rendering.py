"""From results of the engine to the JSON of an answer. Pure.

The answers are built as plain dictionaries, which is several times faster than models; `schemas` describes them, and
tests compare every answer of the examples with it.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import pydantic_core

from services.matching.answers.details import Sentences, asked_by, question_details
from services.matching.answers.questions import wanted_facts
from services.matching.answers.wording import question_text, text_of
from services.matching.engine import (
    CohortResult,
    CompiledTrial,
    CriterionResult,
    Interval,
    PatientIndex,
    TrialResult,
    ask_next,
)
from services.matching.snapshots.model import Vocabulary

# Increase it with every change of the engine, the ranking or the wording that changes an answer.
ENGINE_VERSION = "5"
MAX_QUESTIONS = 20
_SATISFIED = {"met": True, "not_met": False, "unknown": None}
_REASONS = ("missing", "stale", "unit", "no_reference_range", "partial_detail", "conflict", "needs_human")


def to_json(document: dict[str, Any]) -> bytes:
    """Write compact JSON; dates as YYYY-MM-DD."""
    return pydantic_core.to_json(document)  # `json` takes six times as long


def verdict_fields(result: TrialResult, best: CohortResult, trial: CompiledTrial) -> dict[str, Any]:
    """Return the verdict of the deciding cohort, the dates of the trial, and which criteria gave them."""
    return {
        "verdict": best.verdict,
        "from": result.dates.start,
        "until": result.dates.until,
        "refer_before": result.dates.refer_before,
        "retest": best.retest,
        "cohort": best.id if trial.document.cohorts else None,
        "grade": trial.document.grade,
        "criteria_illustrative": trial.document.illustrative,
        "criteria_outdated": trial.outdated,
        "criteria_version": trial.document.version,
    }


def criterion_answers(
    trial: CompiledTrial,
    result: TrialResult,
    counted: Sequence[str],
    patient: PatientIndex,
    vocabulary: Vocabulary,
    sentences: Sentences,
) -> list[dict[str, Any]]:
    """Return the criteria whose ids are in ``counted`` (`schemas.CriterionAnswer`)."""
    criteria = {criterion.source.id: criterion for criterion in trial.criteria}
    return [
        {
            "id": one.id,
            "kind": one.kind,
            "role": criteria[one.id].source.role,
            "stage": criteria[one.id].source.stage,
            "state": one.state,
            "satisfied": _SATISFIED[one.state],
            "reason": _main_reason(one),
            "text": text_of(criteria[one.id].source),
            "asks": asked_by(criteria[one.id], vocabulary, sentences)._asdict(),
            "details": question_details(criteria[one.id], patient, vocabulary, sentences),
            "evidence": list(one.evidence),
            "clears_on": one.clears_on,
            "left_to_investigator": one.investigator,
        }
        for one in result.criteria
        if one.id in counted
    ]


def reasons_of_end(
    trial: CompiledTrial, ended_by: Sequence[str], vocabulary: Vocabulary, sentences: Sentences
) -> list[dict[str, Any]]:
    """Return the criteria that end an open interval (`evaluations.schemas.EndingCriterion`)."""
    return [
        {
            "criterion": one.source.id,
            "text": text_of(one.source),
            "asks": asked_by(one, vocabulary, sentences)._asdict(),
        }
        for one in trial.criteria
        if one.source.id in ended_by
    ]


def cohort_dates(cohort: CohortResult) -> dict[str, Any]:
    """Return the verdict of one cohort and its own dates (`schemas.CohortDates`)."""
    return {
        "verdict": cohort.verdict,
        "from": cohort.start,
        "until": cohort.until,
        "refer_before": cohort.refer_before,
        "retest": cohort.retest,
        "timeline": timeline_answer(cohort.timeline),
    }


def timeline_answer(timeline: Iterable[Interval]) -> list[dict[str, Any]]:
    """Return intervals with their verdict (`schemas.IntervalAnswer`)."""
    return [{"from": one.start, "until": one.until, "verdict": one.verdict} for one in timeline]


def question_answers(
    matches: Iterable[tuple[CompiledTrial, TrialResult]], patient: PatientIndex, vocabulary: Vocabulary
) -> list[dict[str, Any]]:
    """Return the best questions to ask next (`schemas.QuestionAnswer`), at most `MAX_QUESTIONS`."""
    return [
        {
            "code": one.code,
            "text": question_text(one, vocabulary),
            "who": one.who,
            "cost": one.cost,
            "trials": len(one.trials),
            "facts": wanted_facts(one.leaves, has_lead_time=one.has_lead_time, words=one.words),
        }
        for one in ask_next(matches, patient, MAX_QUESTIONS)
    ]


def _main_reason(criterion: CriterionResult) -> str | None:
    """Return the first reason of an unknown, in the order of the reference: missing data before human judgement."""
    if criterion.state != "unknown":
        return None
    return next((reason for reason in _REASONS if reason in criterion.reasons), None)
