"""Registry-grade criteria: what can be evaluated, what becomes a question, and that no line of the text is lost."""

import json

import pytest

from services.registry.model.trial import TrialInput
from services.registry.sources.registry_criteria import one_unit_more, registry_criteria
from services.registry.terminology.terminology import Terminology
from shared.criteria.model import CriteriaDocument

TERMS = Terminology.from_json(
    {
        "diseases": [
            {"code": "ORPHA:275752", "label": {"fr": "Drépanocytose", "en": "Sickle cell disease"}},
            {"code": "ORPHA:848", "label": {"fr": "Bêta-thalassémie", "en": "Beta-thalassemia"}},
        ]
    }
)


def document(**fields) -> dict:
    trial = TrialInput.model_validate({"identifiers": [{"type": "nct", "value": "NCT03964792"}], **fields})
    written = registry_criteria(trial, TERMS)
    CriteriaDocument.model_validate_json(json.dumps({**written, "version": 1}))
    return {criterion["id"]: criterion for criterion in written["criteria"]}


def test_age_and_sex_are_evaluated():
    criteria = document(eligibility={"minimum_age": "P5Y", "maximum_age": "P35Y", "sex": "female"})
    assert criteria["age"]["expr"] == {"type": "age", "min": "P5Y", "max": "P35Y", "max_unclear_until": "P36Y"}
    assert criteria["age"]["text"] == {
        "fr": "Âge : au moins 5 ans, au plus 35 ans",
        "en": "Age: at least 5 years, at most 35 years",
    }
    assert criteria["sex"]["expr"] == {"type": "sex", "value": "female"}
    assert "sex" not in document(eligibility={"sex": "all"})


@pytest.mark.parametrize(
    ("maximum", "unclear"), [("P35Y", "P36Y"), ("P18M", "P19M"), ("P1Y6M", "P1Y7M"), ("P6W", "P7W"), ("P28D", "P29D")]
)
def test_a_maximum_age_is_unclear_for_one_more_of_its_unit(maximum, unclear):
    assert one_unit_more(maximum) == unclear


def test_a_mapped_condition_is_the_indication():
    criterion = document(conditions=[{"text": "Sickle Cell Disease"}, {"text": "Beta-thalassemia"}])["indication"]
    assert criterion["role"] == "indication"
    assert criterion["expr"] == {"type": "has", "codes": ["ORPHA:275752", "ORPHA:848"]}


def test_an_unmapped_condition_asks_a_clinician_and_can_never_be_not_met():
    question = {"type": "human", "question": "q:indication-NCT03964792", "role": "clinician"}
    assert document(conditions=[{"text": "Gyrate Atrophy"}])["indication"]["expr"] == question
    assert document()["indication"]["expr"] == question
    mixed = document(conditions=[{"text": "Sickle Cell Disease"}, {"text": "Gyrate Atrophy"}])["indication"]["expr"]
    assert mixed == {"any": [{"type": "has", "codes": ["ORPHA:275752"]}, question]}


def test_a_related_condition_is_no_indication():
    criteria = document(
        conditions=[
            {"text": "Sickle Cell Disease"},
            {"text": "Gyrate Atrophy", "role": "related"},
            {"text": "Healthy Volunteers"},
        ]
    )
    assert criteria["indication"]["expr"] == {"type": "has", "codes": ["ORPHA:275752"]}


def test_a_code_given_with_the_condition_is_used():
    assert document(conditions=[{"text": "Gyrate Atrophy", "code": "ORPHA:414"}])["indication"]["expr"] == {
        "type": "has",
        "codes": ["ORPHA:414"],
    }


def test_without_text_there_is_one_question():
    criteria = document()
    assert list(criteria) == ["indication", "no-text"]
    assert criteria["no-text"]["expr"]["type"] == "human"


def test_every_line_is_a_question_with_its_place_in_the_text():
    text = "Inclusion Criteria:\n\n* HbSS confirmed\n* Age \\> 5\n\nExclusion Criteria:\n\n* Pregnancy"
    criteria = document(eligibility={"text": text})
    assert [(key, one["kind"], one["text"]["en"]) for key, one in criteria.items() if key != "indication"] == [
        ("I1", "include", "HbSS confirmed"),
        ("I2", "include", "Age > 5"),
        ("E1", "exclude", "Pregnancy"),
    ]
    start, end = criteria["I1"]["source"]["span"]
    assert text[start:end] == "* HbSS confirmed"
    assert {one["expr"]["role"] for one in criteria.values()} == {"clinician"}


def test_a_question_keeps_its_id_when_the_text_is_reordered_and_not_when_a_bound_changes():
    def question(text: str, line: str) -> str:
        return next(
            one["expr"]["question"]
            for one in document(eligibility={"text": text}).values()
            if one["text"]["en"] == line
        )

    assert question("Inclusion Criteria:\n* A\n* B", "A") == question("Inclusion Criteria:\n* B\n* A", "A")
    assert question("Inclusion Criteria:\n* ALT < 3", "ALT < 3") != question(
        "Inclusion Criteria:\n* ALT > 3", "ALT > 3"
    )
    assert question("Inclusion Criteria:\n* A", "A") != question("Exclusion Criteria:\n* A", "A")


def test_the_same_line_twice_is_two_questions():
    criteria = document(eligibility={"text": "Inclusion Criteria:\n* A\n* A"})
    assert criteria["I1"]["expr"]["question"] != criteria["I2"]["expr"]["question"]


def test_a_very_long_list_loses_no_word_and_stays_within_the_language():
    text = "Inclusion Criteria:\n" + "\n".join(f"* criterion number {number}" for number in range(700))
    criteria = document(eligibility={"text": text})
    assert len(criteria) <= 500
    assert max(one["source"]["span"][1] for one in criteria.values() if "span" in one["source"]) == len(text)


def test_a_sponsor_s_code_becomes_a_valid_id():
    trial = TrialInput.model_validate({"identifiers": [{"type": "sponsor", "value": "(P 13/09#17)"}]})
    CriteriaDocument.model_validate_json(json.dumps(registry_criteria(trial, TERMS)))
