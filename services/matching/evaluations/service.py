"""Match one patient with every published trial of a snapshot. Pure."""

from datetime import date
from typing import Any, NamedTuple

from services.matching.answers.rendering import (
    ENGINE_VERSION,
    cohort_dates,
    criterion_answers,
    question_answers,
    timeline_answer,
    to_json,
    verdict_fields,
)
from services.matching.answers.wording import PRE_SCREENING, title_of
from services.matching.engine import CohortResult, CompiledTrial, TrialResult, match
from services.matching.engine.result import RANK
from services.matching.evaluations.paging import cursor_of, start_of
from services.matching.evaluations.sites import site_answers
from services.matching.patients.index import IndexedPatient
from services.matching.snapshots.model import Snapshot, SnapshotTrial


class ListedTrial(NamedTuple):
    """A trial for the condition of the patient, and its result; ``best``: the cohort that decides the verdict."""

    trial: SnapshotTrial
    compiled: CompiledTrial
    result: TrialResult
    best: CohortResult


def match_patient(
    snapshot: Snapshot, patient: IndexedPatient, horizon: str, limit: int, cursor: str | None = None
) -> bytes:
    """Return one page of the answer as JSON (`schemas.MatchAnswer`). ``horizon``: ISO duration of the timeline.

    :raises InvalidCursorError: 400, the text is not a cursor.
    :raises OutdatedCursorError: 410, the cursor was given for another snapshot.
    """
    start = start_of(cursor, snapshot.id)
    counts = {"undetermined": 0, "not_indicated": 0}
    listed: list[ListedTrial] = []
    for _, trial in sorted(snapshot.trials.items()):
        if trial.compiled is None:
            counts["undetermined"] += 1
            continue
        result = match(trial.compiled, patient.index, horizon, trial.recruiting)
        if result.best is None:
            counts[result.listing] += 1
        else:
            listed.append(ListedTrial(trial, trial.compiled, result, result.best))
    listed.sort(key=_rank)
    end = start + limit
    matches = [(one.compiled, one.result) for one in listed]
    return to_json(
        {
            "as_of": patient.as_of,
            "country": snapshot.country,
            "snapshot": snapshot.id,
            "engine_version": ENGINE_VERSION,
            "terminology_version": snapshot.vocabulary.version,
            "pre_screening": PRE_SCREENING,
            "results": [_trial_answer(snapshot, patient, one) for one in listed[start:end]],
            "total": len(listed),
            "next": cursor_of(snapshot.id, end) if end < len(listed) else None,
            **counts,
            "ask_next": question_answers(matches, patient.index, snapshot.vocabulary),
            "ignored_facts": patient.ignored,
        }
    )


def _rank(listed: ListedTrial) -> tuple[bool, bool, int, date, str]:
    """Sort excluded trials last, then recruiting ones first, then by verdict, earlier ``from`` and id."""
    trial, best = listed.trial, listed.best
    return (
        best.verdict == "excluded",
        best.id not in trial.recruiting,
        RANK[best.verdict],
        listed.result.dates.start or date.max,
        trial.record.trial.id,
    )


def _trial_answer(snapshot: Snapshot, patient: IndexedPatient, listed: ListedTrial) -> dict[str, Any]:
    trial, compiled, result, best = listed
    known = trial.record.trial
    labels = {cohort.id: {"fr": cohort.label.fr, "en": cohort.label.en} for cohort in compiled.document.cohorts}
    verdict = verdict_fields(result, best, compiled)
    recruitment = trial.recruitment[best.id]
    if recruitment == "closed":
        verdict["refer_before"] = None
    return {
        "trial": known.id,
        "title": title_of(known),
        "acronym": known.acronym,
        "recruitment": recruitment,
        "recruitment_status": known.status,
        **verdict,
        "illustrative": known.illustrative,
        "criteria": criterion_answers(compiled, result, best.criteria),
        "timeline": timeline_answer(result.dates.timeline),
        "cohorts": [
            {
                "id": one.id,
                "label": labels[one.id],
                **cohort_dates(one),
                "recruitment": trial.recruitment[one.id],
            }
            for one in result.cohorts
            if one.id in labels
        ],
        "sites": site_answers(trial, snapshot.centres, best.id, patient.departement, patient.as_of),
    }
