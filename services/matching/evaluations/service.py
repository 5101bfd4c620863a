"""One patient against every published trial of a snapshot: pure computation, from values to values."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.matching.engine import (
    DEFAULT_HORIZON,
    CohortResult,
    CompiledTrial,
    CriterionResult,
    PatientIndex,
    TrialResult,
    ask_next,
    match,
)
from services.matching.engine.result import RANK
from services.matching.evaluations.sites import sites_of
from services.matching.evaluations.wording import PRE_SCREENING, question_of, text_of, title_of
from services.matching.patients.mapping import BirthAfterAsOfError, to_engine
from services.matching.patients.reading import ReadPatient
from services.matching.patients.schemas import Patient
from services.matching.snapshots.model import HeldTrial, Snapshot, Vocabulary
from shared.values.problems import Fault, InvalidBodyError
from shared.values.wire import Label

# Changes with whatever changes an answer: the engine, the ranking, the words.
ENGINE_VERSION = "1"
QUESTIONS = 20
_REASONS = ("missing", "stale", "unit", "no_reference_range", "partial_detail", "conflict", "needs_human")


@dataclass(frozen=True, slots=True)
class Options:
    """How to ask: ``today`` stands in for a patient's ``as_of``."""

    today: date
    horizon: str = DEFAULT_HORIZON
    dosing_date: date | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """A patient ready to be matched."""

    patient: Patient
    as_of: date
    chart: PatientIndex
    ignored: list[dict[str, str]]


def open_chart(read: ReadPatient, vocabulary: Vocabulary, options: Options, pointer: str = "") -> Asked:
    """:raises InvalidBodyError: 422, a patient who is not born on the day of the match."""
    patient = read.patient
    as_of = patient.as_of or options.today
    try:
        mapped = to_engine(patient, as_of)
    except BirthAfterAsOfError:
        detail = Label(
            fr="la naissance est après le jour de l'évaluation", en="the birth is after the day of evaluation"
        )
        raise InvalidBodyError(
            errors=[Fault(pointer=f"{pointer}/birth_date", code="birth_after_as_of", detail=detail)]
        ) from None
    in_error = {fact.id for fact in patient.facts if fact.status == "entered_in_error"}
    ignored = [
        {"id": name, "reason": "entered_in_error" if name in in_error else "after_as_of"} for name in mapped.ignored
    ]
    ignored += [{"id": part.pointer, "reason": part.reason} for part in read.ignored]
    return Asked(patient, as_of, PatientIndex(mapped.patient, vocabulary.engine, as_of, options.dosing_date), ignored)


def answer(snapshot: Snapshot, read: ReadPatient, options: Options) -> bytes:
    """The whole answer as JSON (`schemas.MatchAnswer`)."""
    asked = open_chart(read, snapshot.vocabulary, options)
    counts = {"undetermined": 0, "not_indicated": 0}
    listed: list[tuple[HeldTrial, CompiledTrial, TrialResult, CohortResult]] = []
    for _, held in sorted(snapshot.trials.items()):
        if held.compiled is None:
            counts["undetermined"] += 1
            continue
        result = match(held.compiled, asked.chart, options.horizon, held.recruiting)
        if result.best is None:
            counts[result.listing] += 1
        else:
            listed.append((held, held.compiled, result, result.best))
    listed.sort(key=lambda one: _rank(one[0], one[3]))
    results = [
        _trial(snapshot, asked, held, trial, result, best) for held, trial, result, best in listed[: options.limit]
    ]
    return write(
        {
            "as_of": asked.as_of,
            "snapshot": snapshot.id,
            "engine_version": ENGINE_VERSION,
            "terminology_version": snapshot.vocabulary.version,
            "pre_screening": PRE_SCREENING,
            "results": results,
            **counts,
            "ask_next": questions(
                [(trial, result) for _, trial, result, _ in listed], asked.chart, snapshot.vocabulary
            ),
            "ignored_facts": asked.ignored,
        }
    )


def write(document: dict[str, Any]) -> bytes:
    """Compact JSON; days are written YYYY-MM-DD."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=date.isoformat).encode()


def questions(
    matches: Iterable[tuple[CompiledTrial, TrialResult]], chart: PatientIndex, vocabulary: Vocabulary
) -> list[dict[str, Any]]:
    """What to ask next, best first."""
    return [
        {
            "code": one.code,
            "text": question_of(one, vocabulary),
            "who": one.who,
            "cost": one.cost,
            "trials": len(one.trials),
        }
        for one in ask_next(matches, chart)[:QUESTIONS]
    ]


def course(best: CohortResult, trial: CompiledTrial) -> dict[str, Any]:
    """The verdict of a cohort and its days."""
    return {
        "verdict": best.verdict,
        "from": best.start,
        "until": best.until,
        "refer_before": best.refer_before,
        "retest": best.retest,
        "cohort": best.id if trial.document.cohorts else None,
        "grade": trial.document.grade,
        "criteria_version": trial.document.version,
    }


def criteria(trial: CompiledTrial, result: TrialResult, counted: Sequence[str]) -> list[dict[str, Any]]:
    """The criteria that count for a cohort, in the order of the document."""
    sources = {one.source.id: one.source for one in trial.criteria}
    return [
        {
            "id": one.id,
            "kind": one.kind,
            "role": sources[one.id].role,
            "stage": sources[one.id].stage,
            "state": one.state,
            "reason": _reason(one),
            "text": text_of(sources[one.id]),
            "evidence": list(one.evidence),
            "clears_on": one.clears_on,
            "left_to_investigator": one.investigator,
        }
        for one in result.criteria
        if one.id in counted
    ]


def timeline(best: CohortResult) -> list[dict[str, Any]]:
    return [{"from": one.start, "until": one.until, "verdict": one.verdict} for one in best.timeline]


def _rank(held: HeldTrial, best: CohortResult) -> tuple[bool, bool, int, date, str]:
    """Trials that recruit in France first, then by verdict, then the sooner; whoever is excluded for good comes last."""
    return (
        best.verdict == "excluded",
        best.id not in held.recruiting,
        RANK[best.verdict],
        best.start or date.max,
        held.record.trial.id,
    )


def _trial(
    snapshot: Snapshot,
    asked: Asked,
    held: HeldTrial,
    trial: CompiledTrial,
    result: TrialResult,
    best: CohortResult,
) -> dict[str, Any]:
    known = held.record.trial
    labels = {cohort.id: {"fr": cohort.label.fr, "en": cohort.label.en} for cohort in trial.document.cohorts}
    return {
        "trial": known.id,
        "title": title_of(known),
        "acronym": known.acronym,
        "recruitment": "open" if best.id in held.recruiting else "closed",
        "recruitment_status": known.status,
        **course(best, trial),
        "illustrative": known.illustrative,
        "criteria": criteria(trial, result, best.criteria),
        "timeline": timeline(best),
        "cohorts": [
            {
                "id": one.id,
                "label": labels[one.id],
                "verdict": one.verdict,
                "recruitment": "open" if one.id in held.recruiting else "closed",
            }
            for one in result.cohorts
            if one.id in labels
        ],
        "sites": sites_of(held, snapshot.centres, best.id, asked.patient.place, asked.as_of),
    }


def _reason(criterion: CriterionResult) -> str | None:
    """The first reason of an unknown, in the order of the reference: what is missing before what must be judged."""
    if criterion.state != "unknown":
        return None
    return next((reason for reason in _REASONS if reason in criterion.reasons), None)
