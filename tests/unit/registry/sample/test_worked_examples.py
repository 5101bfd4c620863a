"""The sample's verdicts for the two worked examples: a Duchenne boy and a girl with sickle cell disease."""

from datetime import date
from pathlib import Path

import pytest

import services.registry.sample
from services.matching import engine
from services.matching.engine.evaluate import compile_criteria, match
from services.matching.patients.mapping import to_engine
from services.matching.patients.schemas import Patient
from services.registry.terminology.terminology import builtin
from shared.criteria.model import CriteriaDocument

FOLDER = Path(services.registry.sample.__file__).parent / "criteria"
AS_OF = date(2025, 11, 22)
TERMINOLOGY = builtin().graph
STEROID = {
    "id": "steroid",
    "kind": "medication",
    "codes": ["ATC:H02AB07"],
    "start": "2025-10-10",
    "dose": {"value": 0.75, "unit": "mg/d", "per_kg": True},
}
BOY = {
    "as_of": "2025-11-22",
    "birth_date": "2021-12-20",
    "sex": "male",
    "facts": [
        {"id": "duchenne", "kind": "condition", "codes": ["ORPHA:98896"], "date": "2024-02-01"},
        {
            "id": "deletion",
            "kind": "variant",
            "date": "2024-03-01",
            "variant": {"gene": "DMD", "type": "deletion", "exon_from": 45, "exon_to": 52},
        },
        {"id": "walks", "kind": "observation", "codes": ["CLEIO:ambulatory"], "date": "2025-10-01"},
        {"id": "nsaa", "kind": "observation", "codes": ["CLEIO:nsaa-total"], "value": 22, "date": "2025-10-01"},
        STEROID,
        {
            "id": "lvef",
            "kind": "observation",
            "codes": ["LOINC:10230-1"],
            "value": 62,
            "unit": "%",
            "date": "2025-09-01",
        },
        {"id": "vaccine", "kind": "immunization", "codes": ["CLEIO:live-vaccine-mmr"], "date": "2025-11-10"},
        {
            "id": "no-gene-therapy",
            "kind": "procedure",
            "codes": ["CLEIO:prior-gene-therapy"],
            "status": "absent",
            "date": "2025-10-01",
        },
        {
            "id": "no-skipping",
            "kind": "medication",
            "codes": ["CLEIO:exon-skipping-drug"],
            "status": "absent",
            "date": "2025-10-01",
        },
        *(
            {"id": code, "kind": "observation", "codes": [f"CLEIO:{code}"], "status": "absent", "date": "2025-10-01"}
            for code in ("hiv-positive", "hbsag-positive", "hcv-rna-positive")
        ),
    ],
    "domains_complete": [
        {"domain": domain, "from": "2021-12-20", "to": "2025-11-22"}
        for domain in ("immunizations", "procedures", "conditions", "medications")
    ],
}
TWIN = {
    **BOY,
    "facts": [
        *(fact for fact in BOY["facts"] if fact is not STEROID),
        {
            "id": "no-steroid",
            "kind": "medication",
            "codes": ["CLEIO:oral-glucocorticoid"],
            "status": "absent",
            "date": "2025-11-20",
        },
    ],
}
GIRL = {
    "as_of": "2025-11-22",
    "birth_date": "2010-05-01",
    "sex": "female",
    "facts": [
        {"id": "hbss", "kind": "condition", "codes": ["ORPHA:232"], "date": "2010-06-01"},
        *(
            {"id": f"voc-{day}", "kind": "event", "codes": ["CLEIO:severe-voc"], "date": day}
            for day in ("2024-01-10", "2024-05-02", "2025-02-01", "2025-08-19", "2025-09-30")
        ),
        {"id": "lansky", "kind": "observation", "codes": ["CLEIO:lansky"], "value": 90, "date": "2025-10-01"},
        {
            "id": "alt",
            "kind": "observation",
            "codes": ["LOINC:1742-6"],
            "value": 60,
            "unit": "U/L",
            "ref_high": 35,
            "date": "2025-10-20",
        },
        {
            "id": "egfr",
            "kind": "observation",
            "codes": ["LOINC:62238-1"],
            "value": 110,
            "unit": "mL/min/{1.73_m2}",
            "date": "2025-10-20",
        },
    ],
    "domains_complete": [{"domain": "encounters", "from": "2015-01-01", "to": "2025-11-22"}],
}


