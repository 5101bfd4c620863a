"""Judges a criteria document that nobody has signed yet: pure computation."""

from typing import Any

from pydantic import ValidationError

from services.matching.engine import compile_criteria, match
from services.matching.evaluations.service import ENGINE_VERSION, Options, course, criteria, open_chart, questions, timeline, write
from services.matching.evaluations.wording import PRE_SCREENING
from services.matching.patients.reading import ReadPatient
from services.matching.snapshots.model import Snapshot
from shared.criteria.lint import RegistryRecord, lint
from shared.criteria.model import CriteriaDocument


def check(document: CriteriaDocument, snapshot: Snapshot) -> bytes:
    """What the lint finds, against the terminology and the registry's own record of the trial (`schemas.CheckAnswer`)."""
    concepts = snapshot.vocabulary.concepts.concepts
    known = frozenset(code for concept in concepts for code in (concept.code, *concept.same_as))
    held = snapshot.trials.get(document.trial)
    trial = held.record.trial if held else None
    # What the registry sent was read tolerantly: what the lint cannot compare with is no record.
    try:
        record = RegistryRecord.model_validate({name: getattr(trial, name) for name in RegistryRecord.model_fields}) if trial else None
    except ValidationError:
        record = None
    found = [
        {"pointer": one.pointer, "code": one.code, "severity": one.severity, "detail": {"fr": one.detail.fr, "en": one.detail.en}}
        for one in lint(document, known, record)
    ]
    errors = sum(1 for one in found if one["severity"] == "error")
    return write({"findings": found, "errors": errors, "warnings": len(found) - errors})


def dry_run(document: CriteriaDocument, read: ReadPatient, snapshot: Snapshot, options: Options) -> bytes:
    """What the document says of a patient, also where a match would not list it (`schemas.DryRunAnswer`)."""
    asked = open_chart(read, snapshot.vocabulary, options, "/patient")
    trial = compile_criteria(document, snapshot.vocabulary.engine)
    listing = match(trial, asked.chart, options.horizon).listing
    if listing != "listed":
        trial = compile_criteria(_for_everybody(document), snapshot.vocabulary.engine)
    result = match(trial, asked.chart, options.horizon)
    best = result.best
    assert best is not None
    roles = {one.id: one.role for one in document.criteria}
    judged = [{**one, "role": roles[one["id"]]} for one in criteria(trial, result, best.criteria)]
    cohorts: list[dict[str, Any]] = [
        {"id": one.id, "verdict": one.verdict, "from": one.start, "until": one.until, "criteria": list(one.criteria)} for one in result.cohorts
    ]
    return write(
        {
            "as_of": asked.as_of,
            "engine_version": ENGINE_VERSION,
            "terminology_version": snapshot.vocabulary.version,
            "pre_screening": PRE_SCREENING,
            "listing": listing,
            **course(best, trial),
            "criteria": judged,
            "timeline": timeline(best),
            "cohorts": cohorts,
            "ask_next": questions([(trial, result)], asked.chart, snapshot.vocabulary),
            "ignored_facts": asked.ignored,
        }
    )


def _for_everybody(document: CriteriaDocument) -> CriteriaDocument:
    """The same criteria without the rule that lists a trial only for its own patients."""
    return document.model_copy(update={"criteria": [one.model_copy(update={"role": None}) for one in document.criteria]})
