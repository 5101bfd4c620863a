"""Every expression of the language has a sentence in French and in English."""

import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from shared.criteria.expressions import LEAVES, Expression
from shared.criteria.model import CriteriaDocument, Criterion, leaves
from shared.criteria.sentences import criterion_sentence, sentence
from shared.criteria.words import duration

SAMPLE = Path("services/registry/sample/criteria")
LABELS = {
    "LOINC:1742-6": {"fr": "ALAT", "en": "ALT"},
    "CLEIO:live-vaccine": {"fr": "Vaccin vivant", "en": "Live vaccine"},
    "CLEIO:pregnancy": {"fr": "Grossesse", "en": "Pregnancy"},
    "ATC:H02AB07": {"fr": "Prednisone", "en": "Prednisone"},
    "CLEIO:severe-voc": {"fr": "Crise sévère", "en": "Severe crisis"},
    "ATC:L01FA01": {"fr": "Rituximab", "en": "Rituximab"},
    "ATC:L04AJ01": {"fr": "Éculizumab", "en": "Eculizumab"},
    "HP:0001324": {"fr": "Faiblesse musculaire", "en": "Muscle weakness"},
    "HP:0002015": {"fr": "Dysphagie", "en": "Dysphagia"},
    "CLEIO:mrss": {"fr": "Score de Rodnan modifié", "en": "Modified Rodnan skin score"},
    "CLEIO:fvc-predicted": {"fr": "CVF", "en": "FVC"},
    "LOINC:1920-8": {"fr": "ASAT", "en": "AST"},
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
        "(sexe autre que masculin) et Grossesse",
        "(sex other than male) and Pregnancy",
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
    (
        {"type": "age", "min": "P2M", "max": "P1Y", "corrected": True},
        "âge corrigé : au moins 2 mois et moins de 1 an",
        "corrected age: at least 2 months and under 1 year",
    ),
    (
        {"type": "variant", "gene": "DMD", "amenable_to": {"skip": 51}},
        "délétion du gène DMD accessible au saut de l'exon 51",
        "deletion of the gene DMD amenable to skipping of exon 51",
    ),
    (
        {"type": "washout", "codes": ["ATC:L04AJ01"], "for": "P1Y", "half_lives": 5},
        "dernière prise éventuelle d'éculizumab remontant à au moins 1 an ou 5 demi-vies (le plus long des deux)",
        "last dose, if any, of eculizumab at least 1 year or 5 half-lives ago (whichever is longer)",
    ),
    (
        {"type": "washout", "codes": ["ATC:L01FA01", "ATC:L04AJ01"], "half_lives": 1.5},
        "dernière prise éventuelle de rituximab ou d'éculizumab remontant à au moins 1,5 demi-vie",
        "last dose, if any, of rituximab or eculizumab at least 1.5 half-lives ago",
    ),
    (
        {"type": "since", "codes": ["HP:0001324", "HP:0002015"], "op": "<", "value": "P5Y"},
        "première survenue (Faiblesse musculaire ou Dysphagie) datant de moins de 5 ans",
        "first occurrence (Muscle weakness or Dysphagia) less than 5 years ago",
    ),
    (
        {"type": "delta", "codes": ["CLEIO:mrss"], "op": ">=", "value": 3, "over": "P6M", "within": "P1M"},
        "Score de Rodnan modifié en hausse d'au moins 3 en 6 mois (dernière mesure datant d'au plus 1 mois)",
        "Modified Rodnan skin score with a rise of at least 3 within 6 months (latest measurement at most 1 month old)",
    ),
    (
        {
            "type": "delta",
            "codes": ["CLEIO:fvc-predicted"],
            "op": "<",
            "value": -10,
            "over": "P1Y",
            "basis": "relative",
        },
        "CVF en baisse de plus de 10 % en valeur relative en 1 an",
        "FVC with a fall of more than 10 % in relative terms within 1 year",
    ),
    (
        {"type": "delta", "codes": ["CLEIO:fvc-predicted"], "op": ">", "value": -5, "unit": "%", "over": "P1Y"},
        "CVF sans baisse d'au moins 5 points de pourcentage en 1 an",
        "FVC without a fall of at least 5 percentage points within 1 year",
    ),
    (
        {"type": "delta", "codes": ["CLEIO:mrss"], "op": "<=", "value": 0, "over": "P6M"},
        "Score de Rodnan modifié sans hausse en 6 mois",
        "Modified Rodnan skin score without a rise within 6 months",
    ),
    (
        {"type": "computed", "formula": "egfr_ckd_epi_2021", "op": ">=", "value": 60, "within": "P1M"},
        "DFG estimé selon CKD-EPI 2021 ≥ 60 mL/min/1,73 m², au cours du mois précédent",
        "estimated GFR by CKD-EPI 2021 ≥ 60 mL/min/1.73 m², within the past month",
    ),
    (
        {"type": "ratio", "numerator": ["LOINC:1920-8"], "denominator": ["LOINC:1742-6"], "op": ">", "value": 1.5},
        "rapport ASAT / ALAT > 1,5",
        "ratio AST / ALT > 1.5",
    ),
    (
        {"not": {"type": "score", "set": "CLEIO:acr-eular-2013-ssc", "op": ">=", "value": 9}},
        "pas : score ≥ 9 (critères ACR/EULAR 2013 de la sclérodermie systémique)",
        "not: score ≥ 9 (2013 ACR/EULAR criteria for systemic sclerosis)",
    ),
]


@pytest.mark.parametrize(("expression", "french", "english"), SENTENCES)
def test_an_expression_reads_as_a_clinician_would_say_it(expression: object, french: str, english: str) -> None:
    assert sentence(TypeAdapter(Expression).validate_python(expression), LABELS.get) == (french, english)


def test_every_kind_of_leaf_has_a_sentence() -> None:
    written = {
        leaf.type
        for expression, _, _ in SENTENCES
        for _, leaf in leaves(TypeAdapter(Expression).validate_python(expression))
    }

    documents = [CriteriaDocument.model_validate(json.loads(path.read_text())) for path in SAMPLE.glob("*.json")]
    assert documents
    seen = written
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