def answer(patient, trial):
    document = CriteriaDocument.model_validate_json((FOLDER / f"{trial}.json").read_text(encoding="utf-8"))
    index = engine.PatientIndex(to_engine(Patient.model_validate(patient), AS_OF).patient, TERMINOLOGY, AS_OF)
    return match(compile_criteria(document, TERMINOLOGY, "FR"), index)


def states(result):
    return {criterion.id: criterion.state for criterion in result.criteria}


def test_embark_opens_for_the_boy_when_his_steroid_has_been_stable_for_twelve_weeks():
    best = answer(BOY, "NCT05096221").best
    assert (best.verdict, best.start, best.until) == ("not_yet", date(2026, 1, 2), date(2029, 12, 20))


def test_the_boy_is_excluded_from_the_steroid_free_cohort_of_endeavor_and_his_twin_is_not():
    boy = {cohort.id: cohort for cohort in answer(BOY, "NCT04626674").cohorts}
    twin = {cohort.id: cohort for cohort in answer(TWIN, "NCT04626674").cohorts}
    assert boy["4"].verdict in ("excluded", "not_now")
    assert (twin["4"].verdict, twin["4"].start, twin["4"].until) == ("possible", AS_OF, date(2025, 12, 20))


def test_exa_cel_is_possible_for_the_girl_and_what_was_not_read_is_unknown():
    result = answer(GIRL, "NCT03745287")
    assert result.best.verdict == "possible"
    assert result.best.start == AS_OF
    found = states(result)
    assert {name for name, state in found.items() if state == "met"} == {
        "I-AGE",
        "I-DX",
        "I-GENOTYPE",
        "I-VOC",
    }
    assert "not_met" not in found.values()


@pytest.mark.parametrize(
    ("patient", "trial", "cohort"), [(BOY, "CLEIO-DEMO-0002", "1"), (GIRL, "CLEIO-DEMO-0001", "2")], ids=["boy", "girl"]
)
def test_each_finds_a_fictitious_trial_open_today(patient, trial, cohort):
    best = answer(patient, trial).best
    assert (best.id, best.verdict, best.start) == (cohort, "possible", AS_OF)


@pytest.mark.parametrize("trial", ["NCT03461289", "NCT03745287", "CLEIO-DEMO-0005", "CLEIO-DEMO-0006"])
def test_a_boy_with_a_complete_problem_list_is_not_listed_for_another_disease(trial):
    assert answer(BOY, trial).listing == "not_indicated"


def test_a_newborn_is_not_deferred_by_an_age_required_on_the_day_of_busulfan():
    newborn = {
        "as_of": "2025-11-22",
        "birth_date": "2025-11-10",
        "sex": "male",
        "facts": [{"id": "scid", "kind": "condition", "codes": ["ORPHA:276"], "date": "2025-11-18"}],
    }
    best = answer(newborn, "NCT01512888").best
    assert (best.verdict, best.start) == ("possible", AS_OF)


def test_a_patient_on_prednisone_only_is_not_excluded_from_aurora():
    adult = {
        "as_of": "2025-11-22",
        "birth_date": "1980-01-01",
        "facts": [
            {"id": "mg", "kind": "condition", "codes": ["ORPHA:589"], "date": "2020-01-01"},
            {
                "id": "prednisone",
                "kind": "medication",
                "codes": ["ATC:H02AB07"],
                "start": "2025-06-01",
                "dose": {"value": 20, "unit": "mg/d"},
            },
        ],
        "domains_complete": [{"domain": "medications", "to": "2025-11-22"}],
    }
    found = states(answer(adult, "NCT06799247"))
    assert found["I-IS"] == "met"
    assert found["I-STEROID"] == "met"
