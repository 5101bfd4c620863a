"""Files of registry records: plain, compressed and in archives; whole, by line, and as XML."""

import gzip
import json
import lzma
import os
import zipfile
from pathlib import Path

import pytest

from services.cli import record_files
from services.cli.gateway import CallError
from services.cli.options import Source
from services.cli.record_files import find_files, read_records
from services.registry.sources.readers import READERS

RECORD = {"protocolSection": {"identificationModule": {"nctId": "NCT90000001"}}, "resultsSection": {"long": "x"}}
SENT = b'{"protocolSection":{"identificationModule":{"nctId":"NCT90000001"}}}'
BLANKS = (b" " * 999 + b"\n") * 10_000
XML = b"<allTrials><fullTrial><trial><isrctn>90000001</isrctn></trial></fullTrial></allTrials>"


def read(file: Path, source: str = "ctgov") -> tuple[list, list[int]]:
    positions: list[int] = []
    return list(read_records(file, source, positions.append)), positions


def archive(file: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(file, "w") as written:
        for name, content in members.items():
            written.writestr(
                zipfile.ZipInfo(name.replace("_", "."), (2026, 3, 8, 0, 0, 0)), content, zipfile.ZIP_DEFLATED
            )
    return file


def test_the_command_knows_every_source():
    assert {*Source} == {*READERS}


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.json.xz", "a.jsonl.xz", "a.json.gz", "a.jsonl.gz"])
def test_every_format_gives_the_protocol_section_alone(tmp_path: Path, name: str):
    content = json.dumps(RECORD).encode() + b"\n"
    compress = {".xz": lzma.compress, ".gz": gzip.compress}.get(Path(name).suffix, bytes)
    file = tmp_path / name
    file.write_bytes(compress(content))
    records, positions = read(file)
    assert [(record.line, record.fault) for record in records] == [(SENT, "")]
    assert positions[-1] == file.stat().st_size


@pytest.mark.parametrize("name", ["a.jsonl.xz", "a.jsonl.gz", "a.json.xz", "a.zip"])
def test_a_damaged_file_is_a_fault(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b"no compressed file")
    records, _ = read(tmp_path / name)
    assert len(records) == 1
    assert records[0].fault


def test_a_bad_line_is_a_fault_with_its_place(tmp_path: Path):
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(json.dumps(RECORD).encode() + b"\n{broken\n"))
    records, _ = read(tmp_path / "a.jsonl.gz")
    assert [Path(record.place).name for record in records] == ["a.jsonl.gz:1", "a.jsonl.gz:2"]
    assert records[1].fault.startswith("not JSON")


def test_a_folder_gives_the_files_of_its_source(tmp_path: Path):
    for name in ("a.json", "b.jsonl.xz", "c.txt", "d.xz", "e.ndjson", "f.xml", "g.zip"):
        (tmp_path / name).write_bytes(b"")
    assert [file.name for file in find_files([tmp_path], "ctgov")] == ["a.json", "b.jsonl.xz", "e.ndjson", "g.zip"]
    assert "f.xml" in [file.name for file in find_files([tmp_path], "isrctn")]
    with pytest.raises(CallError):
        find_files([tmp_path / "nothing"], "ctgov")


def test_the_members_of_an_archive_are_read_each_by_itself(tmp_path: Path):
    line = json.dumps(RECORD).encode()
    file = archive(tmp_path / "all.zip", a_json=line, b_jsonl_gz=gzip.compress(line), c_json=b"{", read_me=b"x")
    records, positions = read(file)
    assert [record.line for record in records] == [SENT, SENT, b""]
    assert records[2].place == f"{file}/c.json:1"
    assert positions[-1] <= file.stat().st_size
    (empty,), _ = read(archive(tmp_path / "none.zip", read_me=b"x"))
    assert "no records in the archive" in empty.fault


def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(record_files, "FREE_BYTES", 1000)
    for file in (
        archive(tmp_path / "a.zip", a_jsonl=BLANKS, b_jsonl=b"{}"),
        tmp_path / "a.jsonl.xz",
    ):
        if file.suffix == ".xz":
            file.write_bytes(lzma.compress(BLANKS))
        assert "bomb" in read(file)[0][0].fault


def test_what_is_too_long_is_a_fault_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(record_files, "MAX_LINE_BYTES", 200)
    monkeypatch.setattr(record_files, "MAX_DOCUMENT_BYTES", 200)
    line, long = json.dumps(RECORD).encode(), json.dumps(["x" * 300]).encode()
    (tmp_path / "a.jsonl").write_bytes(b"\n".join((line, long, line)))
    assert [(one.line, bool(one.fault)) for one in read(tmp_path / "a.jsonl")[0]] == [
        (SENT, False),
        (b"", True),
        (SENT, False),
    ]
    (tmp_path / "a.json").write_bytes(long)
    assert ".jsonl" in read(tmp_path / "a.json")[0][0].fault


def test_xml_is_read_of_isrctn_alone_with_the_day_of_its_file(tmp_path: Path):
    (tmp_path / "a.xml").write_bytes(XML)
    os.utime(tmp_path / "a.xml", (1772928000, 1772928000))
    sent = b'{"isrctn":"90000001","retrieved":"2026-03-08"}'
    assert [one.line for one in read(tmp_path / "a.xml", "isrctn")[0]] == [sent]
    assert [one.line for one in read(archive(tmp_path / "a.zip", a_xml=XML), "isrctn")[0]] == [sent]
    assert ".json" in read(tmp_path / "a.xml", "ctis")[0][0].fault
    for content in (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"<a", b"<a/>"):
        (tmp_path / "a.xml").write_bytes(content)
        assert read(tmp_path / "a.xml", "isrctn")[0][0].fault


@pytest.mark.parametrize(
    ("source", "document", "sent"),
    [
        ("ctgov", {"studies": [RECORD, RECORD]}, [json.loads(SENT)] * 2),
        ("ctis", {"pagination": {}, "data": [{"ctNumber": "2026-500001-11-00"}]}, [{"ctNumber": "2026-500001-11-00"}]),
        ("euctr", [{"A. Protocol Information": {"A.2 EudraCT number": "2013-000001-11"}}], [{"a2": "2013-000001-11"}]),
        ("euctr", {"a2_number": "1", "adverse": {"events": []}}, [{"a2_number": "1"}]),
        (
            "eclaire",
            {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "ResearchStudy", "id": "1"}}]},
            [{"resourceType": "ResearchStudy", "id": "1"}],
        ),
        ("isrctn", [{"isrctn": "1"}, 2], [{"isrctn": "1"}, 2]),
    ],
)
def test_the_answers_of_each_register_give_their_records(tmp_path: Path, source: str, document: object, sent: object):
    (tmp_path / "a.json").write_text(json.dumps(document))
    assert [json.loads(one.line) for one in read(tmp_path / "a.json", source)[0]] == sent
