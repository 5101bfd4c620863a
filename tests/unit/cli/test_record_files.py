"""Files of registry records: plain and compressed, whole and by line."""

import gzip
import json
import lzma
from pathlib import Path

import pytest

from services.cli.gateway import CallError
from services.cli.record_files import find_files, read_records

RECORD = {"protocolSection": {"identificationModule": {"nctId": "NCT90000001"}}, "resultsSection": {"long": "x"}}
SENT = b'{"protocolSection":{"identificationModule":{"nctId":"NCT90000001"}}}'


def read(file: Path) -> tuple[list, list[int]]:
    positions: list[int] = []
    return list(read_records(file, positions.append)), positions


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.json.xz", "a.jsonl.xz", "a.json.gz", "a.jsonl.gz"])
def test_every_format_gives_the_protocol_section_alone(tmp_path: Path, name: str):
    content = json.dumps(RECORD).encode() + b"\n"
    compress = {".xz": lzma.compress, ".gz": gzip.compress}.get(Path(name).suffix, bytes)
    file = tmp_path / name
    file.write_bytes(compress(content))
    records, positions = read(file)
    assert [(record.line, record.fault) for record in records] == [(SENT, "")]
    assert positions[-1] == file.stat().st_size


@pytest.mark.parametrize("name", ["a.jsonl.xz", "a.jsonl.gz", "a.json.xz"])
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


def test_a_folder_gives_its_record_files(tmp_path: Path):
    for name in ("a.json", "b.jsonl.xz", "c.txt", "d.xz", "e.ndjson"):
        (tmp_path / name).write_bytes(b"")
    assert [file.name for file in find_files([tmp_path])] == ["a.json", "b.jsonl.xz", "e.ndjson"]
    with pytest.raises(CallError):
        find_files([tmp_path / "nothing"])
