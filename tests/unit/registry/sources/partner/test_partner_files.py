"""Files of partner networks: separators, encodings, spreadsheets that lie, and the example file."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from services.registry.merge.merging import merge
from services.registry.merge.reading import Record
from services.registry.scope import judge
from services.registry.sources.partner import spreadsheet
from services.registry.sources.partner.columns import columns, folded
from services.registry.sources.partner.files import CSV, NDJSON, XLSX, Item, PartnerFile
from services.registry.sources.partner.problems import NotASpreadsheetError, SpreadsheetTooLargeError
from services.registry.sources.partner.reader import PartnerReader
from services.registry.sources.partner.template import template
from services.registry.sources.persons import without_persons
from services.registry.terminology.terminology import builtin
from services.registry.trials.drafts import validated

ROOT = Path(__file__).parents[5]
READER = PartnerReader("partner:pedstart")
TERMS = builtin()


def read(content: bytes, media_type: str = CSV, charset: str = "utf-8") -> list[Item]:
    return list(PartnerFile(READER.source).items(io.BytesIO(content), media_type, charset))


def record(item: Item) -> dict[str, Any]:
    assert item.content is not None
    found: dict[str, Any] = json.loads(item.content)
    return found


def workbook(*rows: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def changed(content: bytes, part: str, change: Any) -> bytes:
    """Return a workbook with another text in one of its parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as after:
        for one in before.infolist():
            text = before.read(one)
            after.writestr(one.filename, change(text) if one.filename.endswith(part) else text)
    return file.getvalue()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_example_files_say_the_same_and_all_that_they_say_is_read(language: Any) -> None:
    said = [
        record(read(template(kind, language), media_type)[0])
        for kind, media_type in (("csv", CSV), ("xlsx", XLSX), ("ndjson", NDJSON))  # type: ignore[arg-type]
    ]
    given = {name: one.example for name, one in columns().items() if one.example is not None}
    for one in said:
        assert {name: value for name, value in one.items() if value} == given
        assert without_persons(one) == one
    found = READER.read(said[0], TERMS)
    assert found.warnings == ()
    trial = validated(merge([Record(READER.source, "PED-0001").followed_by(found.reading)]).document)
    assert judge(trial, TERMS).answer == "in_scope"
    taking_part = trial.participation
    assert (taking_part.visits_first_year, taking_part.duration, taking_part.follow_up) == (8, "P5Y", "P15Y")
    assert (taking_part.travel_paid, taking_part.companion_paid, taking_part.note) == (True, True, None)


def test_a_note_on_taking_part_that_names_a_person_is_not_kept() -> None:
    given = {"number": "PED-1", "visits_first_year": "huit", "participation_note_fr": "Appelez le 06 12 34 56 78."}
    found = READER.read({**given, "participation_note_en": "Bring a book.", "travel_paid": "non"}, TERMS)
    assert [(one.pointer, one.code) for one in found.warnings] == [
        ("/visits_first_year", "whole_number"), ("/participation_note_fr", "identifier_forbidden"),
    ]  # fmt: skip
    assert found.reading.values["participation.note"] == {"fr": None, "en": "Bring a book."}
    assert found.reading.values["participation.travel_paid"] is False


@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_separators_and_encodings_are_recognised(separator: str) -> None:
    text = separator.join(["Titre", "NUMERO"]) + "\r\n" + separator.join(['"é; , ""x"""', "P-1"]) + "\r\n\r\n"
    for content, charset in ((text.encode("utf-8-sig"), "utf-8"), (text.encode("cp1252"), "windows-1252")):
        (only,) = read(content, CSV, charset)
        assert (only.line, record(only)) == (2, {"number": "P-1", "title_fr": 'é; , "x"'})
    (only,) = read(f"sep={separator}\n{text}".encode())
    assert only.line == 3


def test_rows_that_are_broken_affect_only_themselves() -> None:
    rows = (
        'number;title (French);status\nP-1;one\nP-2;"a" b;x\nP-3;a;b;c\nP-4;four;recrute\nP-5;"never closed\nP-6;x;y\n'
    )
    found = read(rows.encode())
    assert [(one.line, one.source_id, [fault.code for fault in one.faults]) for one in found] == [
        (2, "P-1", []),
        (3, None, ["quotes"]),
        (4, None, ["too_many_cells"]),
        (5, "P-4", []),
        (6, None, ["quotes"]),
    ]
    assert "status" not in record(found[0])  # a short row says nothing of the rest


def test_cells_of_a_spreadsheet_are_texts_and_formulas_are_reported() -> None:
    head = ["number", "title (French)", "enrolment", "start", "acronym"]
    content = workbook(head, [12.0, "=A1", 24, "2026-01", "#N/A"], [None] * 5, ["P-2", "x", 3.5, True, "ok"])
    first, second = read(content, XLSX)
    assert (first.line, record(first)) == (2, {"number": "12", "enrolment": "24", "start": "2026-01"})
    assert {(one.column, one.code) for one in first.faults} == {("title_fr", "formula"), ("acronym", "cell_error")}
    assert (second.line, second.source_id) == (4, "P-2")


def test_a_spreadsheet_that_lies_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    good = workbook(["number"], ["P-1"])
    entity = b'<!DOCTYPE a [<!ENTITY b "bb">]><worksheet'
    for content in (
        changed(good, "sheet1.xml", lambda text: text.replace(b"<worksheet", entity, 1)),
        changed(good, "sheet1.xml", lambda text: text[: len(text) // 2]),
        good[: len(good) // 2],
        b"\xd0\xcf\x11\xe0 an encrypted workbook is another format",
    ):
        with pytest.raises(NotASpreadsheetError):
            read(content, XLSX)
    # What it claims of its size is not believed.
    lying = changed(good, "sheet1.xml", lambda text: text.replace(b'ref="A1:A2"', b'ref="A1:XFD1048576"'))
    assert [one.source_id for one in read(lying, XLSX)] == ["P-1"]
    monkeypatch.setattr(spreadsheet, "MAX_CONTENT", 100_000)
    bomb = changed(good, "sheet1.xml", lambda text: text + b" " * 1_000_000)
    assert len(bomb) < 20_000
    with pytest.raises(SpreadsheetTooLargeError):
        read(bomb, XLSX)


def test_the_guide_and_the_table_of_columns_agree() -> None:
    guide = (ROOT / "docs" / "guides" / "partner.md").read_text(encoding="utf-8")
    for one in columns().values():
        many = "several" if one.many else "one"
        assert f"| `{one.name}` | {one.label.fr} | {one.label.en} | {many} | {one.about.en} |" in guide
    assert len({folded(one.label.fr) for one in columns().values()}) == len(columns())
