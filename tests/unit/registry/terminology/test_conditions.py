"""Map condition texts of registries to codes, or to `unmapped`."""

import pytest

from services.registry.terminology.conditions import map_condition
from services.registry.terminology.terminology import Terminology
from services.registry.terminology.titles import diseases_of_title


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
            named("D:hb", "Hémophilie B", "Hemophilia B"),
            named("D:hb-severe", "Hémophilie B sévère", "Severe hemophilia B", parents=("D:hb",)),
            named("D:hb-moderate", "Hémophilie B modérée", "Moderate hemophilia B", parents=("D:hb",)),
            named("D:gaucher", "Maladie de Gaucher", "Gaucher disease"),
            named("D:fabry", "Maladie de Fabry", "Fabry disease"),
            named("D:sma1", "SMA de type 1", "SMA type 1"),
            named("D:sma2", "SMA de type 2", "SMA type 2"),
            named("D:scid", "DICS", "SCID", "Severe combined immunodeficiency"),
            named("D:ada", "Déficit en ADA", "ADA deficiency", parents=("D:scid",)),
            named("D:parkinson", "Maladie de Parkinson", "Parkinson disease"),
            named("D:uc", "Rectocolite hémorragique", "UC", "Ulcerative colitis"),
            named("D:stroke", "AVC", "Stroke"),
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
        ("Hemophilia A type 2", "narrower"),
        ("Systemic sclerosis type IIIZ", "narrower"),
        ("Autosomal dominant dermatomyositis", "narrower"),
        ("Severe combined immunodeficiency due to RAG1 deficiency", "narrower"),
        ("Lupus nephritis dermatomyositis", "ambiguous"),
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


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Severe or Moderately Severe Hemophilia B", ["D:hb-severe", "D:hb-moderate"]),
        ("Moderate to severe haemophilia B", ["D:hb-moderate", "D:hb-severe"]),
        ("Hémophilie B modérée ou sévère", ["D:hb-moderate", "D:hb-severe"]),
        ("Gaucher's and Fabry Disease", ["D:gaucher", "D:fabry"]),
        ("Hemophilia A and/or B", ["D:hae", "D:hb"]),
        ("SMA type 1, 2", ["D:sma1", "D:sma2"]),
        ("SMA type 1 or 2", ["D:sma1", "D:sma2"]),
        ("Polymyositis/Dermatomyositis", ["D:pm", "D:dm"]),
        ("SCID due to ADA deficiency", ["D:ada"]),
        ("Relapsed or refractory lupus", ["D:sle"]),
    ],
)
def test_a_condition_is_as_wide_and_as_specific_as_it_is_written(text, codes):
    assert list(map_condition(text, KNOWN).codes) == codes


def test_a_part_that_is_not_recognised_is_kept_as_a_question():
    found = map_condition("Hemophilia B or Gyrate Atrophy", KNOWN)
    assert (found.codes, found.partial) == (("D:hb",), True)


@pytest.mark.parametrize(
    ("title", "codes"),
    [
        ("Gene Therapy for Hemophilia B", ["D:hb"]),
        ("AAV5-hFIXco in Subjects With Severe or Moderately Severe Hemophilia B", ["D:hb-severe", "D:hb-moderate"]),
        ("A Study of Cells in Patients With Fabry Disease and Gaucher Disease", ["D:fabry", "D:gaucher"]),
        ("UC-MSC in Patients With Parkinson's Disease", ["D:parkinson"]),
        ("Thérapie génique de la drépanocytose", ["D:sickle"]),
        ("Mesenchymal Stem Cells for Lupus - A Phase 1 Study", ["D:sle"]),
        ("Stroke in Patients With Sickle Cell Disease", []),
        ("Gene Transfer for SMA Type 5", []),
        ("Cells for Lupus-like Syndromes", []),
        ("UC-MSC for Burns", []),
        ("Islet Transplantation", []),
    ],
)
def test_a_title_names_a_disease_only_where_no_other_reading_is_left(title, codes):
    assert [one.code for one in diseases_of_title(title, KNOWN)] == codes
