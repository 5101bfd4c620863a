"""`cleio restore`: replace the installation's data by a backup.

The backup is checked and prepared in a separate folder. Then the files are exchanged, which can be undone.
"""

import asyncio
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from services.cli.backup import flush_file, flush_folder, opened_backup, verify_folder
from services.cli.copying import copy_into, prepare_for_copy
from services.cli.databases import settings_of, upgrade_at
from services.cli.restored_access import restored_access
from services.supervisor.installation import ASIDE, CannotStartError, Installation, interrupted_restore
from shared.audit.chain import Checkpoint
from shared.audit.checkpoints import CheckpointFile, signing_key
from shared.feed.log import next_generation
from shared.operations.backups.manifest import Manifest, check_of, sha256_of, stamp
from shared.operations.backups.repository import generation_of, last_seal_of, make_single, set_generation
from shared.persistence import OwnedElsewhereError, lock_file, sqlite_file

JOURNAL = "journal.json"
STAGED = ".restore-"
_WITH_IT = ("", "-wal", "-shm", "-journal")
Report = Callable[[str], None]


class RestoreRefusedError(RuntimeError):
    """The restore is not possible; nothing was changed. The message says why."""


@dataclass(frozen=True)
class Move:
    """A file or folder that is set aside. ``existed``: it was there; ``replaced``: the backup contains a new one."""

    live: str
    existed: bool
    replaced: bool


def restore(path: Path, *, dry_run: bool, report: Report) -> Path | None:
    """Replace the installation's data by a backup; return the folder with the former data (None: dry run).

    :raises RestoreRefusedError: a service runs, a database is not empty or the disk is too small; nothing was changed.
    :raises UnreadableBackupError: the backup is damaged or incomplete; nothing was changed.
    """
    with _locked() as installation, opened_backup(path) as folder:
        if (left := interrupted_restore(installation.data_dir)) is not None:
            raise RestoreRefusedError(f"an earlier restore was interrupted: run `cleio restore --undo` first ({left})")
        manifest = verify_folder(folder, report)
        _check_room(manifest, installation.data_dir)
        _check_keys(manifest, installation, report)
        files = {name: sqlite_file(settings_of(name).database) for name in manifest.services}
        generation = _next_generation(manifest, files)
        report(f"the registry's feed begins generation {generation}: every consumer loads its copy again")
        if dry_run:
            report("dry run: everything was checked, nothing was changed")
            return None
        staged = installation.data_dir / f"{STAGED}{stamp(datetime.now(UTC))}"
        try:
            _stage(manifest, folder, staged, generation, report)
            restored = restored_access(files["registry"], staged / "registry.db")
            make_single(staged / "registry.db")
            aside = _exchange(files, staged, installation.data_dir, generation, report)
            for line in restored:
                report(line)
            return aside
        finally:
            shutil.rmtree(staged, ignore_errors=True)


def undo(report: Report) -> None:
    """Undo the last restore, also one that was interrupted. The restored data are set aside."""
    with _locked() as installation:
        folder = _last_restore(installation.data_dir)
        if folder is None:
            raise RestoreRefusedError(f"there is no restore to undo in {installation.data_dir}")
        journal = Journal.read(folder)
        # From here on no service starts until the undo is complete.
        journal.write(folder, "undoing")
        undone = installation.data_dir / f"undone-{folder.name.removeprefix(ASIDE)}"
        undone.mkdir(mode=0o700, exist_ok=True)
        for move in journal.moves:
            live, kept = Path(move.live), folder / Path(move.live).name
            # An interrupted restore did not set it aside, or it is already back: keep it.
            if not kept.exists() and move.existed:
                continue
            if live.exists():
                live.rename(undone / live.name)
            if kept.exists():
                kept.rename(live)
            flush_file(live.parent)
        files = {name: sqlite_file(settings_of(name).database) for name in ("registry", "notifications")}
        registry = files["registry"]
        if registry is not None and registry.is_file():
            set_generation(registry, next_generation(journal.generation, generation_of(registry)))
        _continue_audit_logs(files)
        (folder / JOURNAL).rename(folder / "undone.json")
        flush_file(folder)
        report(f"the former data are back; the data of the restore are in {undone}")
        for name in (name for name, file in files.items() if file is None):
            report(
                f"{name} is a PostgreSQL database, which the undo leaves as it is: if the restore filled it,"
                " use an empty one"
            )


def _last_restore(data_dir: Path) -> Path | None:
    """Return the folder of the last restore, by its number: the clock may have been set back."""
    found = [journal.parent for journal in data_dir.glob(f"{ASIDE}*/{JOURNAL}")]
    return max(found, key=lambda folder: (Journal.read(folder).number, folder.name), default=None)


@dataclass(frozen=True)
class Journal:
    """The moves of a restore, written before they are made. No service starts unless its state is "done".

    ``generation``: the feed's generation after the restore.
    """

    number: int
    generation: int
    moves: list[Move]

    @classmethod
    def read(cls, folder: Path) -> "Journal":
        document = json.loads((folder / JOURNAL).read_text(encoding="utf-8"))
        return cls(
            document.get("number", 0), document.get("generation", 0), [Move(**move) for move in document["moves"]]
        )

    def write(self, folder: Path, state: str) -> None:
        draft = folder / f".{JOURNAL}"
        draft.write_text(json.dumps({"state": state, **asdict(self)}, indent=2), encoding="utf-8")
        flush_file(draft)
        draft.rename(folder / JOURNAL)
        flush_file(folder)
        flush_file(folder.parent)


