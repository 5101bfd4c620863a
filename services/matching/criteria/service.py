"""Judges a criteria document that nobody has signed yet: pure computation."""

from typing import Any

from pydantic import ValidationError

from services.matching.engine import TooComplexError, compile_criteria, match
from services.matching.evaluations.service import (
    ENGINE_VERSION,
    Asked,
    Options,
    course,
    criteria,
    open_chart,
    questions,
    timeline,
    write,
)
from services.matching.evaluations.wording import PRE_SCREENING
from services.matching.patients.reading import ReadPatient
from services.matching.snapshots.model import Snapshot
from shared.criteria.lint import RegistryRecord, lint
from shared.criteria.model import CriteriaDocument
from shared.values.problems import Fault, InvalidBodyError
from shared.values.wire import Label

# Less than a tenth of a second. A trial of the sample takes at most a third of it, with the largest patient.
MAX_WORK_UNITS = 150_000
_TOO_COMPLEX = Label(
    fr="ces critères et ces faits demandent ensemble trop de calcul : essayez-les par parties",
    en="these criteria and these facts together take too much computing: try them in parts",
)


def check(document: CriteriaDocument, snapshot: Snapshot) -> bytes:
    """What the lint finds, against the terminology and the registry's own record of the trial (`schemas.CheckAnswer`)."""
    held = snapshot.trials.get(document.trial)
    trial = held.record.trial if held else None
    # What the registry sent was read tolerantly: what the lint cannot compare with is no record.
    try:
        record = (
            RegistryRecord.model_validate({name: getattr(trial, name) for name in RegistryRecord.model_fields})
            if trial
            else None
        )
    except ValidationError:
        record = None
    found = [
        {
            "pointer": one.pointer,
            "code": one.code,
            "severity": one.severity,
            "detail": {"fr": one.detail.fr, "en": one.detail.en},
        }
        for one in lint(document, snapshot.vocabulary.known, record)
    ]
    errors = sum(1 for one in found if one["severity"] == "error")
    return write({"findings": found, "errors": errors, "warnings": len(found) - errors})


def dry_run(document: CriteriaDocument, read: ReadPatient, snapshot: Snapshot, options: Options) -> bytes:
    """What the document says of a patient, also where a match would not list it (`schemas.DryRunAnswer`).

    :raises InvalidBodyError: 422, the two together are too much to compute while others wait.
    """
    asked = open_chart(read, snapshot.vocabulary, options, "/patient")
    asked.chart.work_left = MAX_WORK_UNITS
    try:
        return _dry_run(document, asked, snapshot, options)
    except TooComplexError:
        raise InvalidBodyError(
            errors=[Fault(pointer="/criteria/criteria", code="too_complex", detail=_TOO_COMPLEX)]
        ) from None


def _dry_run(document: CriteriaDocument, asked: Asked, snapshot: Snapshot, options: Options) -> bytes:
    trial = compile_criteria(document, snapshot.vocabulary.engine, "FR")
    result = match(trial, asked.chart, options.horizon)
    listing = result.listing
    if listing != "listed":
        trial = trial.without_indication()
        result = match(trial, asked.chart, options.horizon)
    best = result.best
    assert best is not None
    cohorts: list[dict[str, Any]] = [
        {"id": one.id, "verdict": one.verdict, "from": one.start, "until": one.until, "criteria": list(one.criteria)}
        for one in result.cohorts
    ]
    return write(
        {
            "as_of": asked.as_of,
            "engine_version": ENGINE_VERSION,
            "terminology_version": snapshot.vocabulary.version,
            "pre_screening": PRE_SCREENING,
            "listing": listing,
            **course(best, trial),
            "criteria": criteria(trial, result, best.criteria),
            "timeline": timeline(best),
            "cohorts": cohorts,
            "ask_next": questions([(trial, result)], asked.chart, snapshot.vocabulary),
            "ignored_facts": asked.ignored,
        }
    )
