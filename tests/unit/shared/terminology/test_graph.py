"""What a code could be, and how long its state lasts (`docs/eligibility.md` §4)."""

import pytest

from shared.terminology.document import UnreadableTerminologyError, read_document, write_document
from shared.terminology.graph import Properties, State, Terminology
from shared.terminology.nodes import Nodes

KNOWN = Terminology(
    parents={
        "ORPHA:512": ["ICD10:E75.2", "ORPHA:68366"],
        "ORPHA:487": ["ICD10:E75.2", "ORPHA:68366"],
        "ORPHA:98896": ["ICD10:G71.0"],
        "ORPHA:5": ["ICD10:E70-E90"],
        "CLEIO:solid-tumour": ["CLEIO:malignancy"],
        "HP:0001250": ["HP:0012638"],
        "ATC:H02AB07": ["CLEIO:steroid"],
    },
    same_as={"ORPHA:512": ["MONDO:0018868"], "ORPHA:98896": ["MONDO:0010679", "OMIM:310200"]},
    exclusive_with={"ORPHA:512": ["ORPHA:487"]},
    children={
        "CLEIO:malignancy": ["ICD10:C00-C97"],
        "CLEIO:hsct": ["CCAM:FELF001", "SNOMED:23719005"],
        "CLEIO:pregnancy": ["ICD10:O00-O99"],
    },
    covers={"CLEIO:malignancy": ["ICD10"], "CLEIO:pregnancy": ["ICD10"]},
    uncertain={"CLEIO:malignancy": ["ICD10:D37-D48"]},
    states={"CLEIO:malignancy": State("persists"), "CLEIO:pregnancy": State("passing", "P42W")},
    codes=["ORPHA:77", "OMIM:123456"],
)
LEUKODYSTROPHY, DUCHENNE, CANCER = "ORPHA:512", "ORPHA:98896", "CLEIO:malignancy"

# A code of the patient, the code that a criterion asks for, and whether the first could be the second.
COULD_BE = [
    ("ICD10:E75.2", LEUKODYSTROPHY, True, "broader"),
    ("ICD10:E75", LEUKODYSTROPHY, True, "still broader"),
    ("ICD10:E75.4", LEUKODYSTROPHY, False, "beside the nearest place"),
    ("ICD10:I10", LEUKODYSTROPHY, False, "elsewhere in the same system"),
    ("ICD10:E75.21", LEUKODYSTROPHY, True, "below the nearest place"),
    ("ICD10:E75.4", "ORPHA:5", True, "below the only place, a block"),
    ("ICD10:I10", "ORPHA:5", False, "outside the block"),
    ("ICD10CM:G71.01", DUCHENNE, True, "another system, placed by its category"),
    ("ICD10CM:I10", DUCHENNE, False, "another category"),
    ("ICD10:C22.0", CANCER, True, "narrower"),
    ("ICD10:I10", CANCER, False, "outside what the concept covers"),
    ("ICD10:D45", CANCER, True, "uncertain"),
    ("ICD10:D12", CANCER, False, "neither"),
    ("ICD10:D45", "CLEIO:solid-tumour", True, "uncertain of the wider concept"),
    ("ICD10:I10", "CLEIO:solid-tumour", False, "outside the wider concept"),
    ("HP:0001250", DUCHENNE, False, "a feature is no disease"),
    ("HP:9999999", DUCHENNE, False, "an unknown feature neither"),
    ("ORPHA:999999", DUCHENNE, True, "an unknown disease"),
    ("OMIM:999999", DUCHENNE, True, "an unknown disease of another system"),
    ("OMIM:123456", DUCHENNE, False, "a known disease of a system that places the one asked for"),
    ("ORPHA:77", DUCHENNE, False, "another known disease"),
    ("MONDO:0018868", DUCHENNE, False, "another known disease in another system"),
    ("SNOMED:73297009", DUCHENNE, True, "a code that nothing understands"),
    ("LOCAL:DMD", DUCHENNE, True, "a local code that nothing understands"),
    ("ATC:J07BL01", DUCHENNE, False, "a medicine is no disease"),
    ("UCD:9400000", "ATC:H02AB", True, "an unknown medicine"),
    ("ATC:H02AB02", "ATC:H02AB", True, "narrower by form"),
    ("ATC:J07BL01", "ATC:H02AB", False, "elsewhere by form"),
    ("ATC:H02AB02", "CLEIO:steroid", True, "not placed by ATC"),
    ("ICD10:I10", "CLEIO:hsct", False, "a disease is no procedure"),
    ("ICD10:Z94.8", "CLEIO:hsct", True, "a state after a procedure"),
    ("CLEIO:pregnancy", CANCER, False, "links of our own concepts are all known"),
    ("CLEIO:other", CANCER, True, "an own concept that is not known"),
]


