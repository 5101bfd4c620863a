"""The quick answer for trials of other diseases is the answer of their indication criteria."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from services.matching.engine import PatientIndex, compile_criteria, listing
from services.matching.patients.mapping import to_engine
from services.matching.patients.schemas import Patient
from services.registry.terminology.terminology import builtin
from shared.criteria.model import CriteriaDocument

AS_OF = date(2026, 6, 1)
TERMINOLOGY = builtin().graph
TRIALS = [
    compile_criteria(CriteriaDocument.model_validate(json.loads(path.read_text())), TERMINOLOGY, "FR")
    for path in sorted(Path("services/registry/sample/criteria").glob("*.json"))
]
CONDITION = {"id": "c", "kind": "condition", "date": "2020-01-01"}
PATIENTS = {
    "nothing": {},
    "the disease": {"facts": [{**CONDITION, "codes": ["ORPHA:98896"]}]},
    "by another code": {"facts": [{**CONDITION, "codes": ["OMIM:310200"]}]},
    "a wider code": {"facts": [{**CONDITION, "codes": ["ICD10:G71.0"]}]},
    "an extension of ICD-10": {"facts": [{**CONDITION, "codes": ["ICD10:G71.01"]}]},
    "denied": {"facts": [{**CONDITION, "codes": ["ORPHA:275752"], "status": "absent"}]},
    "a wider one denied": {"facts": [{**CONDITION, "codes": ["ICD10:D55-D59"], "status": "absent"}]},
    "unconfirmed": {"facts": [{**CONDITION, "codes": ["ORPHA:589"], "status": "unconfirmed"}]},
    "an exclusive one": {"facts": [{**CONDITION, "codes": ["ORPHA:83330"]}]},
    "of a relative": {"facts": [{**CONDITION, "codes": ["ORPHA:98896"], "relative": "mother"}]},
    "a local code": {"facts": [{**CONDITION, "codes": ["LOCAL:17"]}]},
    "complete": {"domains_complete": [{"domain": "conditions", "to": "2026-06-01"}]},
    "complete, with a local code": {
        "facts": [{**CONDITION, "codes": ["LOCAL:17"]}],
        "domains_complete": [{"domain": "conditions", "to": "2026-06-01"}],
    },
}


@pytest.mark.parametrize("name", PATIENTS)
def test_the_quick_answer_is_that_of_the_criteria(name: str) -> None:
    patient = PatientIndex(to_engine(Patient.model_validate(PATIENTS[name]), AS_OF).patient, TERMINOLOGY, AS_OF)
    quick = {trial.document.trial: listing(trial, patient) for trial in TRIALS}
    slow = {trial.document.trial: listing(replace(trial, indication_codes=None), patient) for trial in TRIALS}
    assert quick == slow


def test_most_trials_of_the_sample_have_a_quick_answer() -> None:
    patient = PatientIndex(to_engine(Patient(), AS_OF).patient, TERMINOLOGY, AS_OF)
    quick = [one for one in TRIALS if one.indication_codes and one.indication_codes.is_unmentioned(patient)]
    assert len(quick) > len(TRIALS) / 2


@pytest.mark.parametrize(
    ("expr", "findings", "expected"),
    [
        ({"type": "score", "set": "CLEIO:acr-eular-2013-ssc", "op": ">=", "value": 9}, ["HP:0011838"], "listed"),
        ({"type": "since", "codes": ["HP:0011838"], "op": "<=", "value": "P5Y"}, ["HP:0011838"], "not_indicated"),
        ({"type": "washout", "codes": ["ATC:L01FA01"], "for": "P3M"}, ["HP:0011838"], "undetermined"),
    ],
)
def test_any_leaf_can_be_the_indication(expr: dict[str, object], findings: list[str], expected: str) -> None:
    criteria = [{"id": "i", "kind": "include", "role": "indication", "expr": expr}]
    document = {"trial": "T", "version": 1, "grade": "registry", "criteria": criteria}
    trial = compile_criteria(CriteriaDocument.model_validate(document), TERMINOLOGY, "FR")
    facts = [{**CONDITION, "id": code, "codes": [code]} for code in findings]
    answers = []
    for raw in ({}, {"facts": facts}):
        patient = PatientIndex(to_engine(Patient.model_validate(raw), AS_OF).patient, TERMINOLOGY, AS_OF)
        answers.append(listing(trial, patient))
    assert answers == ["undetermined", expected]
