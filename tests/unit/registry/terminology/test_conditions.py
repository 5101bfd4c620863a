"""Map condition texts of registries to codes, or to `unmapped`."""

import pytest

from services.registry.terminology.conditions import map_condition
from services.registry.terminology.terminology import Terminology


def named(code: str, *names: str, parents: tuple[str, ...] = ()) -> dict:
    return {
        "code": code,
        "label": {"fr": names[0], "en": names[-1]},
        "synonyms": {"en": list(names), "fr": []},
        "parents": list(parents),
    }


KNOWN = Terminology.from_json(
    {
        "diseases": [
            named("D:sickle", "Drépanocytose", "SCD", "Sickle cell disease"),
            named("D:ssc", "Sclérodermie systémique", "SSc", "Systemic sclerosis"),
            named("D:sle", "Lupus érythémateux systémique", "SLE", "Lupus", "Systemic lupus erythematosus"),
            named("D:nephritis", "Néphrite lupique", "Lupus nephritis"),
            named("D:dm", "Dermatomyosite", "Dermatomyositis", parents=("D:iim",)),
            named("D:iim", "Myopathie inflammatoire", "IIM", "Inflammatory myopathy"),
            named("D:pm", "Polymyosite", "Polymyositis", parents=("D:iim",)),
            named("D:t1d", "Diabète de type 1", "Type 1 diabetes"),
            named("D:hae", "Hémophilie A", "Hemophilia A"),
            named("D:as", "Spondylarthrite ankylosante", "AS", "Ankylosing spondylitis"),
        ],
        "clinical": [named("C:transfusion", "Transfusion", "Transfusion")],
    }
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Sickle Cell Disease", "D:sickle"),
        ("drepanocytose", "D:sickle"),
        ("Systemic Sclerosis - 2013 ACR/EULAR Classification Criteria", "D:ssc"),
        ("Sclerosis, Systemic", "D:ssc"),
        ("SSc-Systemic Sclerosis", "D:ssc"),
        ("Refractory / Relapsed / Progressive Systemic Sclerosis", "D:ssc"),
        ("SLE (Systemic Lupus)", "D:sle"),
        ("Lupus Nephritis - WHO Class IV", "D:nephritis"),
        ("Type I Diabetes", "D:t1d"),
        ("Haemophilia A with inhibitors", "D:hae"),
        ("Hémophilie A sévère", "D:hae"),
        ("Inflammatory myopathies (dermatomyositis)", "D:dm"),
        ("AS", "D:as"),
    ],
)
def test_a_known_disease_is_recognised(text, code):
    found = map_condition(text, KNOWN)
    assert (found.outcome, found.code) == ("mapped", code)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("Sickle cell trait", "unknown"),
        ("Sickle Cell Disease trait carriers", "other_disease"),
        ("Leg ulcer in sickle cell disease", "other_disease"),
        ("Pulmonary hypertension due to systemic sclerosis", "other_disease"),
        ("Lupus anemia", "other_disease"),
        ("Lupus-like syndrome", "other_disease"),
        ("Not lupus", "negated"),
        ("Non-lupus", "negated"),
        ("Polymyositis/Dermatomyositis", "ambiguous"),
        ("such as", "unknown"),
        ("Platelet transfusion", "unknown"),
        ("Gyrate Atrophy", "unknown"),
        ("", "unknown"),
    ],
)
def test_other_texts_stay_unmapped(text, outcome):
    found = map_condition(text, KNOWN)
    assert (found.outcome, found.code) == (outcome, None)


def test_a_name_of_two_diseases_is_ambiguous():
    both = Terminology.from_json(
        {"diseases": [named("D:1", "SS", "Sjögren syndrome"), named("D:2", "SS", "Systemic sclerosis")]}
    )
    assert map_condition("SS", both).outcome == "ambiguous"
