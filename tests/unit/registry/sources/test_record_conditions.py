"""The conditions of a trial: what a record's condition texts, MeSH terms and titles say, and no more."""

import json
from typing import Any

import pytest

from services.registry.sources.ctgov import read_study
from services.registry.sources.registry_criteria import registry_criteria
from services.registry.terminology.terminology import Terminology
from shared.criteria.model import CriteriaDocument


def named(code: str, *names: str, parents: tuple[str, ...] = (), same_as: tuple[str, ...] = ()) -> dict[str, Any]:
    label = {"fr": names[0], "en": names[-1]}
    synonyms = {"en": list(names), "fr": []}
    return {"code": code, "label": label, "synonyms": synonyms, "parents": list(parents), "same_as": list(same_as)}


KNOWN = Terminology.from_json(
    {
        "diseases": [
            named("CLEIO:autoimmune", "Maladie auto-immune", "Autoimmune disease"),
            named("CLEIO:lupus", "Lupus systémique", "Lupus", parents=("CLEIO:autoimmune",)),
            named("CLEIO:ssc", "Sclérodermie systémique", "Systemic sclerosis", parents=("CLEIO:autoimmune",)),
            named("CLEIO:t1d", "Diabète de type 1", "Type 1 diabetes", same_as=("MESH:D003922",)),
            named("CLEIO:mps", "Mucopolysaccharidose", "Mucopolysaccharidosis", "MPS"),
            named("CLEIO:mps3a", "MPS IIIA", "Mucopolysaccharidosis type IIIA", parents=("CLEIO:mps",)),
            named("CLEIO:scid", "DICS", "SCID", "Severe combined immunodeficiency", same_as=("MESH:D016511",)),
            named("CLEIO:hb", "Hémophilie B", "Hemophilia B"),
            named("CLEIO:hb-severe", "Hémophilie B sévère", "Severe hemophilia B", parents=("CLEIO:hb",)),
            named("CLEIO:hb-moderate", "Hémophilie B modérée", "Moderate hemophilia B", parents=("CLEIO:hb",)),
        ]
    }
)


def study(conditions: list[str], title: str = "A study", meshes: list[dict[str, str]] | None = None) -> dict[str, Any]:
    identification = {"nctId": "NCT00000001", "briefTitle": title}
    ancestors = [{"id": "D001327", "term": "Autoimmune Diseases"}]
    return {
        "protocolSection": {"identificationModule": identification, "conditionsModule": {"conditions": conditions}},
        "derivedSection": {"conditionBrowseModule": {"meshes": meshes or [], "ancestors": ancestors}},
    }


def indication(record: dict[str, Any]) -> tuple[list[str], bool]:
    """Return the codes of the indication criterion, and whether a clinician is asked too."""
    document = {**registry_criteria(read_study(record, KNOWN).trial, KNOWN), "version": 1}
    CriteriaDocument.model_validate_json(json.dumps(document))
    expression = document["criteria"][0]["expr"]
    leaves = expression.get("any", [expression])
    codes = [code for leaf in leaves if leaf["type"] == "has" for code in leaf["codes"]]
    return codes, any(leaf["type"] == "human" for leaf in leaves)


MESH_T1D = {"id": "D003922", "term": "Diabetes Mellitus, Type 1"}
MESH_SCID = {"id": "D000016511", "term": "Severe Combined Immunodeficiency"}


CASES = {
    "both grades": (
        study(["Severe or Moderately Severe Hemophilia B"]),
        ["CLEIO:hb-severe", "CLEIO:hb-moderate"],
        False,
    ),
    "general beside a disease": (study(["Autoimmune Diseases", "Lupus"]), ["CLEIO:lupus"], False),
    "general alone": (study(["Autoimmune Diseases"]), ["CLEIO:autoimmune"], False),
    "general beside an unknown disease": (study(["Autoimmune Diseases", "Gyrate Atrophy"]), [], True),
    "group beside its form": (study(["Mucopolysaccharidoses", "MPS IIIA"]), ["CLEIO:mps3a"], False),
    "a form without a code": (study(["Mucopolysaccharidosis Type IIIB"]), [], True),
    "no wider MeSH term for a form": (study(["Mucopolysaccharidosis Type IIIB"], meshes=[MESH_SCID]), [], True),
    "due to": (study(["SCID Due to RAG1 Deficiency"], "Gene therapy of SCID", [MESH_SCID]), [], True),
    "MeSH where the text is not known": (study(["Brittle sugar"], meshes=[MESH_T1D]), ["CLEIO:t1d"], True),
    "MeSH without text": (study([], meshes=[MESH_SCID]), ["CLEIO:scid"], False),
    "title without conditions": (study([], "Gene Therapy for Hemophilia B"), ["CLEIO:hb"], False),
    "title where no disease is coded": (study(["CAR-T Cell Therapy"], "Cells for Lupus"), ["CLEIO:lupus"], False),
    "no title beside conditions": (study(["Lupus"], "Cells for Systemic Sclerosis"), ["CLEIO:lupus"], False),
    "title beside a general condition": (study(["Autoimmune Diseases"], "Systemic Sclerosis"), ["CLEIO:ssc"], False),
    "title beside its group": (study(["Mucopolysaccharidosis"], "Gene therapy of MPS IIIA"), ["CLEIO:mps3a"], False),
    "title of another disease": (study(["Mucopolysaccharidosis"], "Cells for Lupus"), ["CLEIO:mps"], False),
    "nothing": (study([], "A study of a vector"), [], True),
}


@pytest.mark.parametrize("case", CASES)
def test_the_indication_is_what_the_record_says(case):
    record, codes, asks = CASES[case]
    assert indication(record) == (codes, asks)


def test_what_is_inferred_is_marked_in_the_trial_and_in_the_criterion():
    trial = read_study(study([], "Gene Therapy for Hemophilia B"), KNOWN).trial
    assert [(one.code, one.text, one.inferred) for one in trial.conditions] == [("CLEIO:hb", "Hemophilia B", "title")]
    assert registry_criteria(trial, KNOWN)["criteria"][0]["text"] == {
        "fr": "Hemophilia B (déduit du titre)",
        "en": "Hemophilia B (inferred from the title)",
    }
    general = read_study(study(["Autoimmune Diseases", "Lupus"]), KNOWN).trial
    assert [(one.text, one.role) for one in general.conditions] == [
        ("Autoimmune Diseases", "related"),
        ("Lupus", "target"),
    ]


def test_ancestors_of_mesh_terms_are_never_read():
    assert indication(study([])) == ([], True)
