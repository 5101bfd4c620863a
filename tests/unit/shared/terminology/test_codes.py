"""Codes are read in every spelling that records use."""

import pytest

from shared.terminology.codes import from_system, kinds_of, read_code

# One line for each code: its canonical form, then its spellings.
SPELLINGS = {
    "ORPHA:98896": """
        ORPHA:98896|orpha:98896|Orpha:98896|Orphanet:98896|ORPHANET:98896|orphanet:98896|ORDO:98896|ordo:98896
        Orphanet_98896|ORPHA_98896|ORPHA98896|ORPHA 98896|ORPHA-98896|ORPHA#98896|ORPHA: 98896|ORPHA:098896
        ORPHA:ORPHA:98896|Orphacode:98896|http://www.orpha.net/ORDO/Orphanet_98896
        https://www.orpha.net/ORDO/Orphanet_98896|http://purl.obolibrary.org/obo/Orphanet_98896
        https://www.orpha.net/consor/cgi-bin/OC_Exp.php?lng=FR&Expert=98896
        https://www.orpha.net/en/disease/detail/98896|http://identifiers.org/orphanet/98896""",
    "OMIM:310200": """
        omim:310200|MIM:310200|MIM 310200|OMIM:#310200|https://omim.org/entry/310200|http://www.omim.org/entry/310200
        http://identifiers.org/mim/310200""",
    "OMIMPS:310200": "OMIM:PS310200|OMIMPS:310200|https://www.omim.org/phenotypicSeries/PS310200",
    "MONDO:0010679": "mondo:10679|MONDO_0010679|http://purl.obolibrary.org/obo/MONDO_0010679",
    "HP:0001250": "hp:0001250|HP_0001250|HPO:0001250|https://hpo.jax.org/app/browse/term/HP:0001250",
    "ICD10:G71.0": """
        ICD10:G710|ICD10:G71.0|icd-10:g71.0|ICD-10 G71.0|CIM10:G71.0|CIM-10:G710|CIM-10 G71.0|CIM10:G710
        ICD10WHO:G71.0|urn:oid:2.16.840.1.113883.6.3:G71.0""",
    "ICD10:Z99.1": "ICD10:Z991+0|CIM-10:Z99.1+0",
    "ICD10:G63.2": "ICD10:G63.2*|ICD10:G632 *",
    "ICD10:E14.4": "ICD10:E14.4†|ICD10:E14.4+|ICD10:E144†",
    "ICD10:I48": "ICD10:I48|ICD10:I48.-|ICD10:I48.X",
    "ICD10:C00-C97": "ICD10:C00-C97|cim10:c00-c97",
    "ICD10CM:G71.01": "ICD-10-CM:G7101|ICD10CM:G71.01|ICD-10-CM G71.01",
    "SNOMED:23719005": "SNOMEDCT:23719005|SNOMED CT:23719005|SCTID:23719005|http://snomed.info/id/23719005",
    "LOINC:7917-8": "loinc:7917-8|LNC:7917-8|http://loinc.org/7917-8",
    "ATC:H02AB07": "atc:h02ab07|http://www.whocc.no/atc/H02AB07",
    "CIP:3400930000000": "CIP13:3400930000000|CIP:3400930000000",
    "CCAM:FELF001": "CCAM:FELF001|ccam:felf001-01",
    "HGNC:2928": "hgnc:2928|HGNC:HGNC:2928",
    "CVX:03": "CVX:3|cvx:03",
    "MESH:D020388": "MSH:D020388|mesh:d020388",
    "CLEIO:malignancy": "cleio:Malignancy|CLEIO:malignancy",
}
SYSTEMS = [
    ("http://www.orpha.net", "98896", "ORPHA:98896"),
    ("https://www.orpha.net/", "ORPHA:98896", "ORPHA:98896"),
    ("http://hl7.org/fhir/sid/icd-10", "G710", "ICD10:G71.0"),
    ("https://hl7.org/fhir/sid/icd-10/", "G71.0", "ICD10:G71.0"),
    ("http://hl7.org/fhir/sid/icd-10-cm", "G71.01", "ICD10CM:G71.01"),
    ("urn:oid:2.16.840.1.113883.6.3", "G71.0", "ICD10:G71.0"),
    ("2.16.840.1.113883.6.90", "G71.01", "ICD10CM:G71.01"),
    ("https://smt.esante.gouv.fr/terminologie-cim-10/", "G71.0", "ICD10:G71.0"),
    ("urn:oid:1.2.250.1.213.2.12", "G710", "ICD10:G71.0"),
    ("urn:oid:1.2.250.1.213.2.5", "FELF001", "CCAM:FELF001"),
    ("http://snomed.info/sct|http://snomed.info/sct/11000315107", "23719005", "SNOMED:23719005"),
    ("http://purl.obolibrary.org/obo/hp.owl", "HP:0001250", "HP:0001250"),
    ("http://purl.obolibrary.org/obo/mondo.owl", "0010679", "MONDO:0010679"),
    ("http://www.genenames.org", "HGNC:2928", "HGNC:2928"),
    ("http://www.nlm.nih.gov/research/umls/rxnorm", "1234", "RXNORM:1234"),
    ("CIM-10", "G710", "ICD10:G71.0"),
    ("http://example.org/local", "G71.0", None),
    ("urn:oid:2.16.840.1.113883.6.345", "G71.0", None),
    (None, "orphanet:98896", "ORPHA:98896"),
]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (text.strip(" ") if "|" not in text else text, code)
        for code, lines in SPELLINGS.items()
        for line in lines.strip().splitlines()
        for text in line.lstrip().split("|")
    ],
)
def test_a_code_is_read_in_any_spelling(text, code):
    assert read_code(text) == code


@pytest.mark.parametrize(("system", "code", "expected"), SYSTEMS)
def test_a_code_is_read_with_the_address_of_its_system(system, code, expected):
    assert from_system(system, code) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "G71.0",
        "LOCAL:abc",
        "ORPHA:",
        "ORPHA:abc",
        "LOINC:7917",
        "ICD10:71",
        "http://snomed.info/sct",
        "a" * 9999,
    ],
)
def test_what_is_not_understood_is_no_code(text):
    assert read_code(text) is None


def test_a_canonical_code_stays_as_it_is():
    for code in SPELLINGS:
        assert read_code(code) == code


def test_the_kind_of_thing_follows_from_the_system():
    assert kinds_of("ORPHA:98896") == {"disease"}
    assert kinds_of("HP:0001250") == {"feature"}
    assert kinds_of("ICD10:G71.0") == {"disease", "feature"}
    assert kinds_of("ICD10:Z94.8") == kinds_of("SNOMED:1") == kinds_of("LOCAL:1") == frozenset()
