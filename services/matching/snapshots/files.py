"""Snapshots on disk: each an immutable folder, whole or refused. A crash at any moment leaves the one before.

The replicas of one machine share them: they take turns, and what one has written the others need not.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from services.matching.clients.documents import Centre, Concepts, TrialRecord, UnreadableDocumentError, canonical
from services.matching.snapshots.model import Snapshot, Vocabulary
from shared.values.wire import write_instant

FORM = 1
KEPT = 2
POINTER = "current"
_NAME = re.compile(r"[0-9a-f]{16}-(\d+)")
_CONTENTS = ("trials.ndjson", "centres.ndjson", "terminology.json")


class TornSnapshotError(ValueError):
    """A folder that is not what its manifest says."""


class SnapshotFiles:
    """The snapshots under one folder: ``<content id>-<number>/`` with a manifest, and the pointer ``current``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def newest(self) -> Snapshot | None:
        """The snapshot that the pointer names; where that one is torn or missing, the newest whole one; None without any."""
        with self._turn(fcntl.LOCK_SH):
            for path in self._candidates():
                try:
                    return _read(path)
                except (TornSnapshotError, UnreadableDocumentError, OSError, KeyError, TypeError, ValueError):
                    continue
        return None

    def write(self, snapshot: Snapshot) -> Path:
        """Make the snapshot the newest on disk, unless another replica has written it, or one that was current later; returns the newest.

        Contents, flushed; a rename, flushed; the pointer; then what is too old goes.
        """
        with self._turn(fcntl.LOCK_EX):
            return self._not_older(snapshot) or self._write(snapshot)

    @contextmanager
    def _turn(self, kind: int) -> Iterator[None]:
        """Several read, or one writes. The lock lies beside the folder and goes with the process that holds it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.folder.with_name(f"{self.folder.name}.lock").open("ab") as lock:
            fcntl.flock(lock, kind)
            yield

    def _not_older(self, snapshot: Snapshot) -> Path | None:
        """The one on disk, where there is no need of this one."""
        for path in self._candidates()[:1]:
            try:
                manifest = _manifest(path)
                _contents(path, manifest)
                same = (manifest["id"], manifest["following"]) == (snapshot.id, snapshot.following)
                if same or datetime.fromisoformat(manifest["current_at"]) > snapshot.current_at:
                    return path
            except (TornSnapshotError, OSError, KeyError, TypeError, ValueError):
                return None
        return None

    def _write(self, snapshot: Snapshot) -> Path:
        number = max((_number(path) for path in self._folders()), default=0) + 1
        final = self.folder / f"{snapshot.id}-{number}"
        partial = self.folder / f".{final.name}.{os.getpid()}"
        files = {
            "trials.ndjson": _joined(held.line for _, held in sorted(snapshot.trials.items())),
            "centres.ndjson": _joined(canonical(centre.write()) for _, centre in sorted(snapshot.centres.items())),
            "terminology.json": canonical(snapshot.vocabulary.concepts.write()),
        }
        manifest: dict[str, Any] = {
            "form": FORM,
            "id": snapshot.id,
            "following": snapshot.following,
            "current_at": write_instant(snapshot.current_at),
            "trials": len(snapshot.trials),
            "centres": len(snapshot.centres),
            "terminology": snapshot.vocabulary.version,
            "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        }
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            for name, content in files.items():
                _write(partial / name, content)
            _write(partial / "manifest.json", canonical({**manifest, "seal": _seal(manifest)}))
            _flush(partial)
            partial.rename(final)
        except OSError:
            shutil.rmtree(partial, ignore_errors=True)  # on a full disk it is in the way of others
            raise
        _flush(self.folder)
        pointer = self.folder / f".{POINTER}.{os.getpid()}"
        _write(pointer, final.name.encode())
        pointer.replace(self.folder / POINTER)
        _flush(self.folder)
        self._prune(final)
        return final

    def _folders(self) -> Iterator[Path]:
        if self.folder.is_dir():
            yield from (path for path in self.folder.iterdir() if _NAME.fullmatch(path.name))

    def _candidates(self) -> list[Path]:
        newest_first = sorted(self._folders(), key=_number, reverse=True)
        try:
            pointed = (self.folder / POINTER).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return newest_first
        return sorted(newest_first, key=lambda path: path.name != pointed)

    def _prune(self, newest: Path) -> None:
        old = sorted((path for path in self._folders() if path != newest), key=_number, reverse=True)[KEPT - 1 :]
        left = [path for path in self.folder.iterdir() if path.name.startswith(".") and path.is_dir()]
        for path in (*old, *left):
            shutil.rmtree(path, ignore_errors=True)


def _number(path: Path) -> int:
    found = _NAME.fullmatch(path.name)
    return int(found.group(1)) if found else 0


def _manifest(path: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((path / "manifest.json").read_bytes())
    if manifest["form"] != FORM or manifest.pop("seal") != _seal(manifest):
        raise TornSnapshotError
    return manifest


def _contents(path: Path, manifest: dict[str, Any]) -> dict[str, bytes]:
    contents = {name: (path / name).read_bytes() for name in _CONTENTS}
    if any(hashlib.sha256(content).hexdigest() != manifest["sha256"][name] for name, content in contents.items()):
        raise TornSnapshotError
    return contents


def _read(path: Path) -> Snapshot:
    manifest = _manifest(path)
    contents = _contents(path, manifest)
    vocabulary = Vocabulary(Concepts.read(json.loads(contents["terminology.json"])))
    trials = [TrialRecord.read(json.loads(line)) for line in contents["trials.ndjson"].splitlines()]
    centres = [Centre.read(json.loads(line)) for line in contents["centres.ndjson"].splitlines()]
    found = Snapshot.build(
        trials, centres, vocabulary, manifest["following"], datetime.fromisoformat(manifest["current_at"])
    )
    if (found.id, len(found.trials), len(found.centres)) != (manifest["id"], manifest["trials"], manifest["centres"]):
        raise TornSnapshotError
    return found


def _seal(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(canonical(manifest)).hexdigest()


def _joined(lines: Iterable[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
