"""Lookup, closure and version of a small terminology, and of the built-in one."""

import pytest

from services.registry.terminology.concept import Concept
from services.registry.terminology.terminology import Terminology, TerminologyError, builtin
from shared.criteria.formulas import FORMULAS
from shared.criteria.scores import SCORES
from shared.terminology.clinical_data import HALF_LIVES
from tests.unit.registry.terminology.closure import carriers, descendants, exclusive_with, named


def concept(code: str, fr: str, en: str, **more) -> dict:
    return {"code": code, "label": {"fr": fr, "en": en}, **more}


HEMOGLOBINOPATHY = concept("ORPHA:1", "Hémoglobinopathie", "Haemoglobinopathy")
SICKLE_CELL = concept(
    "ORPHA:232",
    "Drépanocytose",
    "Sickle cell disease",
    synonyms={"fr": ["anémie falciforme"], "en": ["SCD", "sickle cell anaemia"]},
    parents=["ORPHA:1"],
    same_as=["MONDO:0011382"],
)
HBSS = concept(
    "ORPHA:251380",
    "Drépanocytose homozygote",
    "Homozygous sickle cell disease",
    parents=["MONDO:0011382"],
    exclusive_with=["ORPHA:9"],
)
OTHER = concept("ORPHA:9", "Hémophilie A", "Hemophilia A")


def terminology(*given: dict) -> Terminology:
    return Terminology.from_json({"diseases": given or (HEMOGLOBINOPATHY, SICKLE_CELL, HBSS, OTHER)})


@pytest.mark.parametrize(
    "name",
    ["drepanocytose", "DRÉPANOCYTOSE", "Sickle-cell diseases", "sickle cell anemia", "Anémie  falciforme", "SCD"],
)
def test_a_name_is_found_with_other_accents_case_and_spelling(name):
    assert [found.code for found in named(terminology(), name)] == ["ORPHA:232"]


@pytest.mark.parametrize("typed", ["mucoviscidose", "Mucovicidose", "cystic fibrosys"])
def test_words_find_concepts_also_with_wrong_letters(typed):
    assert builtin().find(None, typed, 1)[0].code == "ORPHA:586"
    assert not builtin().find(None, "mucovxxidoze", 1)


def test_an_unknown_name_finds_nothing():
    assert named(terminology(), "sickle") == []


def test_a_code_is_found_by_an_equivalent_one():
    found = terminology().concept("MONDO:0011382")
    assert found is not None
    assert found.code == "ORPHA:232"
    assert terminology().concept("MONDO:1") is None


def test_the_closure_goes_through_same_as_codes():
    known = terminology()
    assert known.ancestors("ORPHA:251380") == {"ORPHA:232", "MONDO:0011382", "ORPHA:1"}
    assert descendants(known, "ORPHA:1") == {"ORPHA:232", "MONDO:0011382", "ORPHA:251380"}
    assert carriers(known, "MONDO:0011382") == {"ORPHA:232", "MONDO:0011382", "ORPHA:251380"}
    assert known.ancestors("ORPHA:404") == frozenset()


def test_exclusion_applies_in_both_directions():
    assert exclusive_with(terminology(), "ORPHA:9") == {"ORPHA:251380"}
    assert exclusive_with(terminology(), "ORPHA:251380") == {"ORPHA:9"}


def test_the_version_changes_with_the_content_and_not_with_the_order():
    assert terminology(HEMOGLOBINOPATHY, SICKLE_CELL).version == terminology(SICKLE_CELL, HEMOGLOBINOPATHY).version
    assert (
        terminology(HEMOGLOBINOPATHY, SICKLE_CELL).version != terminology(HEMOGLOBINOPATHY, SICKLE_CELL, OTHER).version
    )


@pytest.mark.parametrize(
    "given",
    [
        (OTHER, OTHER),
        (concept("A:1", "a", "a", parents=["A:2"]), concept("A:2", "b", "b", parents=["A:1"])),
        (concept("A:1", "a", "a", parents=["A:1"]),),
    ],
    ids=["twice", "cycle", "own parent"],
)
def test_concepts_that_contradict_each_other_are_refused(given):
    with pytest.raises(TerminologyError):
        terminology(*given)


def test_a_concept_keeps_its_form():
    full = {**SICKLE_CELL, "system": "ORPHA", "state": None, "longest": None}
    full |= {name: [] for name in ("exclusive_with", "children", "covers", "uncertain")}
    assert Concept.from_json(SICKLE_CELL).to_json() == full


def test_the_builtin_one_names_its_diseases_in_both_languages():
    shipped = builtin()
    assert len(shipped) > 100
    for name in ("Drépanocytose", "Sickle cell disease"):
        assert len(named(shipped, name)) == 1
    assert all(found.label_fr and found.label_en for found in shipped)


def test_the_codes_of_formulas_scores_and_half_lives_are_known():
    inputs = {code for one in FORMULAS.values() for part in one.inputs.values() for code in part.codes}
    recorded = {code for one in FORMULAS.values() for code in one.recorded}
    items = {code for one in SCORES.values() for group in one.groups for item in group for code in item.codes}
    asked = inputs | recorded | items | set(SCORES) | set(HALF_LIVES)
    assert [code for code in sorted(asked) if code not in builtin().graph] == []
