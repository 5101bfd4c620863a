"""A snapshot on disk is complete or refused, and a crash at any moment leaves a complete one."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.matching.clients.documents import Centre, TrialRecord
from services.matching.snapshots.files import SnapshotFiles
from services.matching.snapshots.model import Snapshot, Vocabulary
from shared.terminology.document import write_document
from shared.terminology.graph import Terminology

TERMS = write_document(
    Terminology(parents={"ORPHA:232": ["ORPHA:275752"]}), [("ORPHA:232", "Drépanocytose SS", "HbSS")], "t1"
)
CRITERIA = {
    "trial": "NCT1",
    "grade": "registry",
    "criteria": [{"id": "I1", "kind": "include", "expr": {"type": "age", "min": "P4Y"}}],
}
WHEN = datetime(2025, 11, 22, 10, tzinfo=UTC)


def record(identifier: str, version: int = 1, **fields: Any) -> TrialRecord:
    trial = {
        "id": identifier,
        "version": version,
        "status": "recruiting",
        "titles": {"fr": "Essai\u2028é", "en": None},
        "new_field": 1,
        **fields,
    }
    site = {
        "centre": "fr-necker",
        "version": 2,
        "status": "recruiting",
        "confirmed_at": "2025-11-20T08:00:00.000Z",
        "slots": [{"cohort": "1", "open": 2}],
    }
    return TrialRecord.read({"trial": trial, "criteria": CRITERIA, "sites": [site]})


def snapshot(*records: TrialRecord, next_feed_path: str = "/registry/v1/feed?cursor=a") -> Snapshot:
    centre = Centre.read({"id": "fr-necker", "version": 1, "name": "Necker", "city": "Paris", "lat": 48.8, "lon": 2.3})
    return Snapshot.build(records, [centre], Vocabulary(TERMS), "FR", next_feed_path, WHEN)


@pytest.fixture
def files(tmp_path: Path) -> SnapshotFiles:
    return SnapshotFiles(tmp_path / "snapshot", "FR")


def test_a_snapshot_is_the_same_after_writing_and_reading(files: SnapshotFiles) -> None:
    written = snapshot(record("NCT1"), record("NCT2"))
    assert files.newest() is None
    path = files.write(written)
    read = files.newest()
    assert read is not None
    assert path.name == f"{written.id}-1"
    assert (read.id, read.next_feed_path, read.current_at) == (written.id, written.next_feed_path, WHEN)
    assert {name: one.record for name, one in read.trials.items()} == {
        name: one.record for name, one in written.trials.items()
    }
    assert (read.centres, read.vocabulary.version) == (written.centres, "t1")
    assert read.vocabulary.engine.above("ORPHA:232") == {"ORPHA:232", "ORPHA:275752"}
    assert read.vocabulary.label("ORPHA:232") == {"fr": "Drépanocytose SS", "en": "HbSS"}


def test_the_id_depends_on_the_content_and_not_on_how_it_was_loaded() -> None:
    written = snapshot(record("NCT1"), record("NCT2"))
    assert snapshot(record("NCT2"), record("NCT1"), next_feed_path="/elsewhere").id == written.id
    assert snapshot(record("NCT1", status="suspended"), record("NCT2")).id != written.id
    assert snapshot(record("NCT1")).id != written.id


def test_unpublished_trials_are_not_stored_and_criteria_of_a_later_language_are_not_interpreted() -> None:
    later = replace(record("NCT2"), criteria={**CRITERIA, "of_a_later_language": 1})
    written = snapshot(record("NCT1", published=False), later)
    assert list(written.trials) == ["NCT2"]
    assert written.trials["NCT2"].compiled is None


def test_two_snapshots_are_kept(files: SnapshotFiles) -> None:
    written = [files.write(snapshot(record("NCT1", version))) for version in (1, 2, 3)]
    assert sorted(path.name for path in files.folder.iterdir()) == sorted([written[1].name, written[2].name, "current"])


@pytest.mark.parametrize("name", ["trials.ndjson", "centres.ndjson", "terminology.tsv.gz", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "missing", "empty"])
def test_a_damaged_snapshot_is_refused_and_the_previous_one_used(files: SnapshotFiles, name: str, damage: str) -> None:
    before = snapshot(record("NCT1"))
    files.write(before)
    torn = files.write(snapshot(record("NCT1", 2))) / name
    content = torn.read_bytes()
    if damage == "missing":
        torn.unlink()
    else:
        torn.write_bytes({"cut": content[:-3], "changed": content.replace(b"1", b"7"), "empty": b""}[damage])
    read = files.newest()
    assert read is not None
    assert read.id == before.id


def test_a_snapshot_with_other_bytes_is_refused_even_if_it_parses_alike(files: SnapshotFiles) -> None:
    terminology = files.write(snapshot(record("NCT1"))) / "terminology.tsv.gz"
    terminology.write_bytes(terminology.read_bytes() + b" ")
    assert files.newest() is None


def test_a_manifest_of_another_position_or_format_is_refused(files: SnapshotFiles) -> None:
    manifest = files.write(snapshot(record("NCT1"))) / "manifest.json"
    document = json.loads(manifest.read_bytes())
    for change in ({"next_feed_path": "/registry/v1/feed?cursor=z"}, {"format": 1}, {"trials": 2}):
        manifest.write_text(json.dumps({**document, **change}), encoding="utf-8")
        assert files.newest() is None
    manifest.write_text(json.dumps(document), encoding="utf-8")
    assert files.newest() is not None


@pytest.mark.parametrize("pointer", [None, b"", b"\xff\xfe", b"../../elsewhere", b"0123456789abcdef-9"])
def test_without_a_valid_pointer_the_newest_complete_one_is_used(files: SnapshotFiles, pointer: bytes | None) -> None:
    files.write(snapshot(record("NCT1")))
    newest = snapshot(record("NCT1", 2))
    files.write(newest)
    (files.folder / "current").unlink()
    if pointer is not None:
        (files.folder / "current").write_bytes(pointer)
    read = files.newest()
    assert read is not None
    assert read.id == newest.id


def test_a_write_cut_by_a_crash_is_not_used_and_is_deleted(files: SnapshotFiles) -> None:
    written = snapshot(record("NCT1"))
    files.write(written)
    partial = files.folder / f".{written.id}-2.77"
    partial.mkdir()
    (partial / "trials.ndjson").write_bytes(b"{")
    read = files.newest()
    assert read is not None
    assert read.id == written.id
    files.write(snapshot(record("NCT1", 2)))
    assert not partial.exists()
