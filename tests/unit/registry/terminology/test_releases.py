"""Releases become tables, always the same bytes; lists and code maps become names and links."""

from pathlib import Path

import pytest

from services.registry.terminology.build import build
from services.registry.terminology.compiled import Tables, read_tables
from services.registry.terminology.releases.compiling import CodeClass, cycles
from services.registry.terminology.releases.opening import UnknownReleaseError, read_release
from services.registry.terminology.releases.statements import read_statements, write_statements
from services.registry.terminology.terminology import Terminology, builtin
from tests.unit.registry.terminology.releases import CLAML, GENES, LINKS, NAMES, write_releases


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, str]:
    report = build(tmp_path / "tables", write_releases(tmp_path))
    assert report[0].startswith("14 codes in 9 classes")
    assert report[1:] == ["not a code: 1", "left out, second code of a system: 1"]
    return {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "tables").iterdir()}


def test_small_releases_give_these_bytes(tables: dict[str, str], tmp_path: Path) -> None:
    assert tables["links-01.tsv"] == LINKS
    assert tables["names-en-01.tsv"] == NAMES
    assert tables["names-fr-01.tsv"] == "HP:0001638\tCardiomyopathie\t\t\n"
    assert tables["genes-01.tsv"] == GENES
    assert [line.split("\t")[:2] for line in tables["releases.tsv"].splitlines()] == [
        ["mondo.json", "mondo-json"],
        ["maps.sssom.tsv", "sssom"],
        ["packets.jsonl.xz", "orphadata"],
        ["hp.obo.gz", "obo"],
        ["hp-fr.babelon.tsv", "babelon"],
    ]
    build(tmp_path / "tables", write_releases(tmp_path))
    again = {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "tables").iterdir()}
    assert again == tables


def test_concepts_written_by_hand_win_over_the_tables(tables: dict[str, str]) -> None:
    def by_hand(**links: list[str]) -> Terminology:
        concept = {"code": "ORPHA:34587", "label": {"fr": "Maladie de Danon", "en": "Danon disease"}, **links}
        other = {"code": "ORPHA:79201", "label": {"fr": "Glycogénose", "en": "GSD"}}
        return Terminology.from_json({"diseases": [concept, other]}, Tables(tables))

    plain = by_hand()
    assert plain.ancestors("OMIM:300257") >= {"MONDO:0004994", "ORPHA:79201"}
    assert plain.disease_phrases.exactly("GSD due to LAMP-2 deficiency") == ("ORPHA:34587",)
    assert plain.concept("MONDO:0000099").label_fr == "Maladie de Danon"
    assert plain.concept("HP:0001701").label_fr == "Cardiomyopathie"
    assert "OMIM:300257" not in by_hand(parents=["OMIM:300257"]).same_as("ORPHA:34587"), (
        "a broader code is not the same"
    )
    assert "MONDO:0010281" not in by_hand(same_as=["MONDO:0000077"]).same_as("ORPHA:34587"), "one code of a system"
    assert "ORPHA:79201" not in by_hand(exclusive_with=["ORPHA:79201"]).ancestors("ORPHA:34587")
    assert "ORPHA:34587" in by_hand(children=["ORPHA:79201"]).ancestors("ORPHA:79201"), "the other way round"
    assert "ORPHA:79201" not in by_hand(children=["ORPHA:79201"]).ancestors("ORPHA:34587")


LISTS = {
    "claml": (
        CLAML,
        {("ICD10:I42", "fr"): "Myocardiopathie", ("ICD10:I42.0", "fr"): "Myocardiopathie avec dilatation"},
        [],
    ),
    "atc": (
        "code\tname\nA\tALIMENTARY\nH02AB07\tprednisone\n",
        {("ATC:A", "en"): "ALIMENTARY", ("ATC:H02AB07", "en"): "prednisone"},
        [],
    ),
    "loinc": (
        '"LOINC_NUM","LONG_COMMON_NAME","SHORTNAME"\n"1742-6","ALT in Serum","ALT"\n',
        {("LOINC:1742-6", "en"): "ALT in Serum"},
        [],
    ),
    "hgnc": ("hgnc_id\tsymbol\tname\nHGNC:2928\tDMD\tdystrophin\n", {("HGNC:2928", "en"): "DMD"}, []),
    "ccam": ("ccam;label\nFELF001;Transfusion\n", {("CCAM:FELF001", "fr"): "Transfusion"}, []),
    "ucd": (
        "ucd;atc;label\n9400001;H02AB07;PREDNISONE 20MG CPR\n",
        {("UCD:9400001", "fr"): "PREDNISONE 20MG CPR"},
        [("UCD:9400001", "ATC:H02AB07")],
    ),
    "cip": ("cip;atc\n3400930000001;H02AB07\n", {}, [("CIP:3400930000001", "ATC:H02AB07")]),
    "cim10": ("cim10;label\nG710;Dystrophie musculaire\n", {("ICD10:G71.0", "fr"): "Dystrophie musculaire"}, []),
    "map": (
        "local,standard,relation\nLABO:K,LOINC:2823-3,narrower\nHP:1,HP:2,same\n",
        {},
        [("LABO:K", "LOINC:2823-3")],
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_recognised_and_read(name: str, tmp_path: Path) -> None:
    text, labels, broader = LISTS[name]
    (tmp_path / "release").write_text(text, encoding="utf-8")
    _, draft = read_release(tmp_path / "release")
    assert (draft.labels, draft.broader) == (labels, broader)
    again = read_statements(write_statements(draft))
    assert (again.labels, again.synonyms, again.broader) == (draft.labels, draft.synonyms, draft.broader)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x1f\x8bdamaged", b"\xff\xfe\x00", b"some,other,table\n1,2,3\n", b'<!DOCTYPE x [<!ENTITY a "b">]><ClaML/>'],
    ids=["empty", "damaged", "no text", "another table", "entities"],
)
def test_another_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "release").write_bytes(content)
    with pytest.raises(UnknownReleaseError):
        read_release(tmp_path / "release")


def test_the_packaged_tables_are_small_sorted_and_without_cycles() -> None:
    folder = Path(__file__).parents[4] / "services" / "registry" / "terminology" / "compiled_tables"
    for file in folder.iterdir():
        assert file.stat().st_size < 2**20
    classes = list(read_tables().classes())
    assert classes == sorted(classes, key=lambda one: one.codes)
    assert cycles(classes) == []
    assert cycles([CodeClass(("A:1",), ("A:2",)), CodeClass(("A:2",), ("A:1",))]) != [], "the check sees a cycle"


def test_nothing_is_above_itself_once_concepts_and_tables_are_joined() -> None:
    graph = builtin().graph
    members, parents = graph.nodes.members, graph.nodes.parents
    for node, above in enumerate(parents):
        assert node not in graph.nodes.above(above), members[node]
