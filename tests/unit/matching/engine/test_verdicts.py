"""Verdicts, dates and listing of whole documents, worked out by hand (`docs/eligibility.md` §6)."""

import json
from datetime import date

import pytest

from services.matching.engine import PatientIndex, ask_next, compile_criteria, match
from services.matching.patients.mapping import to_engine
from services.matching.patients.schemas import Patient
from shared.criteria.model import CriteriaDocument
from tests.unit.matching.engine.vocabulary import CASES, TERMINOLOGY

AS_OF = date(2025, 11, 22)
SIGNED = {"authored_by": "A. Martin", "signed_by": "B. Petit", "signed_at": "2025-11-01T09:00:00Z"}


def iso(day):
    return day and day.isoformat()


def document_of(case):
    cohorts = [{"id": cohort, "label": {"fr": cohort, "en": cohort}} for cohort in case.get("cohorts", [])]
    lead_time = {"lead_time": case["lead_time"]} if "lead_time" in case else {}
    document = {
        "trial": "CLEIO-TEST",
        "grade": case.get("grade", "signed"),
        **SIGNED,
        **lead_time,
        "cohorts": cohorts,
        "criteria": case["criteria"],
    }
    return CriteriaDocument.model_validate(document)


def patient_of(case):
    facts = [
        {"id": f"f{n}", "kind": "observation" if "value" in f else "condition", **f}
        for n, f in enumerate(case["patient"].get("facts", []), 1)
    ]
    return Patient.model_validate({**case["patient"], "facts": facts})


def index_of(patient):
    return PatientIndex(to_engine(patient, AS_OF).patient, TERMINOLOGY, AS_OF)


@pytest.mark.parametrize("case", json.loads((CASES / "verdicts.json").read_text()), ids=lambda case: case["name"])
def test_verdict(case):
    result = match(
        compile_criteria(document_of(case), TERMINOLOGY, "FR", outdated=case.get("outdated", False)),
        index_of(patient_of(case)),
        case.get("horizon", "P2Y"),
        case.get("recruiting"),
    )
    expected = case["expect"]
    best = result.best
    actual = {
        "listing": result.listing,
        "verdict": result.verdict,
        "cohort": best and best.id,
        "start": iso(result.dates.start),
        "until": iso(result.dates.until),
        "refer_before": iso(result.dates.refer_before),
        "retest": best and iso(best.retest),
        "timeline": [[iso(interval.start), interval.verdict] for interval in result.dates.timeline],
        "cohorts": {cohort.id: cohort.verdict for cohort in result.cohorts},
        "cohort_dates": {one.id: [iso(one.start), iso(one.until), iso(one.refer_before)] for one in result.cohorts},
        "clears_on": {criterion.id: iso(criterion.clears_on) for criterion in result.criteria},
        "states": {criterion.id: criterion.state for criterion in result.criteria},
        "reasons": {criterion.id: list(criterion.reasons) for criterion in result.criteria},
    }
    assert {key: actual[key] for key in expected} == expected


def worked(trial, patient):
    document = CriteriaDocument.model_validate(json.loads((CASES / "worked" / f"{trial}.json").read_text()))
    facts = json.loads((CASES / "worked" / f"{patient}.json").read_text()) if isinstance(patient, str) else patient
    compiled, index = compile_criteria(document, TERMINOLOGY, "FR"), index_of(Patient.model_validate(facts))
    return compiled, index, match(compiled, index)


def test_duchenne_boy_is_not_yet_for_embark():
    compiled, index, result = worked("embark", "dmd_boy")
    assert (result.verdict, iso(result.best.start), iso(result.best.until)) == ("not_yet", "2026-01-02", "2029-12-20")
    assert iso(result.best.refer_before) == "2029-10-11"
    criteria = {criterion.id: criterion for criterion in result.criteria}
    assert {name: iso(criterion.clears_on) for name, criterion in criteria.items() if criterion.state == "not_met"} == {
        "age": "2025-12-20",
        "ster": "2026-01-02",
        "livevax": "2025-12-09",
    }
    assert [name for name, criterion in criteria.items() if criterion.state == "unknown"] == ["ab"]
    assert [question.code for question in ask_next([(compiled, result)], index)] == ["titre:CLEIO:anti-aavrh74"]
    assert all(criterion.evidence or criterion.reasons for criterion in result.criteria)


def test_duchenne_boy_on_steroid_is_not_now_for_the_steroid_naive_cohort():
    _, _, result = worked("endeavor", "dmd_boy")
    assert {cohort.id: cohort.verdict for cohort in result.cohorts} == {"1": "not_yet", "4": "not_now"}
    assert (result.best.id, iso(result.best.start)) == ("1", "2026-01-02")


def test_his_twin_without_steroid_has_until_his_fourth_birthday():
    twin = json.loads((CASES / "worked" / "dmd_boy.json").read_text())
    steroid = {"id": "steroid", "kind": "medication", "codes": ["ATC:H02AB"], "status": "absent", "date": "2025-11-22"}
    twin["facts"] = [fact for fact in twin["facts"] if fact["id"] != "steroid"] + [steroid]
    _, _, result = worked("endeavor", twin)
    assert (result.best.id, result.verdict, iso(result.best.until)) == ("4", "possible", "2025-12-20")


def test_sickle_cell_girl_is_possible_for_exa_cel():
    _, _, result = worked("exa_cel", "scd_girl")
    assert result.verdict == "possible"
    states = {criterion.id: criterion.state for criterion in result.criteria}
    assert [name for name, state in states.items() if state == "met"] == [
        "age",
        "dx",
        "genotype",
        "voc",
        "perf",
        "egfr",
        "alt",
    ]
    never_recorded = ["donor", "hsct", "gt", "tcd", "stroke", "bili", "lvef", "plt", "hiv", "hbv", "hcv", "preg"]
    assert [criterion.id for criterion in result.criteria if criterion.reasons == ("missing",)] == never_recorded
    assert [criterion.id for criterion in result.criteria if criterion.investigator] == ["consent"]
