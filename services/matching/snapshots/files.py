"""Snapshots on disk. Each is an immutable folder that is read whole or not at all; a crash leaves the one before.

The replicas on one machine share the folder: a lock orders their reads and writes, and each snapshot is written once.
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

from services.matching.clients.documents import Centre, TrialRecord, UnreadableDocumentError, canonical
from services.matching.snapshots.model import Snapshot, Vocabulary
from shared.values.wire import write_instant

FORMAT = 4
KEPT = 2
POINTER = "current"
_NAME = re.compile(r"[0-9a-f]{16}-(\d+)")
_CONTENTS = ("trials.ndjson", "centres.ndjson", "terminology.tsv.gz")


class DamagedSnapshotError(ValueError):
    """The contents of a folder differ from its manifest."""


class SnapshotFiles:
    """The snapshots in one folder: ``<snapshot id>-<number>/`` with a manifest, and the pointer ``current``.

    ``country`` (ISO 3166-1 alpha-2): what the trials are compiled for when they are read.
    """

    def __init__(self, folder: Path, country: str) -> None:
        self.folder = folder
        self.country = country

    def newest(self) -> Snapshot | None:
        """Read the snapshot that the pointer names, or else the newest undamaged one; None without any."""
        with self._locked(fcntl.LOCK_SH):
            for path in self._candidates():
                try:
                    return _read(path, self.country)
                except (DamagedSnapshotError, UnreadableDocumentError, OSError, KeyError, TypeError, ValueError):
                    continue
        return None

    def write(self, snapshot: Snapshot) -> Path:
        """Write the snapshot unless the one on disk is the same or newer; return the folder of the newest.

        The order makes it safe against a crash: contents (flushed), rename (flushed), pointer, removal of old ones.
        """
        with self._locked(fcntl.LOCK_EX):
            return self._same_or_newer(snapshot) or self._write(snapshot)

    @contextmanager
    def _locked(self, kind: int) -> Iterator[None]:
        """Lock a file beside the folder, to read or to write alone. The lock ends with the process."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.folder.with_name(f"{self.folder.name}.lock").open("ab") as lock:
            fcntl.flock(lock, kind)
            yield

    def _same_or_newer(self, snapshot: Snapshot) -> Path | None:
        """Return the folder of the snapshot on disk where it is the same as this one or was current later."""
        for path in self._candidates()[:1]:
            try:
                manifest = _manifest(path)
                _contents(path, manifest)
                same = (manifest["id"], manifest["next_feed_path"]) == (snapshot.id, snapshot.next_feed_path)
                if same or datetime.fromisoformat(manifest["current_at"]) > snapshot.current_at:
                    return path
            except (DamagedSnapshotError, OSError, KeyError, TypeError, ValueError):
                return None
        return None

    def _write(self, snapshot: Snapshot) -> Path:
        number = max((_number(path) for path in self._folders()), default=0) + 1
        final = self.folder / f"{snapshot.id}-{number}"
        partial = self.folder / f".{final.name}.{os.getpid()}"
        files = {
            "trials.ndjson": _lines(trial.line for _, trial in sorted(snapshot.trials.items())),
            "centres.ndjson": _lines(canonical(centre.write()) for _, centre in sorted(snapshot.centres.items())),
            "terminology.tsv.gz": snapshot.vocabulary.content,
        }
        manifest: dict[str, Any] = {
            "format": FORMAT,
            "id": snapshot.id,
            "next_feed_path": snapshot.next_feed_path,
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
            _write(partial / "manifest.json", canonical({**manifest, "digest": _digest(manifest)}))
            _flush(partial)
            partial.rename(final)
        except OSError:
            shutil.rmtree(partial, ignore_errors=True)  # it takes room on a full disk
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
    if manifest["format"] != FORMAT or manifest.pop("digest") != _digest(manifest):
        raise DamagedSnapshotError
    return manifest


def _contents(path: Path, manifest: dict[str, Any]) -> dict[str, bytes]:
    contents = {name: (path / name).read_bytes() for name in _CONTENTS}
    if any(hashlib.sha256(content).hexdigest() != manifest["sha256"][name] for name, content in contents.items()):
        raise DamagedSnapshotError
    return contents


def _read(path: Path, country: str) -> Snapshot:
    manifest = _manifest(path)
    contents = _contents(path, manifest)
    vocabulary = Vocabulary(contents["terminology.tsv.gz"])
    trials = [TrialRecord.read(json.loads(line)) for line in contents["trials.ndjson"].splitlines()]
    centres = [Centre.read(json.loads(line)) for line in contents["centres.ndjson"].splitlines()]
    current_at = datetime.fromisoformat(manifest["current_at"])
    found = Snapshot.build(trials, centres, vocabulary, country, manifest["next_feed_path"], current_at)
    if (found.id, len(found.trials), len(found.centres)) != (manifest["id"], manifest["trials"], manifest["centres"]):
        raise DamagedSnapshotError
    return found


def _digest(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(canonical(manifest)).hexdigest()


def _lines(lines: Iterable[bytes]) -> bytes:
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