@pytest.mark.parametrize(("code", "asked", "expected"), [case[:3] for case in COULD_BE], ids=[c[3] for c in COULD_BE])
def test_a_code_could_be_what_is_asked_unless_it_is_ruled_out(code, asked, expected):
    assert KNOWN.could_be(code, asked) is expected


def test_a_code_of_icd_10_for_a_group_says_nothing_of_its_members():
    nodes = Nodes()
    nodes.add_class(["MONDO:0004994"])
    nodes.link("MONDO:0010281", "MONDO:0004994")
    known = Terminology.of(nodes, Properties(coded={"MONDO:0004994": ["ICD10:I42"]}))
    assert "MONDO:0004994" in known.above("ICD10:I42.0"), "what has the code is of the group"
    assert not known.could_be("ICD10:E74.0", "MONDO:0004994")
    assert known.could_be("ICD10:E74.0", "MONDO:0010281"), "Danon disease is a cardiomyopathy outside I42"


def test_icd_10_and_atc_place_codes_that_no_table_has():
    assert KNOWN.above("ICD10:G71.09") >= {"ICD10:G71.0", "ICD10:G71", "ICD10:G70-G73", "ICD10:G00-G99"}
    assert KNOWN.above("ICD10CM:G71.01") >= {"ICD10CM:G71.0", "ICD10:G71"}
    assert KNOWN.above("ICD10:C22.0") >= {"ICD10:C22", "ICD10:C15-C26", "ICD10:C00-C75", "ICD10:C00-C97", CANCER}
    assert KNOWN.above("ATC:H02AB02") == {"ATC:H02AB02", "ATC:H02AB", "ATC:H02A", "ATC:H02", "ATC:H"}
    for code, understood in (("ICD10:X99.9", True), ("ATC:H02AB99", True), ("ICD10:G7", False), ("LOINC:1-8", False)):
        assert KNOWN.understands(code) is understood


def test_the_nearest_concept_says_how_long_a_state_lasts():
    assert KNOWN.state_of("ICD10:C22.0") == State("persists")
    assert KNOWN.state_of("CLEIO:solid-tumour") == State("persists")
    assert KNOWN.state_of("ICD10:O20.0") == State("passing", "P42W")
    assert KNOWN.state_of("ICD10:I10") is None


def test_a_document_reads_as_it_was_written_and_is_refused_when_damaged():
    content = write_document(KNOWN, [(DUCHENNE, "Duchenne (fr)", "Duchenne")], "v1")
    read = read_document(content)
    assert read.version == "v1"
    assert read.label("OMIM:310200") == {"fr": "Duchenne (fr)", "en": "Duchenne"}
    for code, asked, expected, _ in COULD_BE:
        assert read.terminology.could_be(code, asked) is expected, (code, asked)
        assert read.terminology.above(code) == KNOWN.above(code)
        assert read.terminology.excludes(code) == KNOWN.excludes(code)
        assert read.terminology.state_of(code) == KNOWN.state_of(code)
    for damaged in (content[:-9], b"", content[:40], b"cleio-terminology 1\tv1\n"):
        with pytest.raises(UnreadableTerminologyError):
            read_document(damaged)
