"""The scope gate on hand-written cases (`cases.json`, which a clinician can extend) and on real registry records."""

import json
import lzma
from pathlib import Path

import pytest

from services.registry.model.trial import TrialInput
from services.registry.scope import judge
from services.registry.sources.ctgov import read_study
from services.registry.terminology.terminology import builtin

CASES = json.loads(Path(__file__).with_name("cases.json").read_text(encoding="utf-8"))


def trial_of(case: dict) -> TrialInput:
    return TrialInput.model_validate({"identifiers": [{"type": "nct", "value": "NCT00000001"}], **case["trial"]})


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_the_indication_and_the_product_decide(case):
    answer = judge(trial_of(case), builtin())
    assert answer.answer == case["answer"]
    assert case["reason"] in {reason.code for reason in answer.reasons}


def test_there_are_cases_of_every_answer():
    assert len(CASES) >= 40
    assert {case["answer"] for case in CASES} == {"in_scope", "out_of_scope", "scope_unclear"}


def test_a_refusal_names_the_field_in_both_languages():
    case = {"trial": {"conditions": [{"text": "Multiple Myeloma"}], "product": {"atmp_class": "gene_therapy"}}}
    (reason,) = judge(trial_of(case), builtin()).reasons
    assert reason.pointer == "/conditions/0"
    assert reason.detail.fr == "l'indication est une maladie maligne"
    assert reason.detail.en == "the indication is a malignant disease"


def test_exclusion_criteria_and_conditioning_do_not_count():
    case = {
        "trial": {
            "titles": {"en": "Lentiviral gene therapy of beta-thalassemia"},
            "conditions": [{"text": "Beta-Thalassemia"}],
            "summary": {
                "en": "Patients with leukemia or any malignancy are excluded. Busulfan is given in the oncology ward."
            },
            "eligibility": {"text": "Exclusion Criteria:\n* cancer, lymphoma or leukemia"},
        }
    }
    assert judge(trial_of(case), builtin()).answer == "in_scope"


@pytest.mark.real_data
def test_no_oncology_trial_is_accepted(real_data):
    with lzma.open(real_data / "ctgov_oncology_decoys" / "decoys.jsonl.xz", "rt", encoding="utf-8") as lines:
        answers = {
            study.source_id: judge(study.trial, builtin())
            for study in (read_study(json.loads(line), builtin()) for line in lines)
        }
    assert len(answers) == 72
    assert [number for number, answer in answers.items() if answer.answer == "in_scope"] == []
    assert all(answer.reasons for answer in answers.values())


@pytest.mark.real_data
def test_no_other_trial_is_refused_as_oncology(real_data):
    """The malignant ones among the 889 were selected by hand; nothing else may be refused as malignant."""
    records = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted((real_data / "ctgov_atmp").glob("*.json"))
    ]
    answers = {
        study.source_id: judge(study.trial, builtin())
        for study in (read_study(record, builtin()) for record in records)
    }
    malignant = {
        number
        for number, answer in answers.items()
        if any(reason.code.startswith("malignant_indication") for reason in answer.reasons)
    }
    assert malignant == {
        "NCT01147380",
        "NCT01668381",
        "NCT02723942",
        "NCT02799680",
        "NCT03085966",
        "NCT03114670",
        "NCT06891742",
    }
    assert sum(answer.answer == "in_scope" for answer in answers.values()) > 550
