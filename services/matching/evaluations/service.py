"""Match one patient with every published trial of a snapshot. Pure."""

from datetime import date
from typing import Any, NamedTuple

from services.matching.answers.consent import consent_lines
from services.matching.answers.rendering import (
    ENGINE_VERSION,
    cohort_dates,
    criterion_answers,
    question_answers,
    reasons_of_end,
    timeline_answer,
    to_json,
    verdict_fields,
)
from services.matching.answers.wording import PRE_SCREENING, recruitment_text, title_of
from services.matching.clients.documents import PRODUCT_FIELDS, Trial
from services.matching.engine import (
    DEFAULT_HORIZON,
    CohortResult,
    CompiledTrial,
    TooComplexError,
    TrialResult,
    listing,
    match,
)
from services.matching.engine.result import RANK
from services.matching.evaluations.paging import cursor_of, start_of
from services.matching.evaluations.sites import site_answers
from services.matching.patients.index import IndexedPatient
from services.matching.snapshots.model import Snapshot, SnapshotTrial
from services.matching.snapshots.recruitment import Recruitment
from shared.vocabulary.identifiers import register_page

# About half a second: some 2,500 trials of 16 criteria.
MAX_WORK_UNITS = 1_000_000


class Candidates(NamedTuple):
    """The trials for the condition of a patient, and how many others there are, by reason."""

    trials: list[tuple[SnapshotTrial, CompiledTrial]]
    undetermined: int
    not_indicated: int


class ListedTrial(NamedTuple):
    """A trial for the condition of the patient, and its result; ``best``: the cohort that decides the verdict."""

    trial: SnapshotTrial
    compiled: CompiledTrial
    result: TrialResult
    best: CohortResult


class Matches(NamedTuple):
    """The trials listed for a patient, best first, and how many others there are, by reason.

    ``not_evaluated``: trials for the condition that `MAX_WORK_UNITS` did not suffice for.
    """

    listed: list[ListedTrial]
    undetermined: int
    not_indicated: int
    not_evaluated: int


def candidates(snapshot: Snapshot, patient: IndexedPatient) -> Candidates:
    """Return the trials for the condition of the patient."""
    return patient.index.cached("candidates", lambda: _candidates(snapshot, patient))


def _candidates(snapshot: Snapshot, patient: IndexedPatient) -> Candidates:
    counts = {"undetermined": 0, "not_indicated": 0}
    chosen: list[tuple[SnapshotTrial, CompiledTrial]] = []
    for group in snapshot.by_indication:
        compiled = group[0].compiled
        assert compiled is not None
        found = listing(compiled, patient.index)
        if found == "listed":
            chosen += [(trial, trial.compiled) for trial in group if trial.compiled is not None]
        else:
            counts[found] += len(group)
    counts["undetermined"] += snapshot.without_criteria
    return Candidates(chosen, **counts)


def match_trials(snapshot: Snapshot, patient: IndexedPatient, horizon: str = DEFAULT_HORIZON) -> Matches:
    """Match a patient with every trial. ``horizon``: ISO duration of the timeline."""
    chosen, undetermined, not_indicated = candidates(snapshot, patient)
    # Recruiting ones first: where the work units do not suffice, the others are left out.
    chosen = sorted(chosen, key=lambda one: (not one[0].recruiting, one[0].record.trial.id))
    listed: list[ListedTrial] = []
    patient.index.work_left = MAX_WORK_UNITS
    try:
        for trial, compiled in chosen:
            result = match(compiled, patient.index, horizon, trial.recruiting)
            assert result.best is not None
            listed.append(ListedTrial(trial, compiled, result, result.best))
    except TooComplexError:
        pass  # a shorter answer that says so
    patient.index.work_left = None
    listed.sort(key=_rank)
    return Matches(listed, undetermined, not_indicated, len(chosen) - len(listed))


def match_patient(
    snapshot: Snapshot, patient: IndexedPatient, horizon: str, limit: int, cursor: str | None = None
) -> bytes:
    """Return one page of the answer as JSON (`schemas.MatchAnswer`).

    :raises InvalidCursorError: 400, the text is not a cursor.
    :raises OutdatedCursorError: 410, the cursor was given for another snapshot.
    """
    start = start_of(cursor, snapshot.id)
    end = start + limit
    listed, undetermined, not_indicated, not_evaluated = match_trials(snapshot, patient, horizon)
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
            "undetermined": undetermined,
            "not_indicated": not_indicated,
            "not_evaluated": not_evaluated,
            "consent": consent_lines(snapshot.country, patient.index),
            "ask_next": question_answers(matches, patient.index, snapshot.vocabulary),
            "warnings": patient.warnings,
        }
    )


def _rank(listed: ListedTrial) -> tuple[bool, bool, int, date, str]:
    """Sort excluded trials last, then recruiting ones first, then by verdict, earlier ``from`` and identifier."""
    trial, best = listed.trial, listed.best
    return (
        best.verdict == "excluded",
        best.id not in trial.recruiting,
        RANK[best.verdict],
        listed.result.dates.start or date.max,
        trial.record.trial.identifier,
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
        "id": known.id,
        "trial": known.identifier,
        "title": title_of(known),
        "acronym": known.acronym,
        "recruitment": recruitment,
        "recruitment_text": recruitment_text(recruitment, snapshot.country),
        "phase": known.phase,
        "sponsor": known.sponsor,
        "contact": known.contact,
        "product": {name: known.product.get(name, [] if name == "genes" else None) for name in PRODUCT_FIELDS},
        "links": _links(known),
        "recruitment_status": known.status,
        **verdict,
        "until_because": reasons_of_end(compiled, result.dates.ended_by, snapshot.vocabulary, trial.sentences),
        "illustrative": known.illustrative,
        "criteria": criterion_answers(
            compiled, result, best.criteria, patient.index, snapshot.vocabulary, trial.sentences
        ),
        "timeline": timeline_answer(result.dates.timeline),
        "cohorts": [
            {"id": one.id, "label": labels[one.id], **_cohort_fields(one, trial.recruitment[one.id])}
            for one in result.cohorts
            if one.id in labels
        ],
        "sites": site_answers(trial, snapshot.centres, best.id, patient.departement, patient.as_of),
    }


def _cohort_fields(cohort: CohortResult, recruitment: Recruitment) -> dict[str, Any]:
    fields = {**cohort_dates(cohort), "recruitment": recruitment}
    return fields if recruitment != "closed" else {**fields, "refer_before": None}


def _links(trial: Trial) -> list[dict[str, str]]:
    pages = ((kind, number, register_page(kind, number)) for kind, number in trial.identifiers)
    return [{"register": kind, "number": number, "url": page} for kind, number, page in pages if page is not None]
