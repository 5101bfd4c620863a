"""Every expression of the language has a sentence in French and in English."""

import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from shared.criteria.expressions import LEAVES, Expression
from shared.criteria.model import CriteriaDocument, Criterion, leaves
from shared.criteria.sentences import criterion_sentence, duration, sentence

SAMPLE = Path("services/registry/sample/criteria")
LABELS = {
    "LOINC:1742-6": {"fr": "ALAT", "en": "ALT"},
    "CLEIO:live-vaccine": {"fr": "Vaccin vivant", "en": "Live vaccine"},
    "CLEIO:pregnancy": {"fr": "Grossesse", "en": "Pregnancy"},
    "ATC:H02AB07": {"fr": "Prednisone", "en": "Prednisone"},
    "CLEIO:severe-voc": {"fr": "Crise sévère", "en": "Severe crisis"},
}
# (expression, French, English), as a clinician would read them.
SENTENCES = [
    (
        {"type": "age", "min": "P4Y", "max": "P8Y", "at": "dosing"},
        "âge : au moins 4 ans et moins de 8 ans à l'administration",
        "age: at least 4 years and under 8 years at dosing",
    ),
    (
        {"type": "has", "codes": ["CLEIO:live-vaccine"], "within": "P6W"},
        "Vaccin vivant, au cours des 6 semaines précédentes",
        "Live vaccine, within the past 6 weeks",
    ),
    (
        {"type": "has", "codes": ["CLEIO:pregnancy"], "evidence_within": "P1M"},
        "Grossesse (un résultat négatif vaut 1 mois)",
        "Pregnancy (a negative result counts for 1 month)",
    ),
    (
        {"all": [{"not": {"type": "sex", "value": "male"}}, {"type": "has", "codes": ["CLEIO:pregnancy"]}]},
        "(pas : sexe masculin) et Grossesse",
        "(not: male sex) and Pregnancy",
    ),
    (
        {"type": "value", "codes": ["LOINC:1742-6"], "op": "<", "value": 2.5, "basis": "xULN", "within": "P1M"},
        "ALAT < 2,5 fois la limite supérieure de la normale, au cours du mois précédent",
        "ALT < 2.5 times the upper limit of normal, within the past month",
    ),
    (
        {
            "type": "variant",
            "gene": "DMD",
            "types": ["deletion"],
            "exons": {"overlaps": [[1, 11], [42, 45]]},
            "zygosity": ["hemizygous"],
        },
        "délétion du gène DMD, touchant les exons 1 à 11 ou 42 à 45, hémizygote",
        "deletion of the gene DMD, overlapping exons 1 to 11 or 42 to 45, hemizygous",
    ),
    (
        {"type": "stable", "codes": ["ATC:H02AB07"], "for": "P12W", "max": 40, "unit": "mg/d"},
        "Prednisone, traitement en cours et inchangé depuis au moins 12 semaines, dose ≤ 40 mg/d",
        "Prednisone, ongoing and unchanged for at least 12 weeks, dose ≤ 40 mg/d",
    ),
    (
        {
            "type": "stable",
            "codes": ["ATC:H02AB07"],
            "for": "P8W",
            "max": 5,
            "unit": "mg/d",
            "equivalent": "prednisone",
        },
        "Prednisone, traitement en cours et inchangé depuis au moins 8 semaines, dose ≤ 5 mg/d d'équivalent prednisone",
        "Prednisone, ongoing and unchanged for at least 8 weeks, dose ≤ 5 mg/d of prednisone equivalent",
    ),
    (
        {"type": "count", "codes": ["CLEIO:severe-voc"], "op": ">=", "value": 2, "within": "P2Y", "each": "P1Y"},
        "Crise sévère : nombre de jours ≥ 2 par période de 1 an, au cours des 2 ans précédents",
        "Severe crisis: number of days ≥ 2 in each period of 1 year, within the past 2 years",
    ),
    (
        {"type": "titre", "codes": ["CLEIO:x"], "op": "<", "reciprocal": 400},
        "CLEIO:x < 1:400",
        "CLEIO:x < 1:400",
    ),
]


@pytest.mark.parametrize(("expression", "french", "english"), SENTENCES)
def test_an_expression_reads_as_a_clinician_would_say_it(expression: object, french: str, english: str) -> None:
    assert sentence(TypeAdapter(Expression).validate_python(expression), LABELS.get) == (french, english)


def test_every_kind_of_leaf_of_the_sample_has_a_sentence() -> None:
    documents = [CriteriaDocument.model_validate(json.loads(path.read_text())) for path in SAMPLE.glob("*.json")]
    assert documents
    seen = set()
    for document in documents:
        for criterion in document.criteria:
            french, english = criterion_sentence(criterion, LABELS.get)
            assert french
            assert english
            assert french[0].isupper() or not french[0].isalpha()
            seen |= {leaf.type for _, leaf in leaves(criterion.expr)}
    assert seen == set(LEAVES)


def test_a_duration_is_written_in_words() -> None:
    assert duration("P1Y6M") == ("1 an et 6 mois", "1 year and 6 months")
    assert duration("P1D") == ("1 jour", "1 day")


TEXT = {"fr": "Échec de la greffe.", "en": "The transplant failed."}
ASK = {"fr": "La greffe a-t-elle échoué ?", "en": "Did the transplant fail?", "who": "clinician", "cost": 0}


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ({"ask": {"code": "failed", **ASK}, "text": TEXT}, ("La greffe a-t-elle échoué ?", "Did the transplant fail?")),
        ({"ask": {"code": "other", **ASK}, "text": TEXT}, ("Échec de la greffe", "The transplant failed")),
        ({"text": TEXT}, ("Échec de la greffe", "The transplant failed")),
        ({"ask": {"code": "other", **ASK}}, ("La greffe a-t-elle échoué ?", "Did the transplant fail?")),
    ],
)
def test_a_question_to_a_person_inside_a_list_is_written_in_words(words, asked):
    expr = {"all": [{"type": "sex", "value": "male"}, {"type": "human", "question": "failed", "role": "clinician"}]}
    criterion = Criterion.model_validate({"id": "I1", "kind": "include", "expr": expr, **words})
    found = criterion_sentence(criterion, lambda code: {"fr": code, "en": code})
    assert found.fr == f"Sexe masculin et un clinicien répond oui à la question « {asked[0]} »"
    assert found.en == f'Male sex and a clinician answers yes to the question "{asked[1]}"'


def test_several_questions_of_one_criterion_point_to_its_text():
    expr = {"any": [{"type": "human", "question": one, "role": "clinician"} for one in ("failed", "repeat")]}
    criterion = Criterion.model_validate({"id": "I1", "kind": "include", "expr": expr, "text": TEXT})
    found = criterion_sentence(criterion, lambda code: {"fr": code, "en": code})
    assert "« failed (voir le texte du critère) » ou un clinicien" in found.fr