@contextmanager
def _locked() -> Iterator[Installation]:
    """Return the installation, locked as if it ran."""
    installation = Installation.from_environment(os.environ)
    with ExitStack() as stack:
        try:
            stack.enter_context(installation.locked())
        except CannotStartError:
            raise RestoreRefusedError(f"`cleio up` runs on {installation.data_dir}: stop it first") from None
        installation.make_secrets()
        for name in ("registry", "notifications"):
            file = sqlite_file(settings_of(name).database)
            if file is None:
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            try:
                stack.enter_context(lock_file(file))
            except OwnedElsewhereError:
                raise RestoreRefusedError(f"the {name} service runs on {file}: stop it first") from None
        yield installation


def _check_room(manifest: Manifest, data_dir: Path) -> None:
    needed = 2 * sum(copy.bytes for copy in manifest.services.values())
    free = shutil.disk_usage(data_dir).free
    if free < needed:
        raise RestoreRefusedError(f"{data_dir} has {free / 1e6:.0f} MB free and {needed / 1e6:.0f} MB are needed")


def _check_keys(manifest: Manifest, installation: Installation, report: Report) -> None:
    if manifest.secrets:
        report(f"the backup contains secrets, which replace the present ones: {', '.join(sorted(manifest.secrets))}")
    elif manifest.key_check != check_of(settings_of("registry").cursor_key_bytes):
        raise RestoreRefusedError(
            f"the backup contains no secrets and was made with another cursor key than"
            f" {installation.secrets_dir / 'cursor-key'}: copy the secrets of that installation there first,"
            " or its webhooks could not be signed"
        )


def _next_generation(manifest: Manifest, files: dict[str, Path | None]) -> int:
    live = files["registry"]
    present = generation_of(live) if live is not None and live.is_file() else 0
    copied = manifest.services["registry"].feed
    return next_generation(present, copied.generation if copied else 0)


def _stage(manifest: Manifest, folder: Path, staged: Path, generation: int, report: Report) -> None:
    """Copy the backup's files, check the copies and migrate them."""
    staged.mkdir(mode=0o700)
    for name, copy in manifest.services.items():
        target = staged / f"{name}.db"
        shutil.copyfile(folder / copy.file, target)
        target.chmod(0o600)
        if sha256_of(target) != copy.sha256:
            raise RestoreRefusedError(f"{target.name} was damaged while it was copied: check the disk")
        if copy.feed is not None:
            set_generation(target, generation)
        asyncio.run(upgrade_at(name, f"sqlite:///{target}"))
        target.with_name(f"{target.name}.owner").unlink()
        make_single(target)
        report(f"{name}: ready")
    for name in manifest.secrets:
        shutil.copyfile(folder / f"secret-{name}", staged / f"secret-{name}")
        (staged / f"secret-{name}").chmod(0o600)
    flush_folder(staged)


def _exchange(files: dict[str, Path | None], staged: Path, data_dir: Path, generation: int, report: Report) -> Path:
    bring = {file: staged / f"{name}.db" for name, file in files.items() if file is not None}
    bring |= {data_dir / "secrets" / one.name.removeprefix("secret-"): one for one in staged.glob("secret-*")}
    set_aside = [
        file.with_name(file.name + suffix) for file in files.values() if file is not None for suffix in _WITH_IT
    ]
    # Matching loads a new snapshot from the restored registry.
    set_aside += [data_dir / "matching" / "snapshot", *(target for target in bring if target not in set_aside)]
    moves = [Move(str(path), path.exists(), path in bring) for path in set_aside if path.exists() or path in bring]
    postgresql = {name: settings_of(name).database for name, file in files.items() if file is None}
    former = _last_restore(data_dir)
    journal = Journal(Journal.read(former).number + 1 if former else 1, generation, moves)
    aside = data_dir / f"{ASIDE}{staged.name.removeprefix(STAGED)}"
    aside.mkdir(mode=0o700)
    journal.write(aside, "exchanging")
    try:
        _fill(postgresql, staged, report)
    except Exception:
        shutil.rmtree(aside)  # nothing was moved yet
        raise
    for move in moves:
        live = Path(move.live)
        if move.existed:
            live.rename(aside / live.name)
        if move.replaced:
            bring[live].rename(live)
        flush_file(live.parent)
    flush_file(aside)
    _continue_audit_logs(files)
    journal.write(aside, "done")
    report(
        f"restored; the former data are in {aside}: `cleio restore --undo` brings them back;"
        " delete the folder when the restored data are as expected"
    )
    return aside


def _fill(postgresql: dict[str, str], staged: Path, report: Report) -> None:
    """Fill PostgreSQL databases, which must all be empty: rows are never replaced."""
    for name, url in postgresql.items():
        asyncio.run(prepare_for_copy(name, url))
    for name, url in postgresql.items():
        asyncio.run(copy_into(name, f"sqlite:///{staged / f'{name}.db'}", url))
        report(f"{name}: its PostgreSQL database is filled; if a later step fails, use an empty one")


def _continue_audit_logs(files: dict[str, Path | None]) -> None:
    """Sign checkpoints stating that the audit logs continue from the restored data; else entries seem to be missing."""
    settings = settings_of("registry")
    key = signing_key(settings.audit_seed)
    for name, file in files.items():
        if file is None or not file.is_file():
            continue
        number, digest = last_seal_of(file)
        checkpoint = Checkpoint(name, number, 0, 0, "", digest, datetime.now(UTC), kind="restored").signed(key)
        CheckpointFile(settings.audit_folder, name).append([checkpoint])
