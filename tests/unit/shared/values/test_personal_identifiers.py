"""Personal identifiers are detected by key and by form; ordinary medical data are not."""

import json
import lzma
from itertools import islice
from pathlib import Path

import pytest

from shared.values.personal_identifiers import identifying, shape_of

KEY = "1850578006084"


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("185057800608491", "nir"),
        ("1 85 05 78 006 084 91", "nir"),
        ("1-85-05-78-006-084-91", "nir"),
        ("1\u00a085\u00a005\u00a078\u00a0006\u00a0084\u00a091", "nir"),
        ("né le 1850578006084 91.", "nir"),
        ("185057800608492", None),  # a wrong check key
        ("1850578006084", "nir"),
        ("1 85 05 78 006 084", "nir"),
        ("1851378006084", None),  # there is no thirteenth month
        ("185052A00608435", "nir"),
        ("1 85 05 2a 006 084 35", "nir"),
        ("185052B00608462", "nir"),
        ("185052A00608436", None),
        ("91850578006084912", None),  # part of a longer number
        ("SNOMED:1850578006084", None),
        ("1.2.250.1.213.1.4.8", "ins"),
        ("urn:oid:1.2.250.1.213.1.4.10", "ins"),
        ("1.2.250.1.213.1.1.8", None),
        ("jean.dupont@chu-lille.fr", "email"),
        ("mailto:a@b.org", "email"),
        ("a@b", None),
        ("06 12 34 56 78", "phone"),
        ("0612345678", "phone"),
        ("06.12.34.56.78", "phone"),
        ("+33 6 12 34 56 78", "phone"),
        ("+33(0)6 12 34 56 78", "phone"),
        ("0033612345678", "phone"),
        ("+262 692 12 34 56", "phone"),
        ("00 12 34 56 78", None),
        ("HP:0001250", None),
        ("ORPHA:98896", None),
        ("LOINC:10230-1", None),
        ("MONDO:0010679", None),
        ("NM_004006.3:c.6292C>T", None),
        ("NC_000015.10:g.67236720del", None),
        ("2024-03-05T13:15:24.563273906Z", None),
        ("2021-12-20", None),
        ("ORCID:0000-0002-5648-2155", None),
        ("https://pubmed.ncbi.nlm.nih.gov/15266616", None),
        ("mL/min/{1.73_m2}", None),
    ],
)
def test_the_form_of_a_value(text: str, shape: str | None) -> None:
    assert shape_of(text) == shape


@pytest.mark.parametrize(
    "key",
    [
        "name",
        "birthName",
        "birth_name",
        "prénom",
        "NOM",
        "e-mail",
        "telecom",
        "address",
        "NIR",
        "ins",
        "free_text",
        "note",
        "photo",
        "attachment",
    ],
)
def test_a_key_that_names_a_person_is_refused_at_any_depth(key: str) -> None:
    found = identifying({"facts": [{"id": "x", "more": {key: 1}}]})
    assert [(fault.pointer, fault.code) for fault in found] == [(f"/facts/0/more/{key}", "identifier_key")]


def test_no_key_of_the_native_patient_is_an_identifier() -> None:
    keys = (
        "as_of birth_date age sex place facts domains_complete id kind codes status date start end value comparator "
        "unit ref_low ref_high assay dose outcome body_site severity relative variant question answer gene type "
        "exon_from hgvs per_kg domain from to"
    )
    assert identifying({key: {} for key in keys.split()}) == []


def test_provenance_and_extensions_of_a_phenopacket_may_have_names_but_no_numbers() -> None:
    packet = {
        "metaData": {"resources": [{"name": "Human Phenotype Ontology"}], "createdBy": KEY},
        "x": {"extensions": [{"name": "mosaicism"}]},
    }
    assert [fault.pointer for fault in identifying(packet)] == ["/metaData/createdBy"]


def test_a_number_is_detected_by_its_digits_and_an_identifying_key_is_left_out_of_the_pointer() -> None:
    assert [(fault.pointer, fault.code) for fault in identifying({"value": int(KEY)})] == [("/value", "identifier_nir")]
    found = identifying({"a": {KEY: {"name": 1}}})
    assert [fault.pointer for fault in found] == ["/a", "/a/name"]


def test_at_most_ten_places_are_reported() -> None:
    assert len(identifying({"facts": [{"name": 1}] * 50})) == 10


def test_no_text_takes_long_to_search() -> None:
    for text in (
        "a" * 200_000 + "@",
        "a@" * 100_000,
        "0" * 200_000,
        "1 85 " * 40_000,
        "06." * 60_000,
        "a@a-." * 40_000,
    ):
        assert shape_of(text) in {None, "phone", "nir"}


@pytest.mark.real_data
@pytest.mark.parametrize(("every", "count"), [(20, 523), pytest.param(1, 10_456, marks=pytest.mark.full)])
def test_no_published_case_is_refused(real_data: Path, every: int, count: int) -> None:
    refused = total = 0
    with lzma.open(real_data / "patients_phenopackets" / "phenopacket_store.jsonl.xz", "rt", encoding="utf-8") as lines:
        for line in islice(lines, 0, None, every):
            total += 1
            refused += bool(identifying(json.loads(line)))
    assert (total, refused) == (count, 0)
