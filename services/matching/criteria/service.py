"""Check a criteria document, or evaluate it for one patient. Pure."""

from typing import Any

from pydantic import ValidationError

from services.matching.answers.rendering import (
    ENGINE_VERSION,
    cohort_dates,
    criterion_answers,
    question_answers,
    timeline_answer,
    to_json,
    verdict_fields,
)
from services.matching.answers.wording import PRE_SCREENING
from services.matching.engine import TooComplexError, compile_criteria, match
from services.matching.patients.index import IndexedPatient
from services.matching.snapshots.model import Snapshot
from shared.criteria.lint import RegistryRecord, lint
from shared.criteria.model import CriteriaDocument
from shared.criteria.sentences import criterion_sentence
from shared.values.problems import Fault, InvalidBodyError
from shared.values.validation import faults
from shared.values.wire import Label

# Less than a tenth of a second. A trial of the sample takes at most a third of it, with the largest patient.
MAX_WORK_UNITS = 200_000
_TOO_COMPLEX = Label(
    fr="trop complexe pour une seule évaluation ; répartissez les critères sur plusieurs appels",
    en="too complex to evaluate at once; split the criteria over several calls",
)


def check(sent: object, snapshot: Snapshot) -> bytes:
    """Check a document against the terminology and the registry's record of the trial (`schemas.CheckAnswer`).

    :raises InvalidBodyError: 422, it is no criteria document.
    """
    try:
        document = CriteriaDocument.model_validate(sent)
    except ValidationError as error:
        raise InvalidBodyError(errors=faults(error.errors())) from None
    details: dict[str, dict[str, str]] = {}
    found = []
    for one in lint(document, snapshot.vocabulary.engine, _record_of(document.trial, snapshot)):
        if one.code not in details:
            details[one.code] = {"fr": one.detail.fr, "en": one.detail.en}
        found.append({"pointer": one.pointer, "code": one.code, "severity": one.severity, "detail": details[one.code]})
    errors = sum(1 for one in found if one["severity"] == "error")
    return to_json(
        {
            "findings": found,
            "errors": errors,
            "warnings": len(found) - errors,
            "sentences": _sentences(document, snapshot),
        }
    )


def _sentences(document: CriteriaDocument, snapshot: Snapshot) -> list[dict[str, Any]]:
    words = ((one.id, criterion_sentence(one, snapshot.vocabulary.label)) for one in document.criteria)
    return [{"criterion": name, "sentence": {"fr": said.fr, "en": said.en}} for name, said in words]


def _record_of(identifier: str, snapshot: Snapshot) -> RegistryRecord | None:
    """Return what the registry says of a trial. It was read tolerantly: what cannot be compared counts as missing."""
    if (stored := snapshot.trials.get(identifier)) is None:
        return None
    trial = stored.record.trial
    try:
        return RegistryRecord.model_validate({name: getattr(trial, name) for name in RegistryRecord.model_fields})
    except ValidationError:
        return None


def dry_run(document: CriteriaDocument, patient: IndexedPatient, snapshot: Snapshot, horizon: str) -> bytes:
    """Evaluate a document for a patient, also where a match would not list the trial (`schemas.DryRunAnswer`).

    :raises InvalidBodyError: 422, the document and the patient together take more than `MAX_WORK_UNITS`.
    """
    patient.index.work_left = MAX_WORK_UNITS
    try:
        return _dry_run(document, patient, snapshot, horizon)
    except TooComplexError:
        raise InvalidBodyError(
            errors=[Fault(pointer="/criteria/criteria", code="too_complex", detail=_TOO_COMPLEX)]
        ) from None


def _dry_run(document: CriteriaDocument, patient: IndexedPatient, snapshot: Snapshot, horizon: str) -> bytes:
    trial = compile_criteria(document, snapshot.vocabulary.engine, snapshot.country)
    result = match(trial, patient.index, horizon)
    listing = result.listing
    if listing != "listed":
        trial = trial.without_indication()
        result = match(trial, patient.index, horizon)
    best = result.best
    assert best is not None
    cohorts: list[dict[str, Any]] = [
        {"id": one.id, **cohort_dates(one), "criteria": list(one.criteria)} for one in result.cohorts
    ]
    return to_json(
        {
            "as_of": patient.as_of,
            "engine_version": ENGINE_VERSION,
            "terminology_version": snapshot.vocabulary.version,
            "pre_screening": PRE_SCREENING,
            "listing": listing,
            **verdict_fields(result, best, trial),
            "criteria": criterion_answers(trial, result, best.criteria, patient.index, snapshot.vocabulary, {}),
            "timeline": timeline_answer(result.dates.timeline),
            "cohorts": cohorts,
            "ask_next": question_answers([(trial, result)], patient.index, snapshot.vocabulary),
            "warnings": patient.warnings,
        }
    )
