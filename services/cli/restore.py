"""`cleio restore`: a backup becomes the installation's data. All is checked and made ready apart; then files change places, and can change back."""

import asyncio
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.cli.backup import flush_file, flush_folder, opened_backup, verify_folder
from services.cli.copying import copy_into
from services.cli.databases import settings_of, upgrade_at
from services.supervisor.installation import ASIDE, CannotStartError, Installation, interrupted_restore
from shared.audit.chain import Seal
from shared.audit.checkpoints import CheckpointFile, signing_key
from shared.backups.manifest import Manifest, check_of, sha256_of, stamp
from shared.backups.repository import generation_of, last_seal_of, make_single, set_generation
from shared.database import OwnedElsewhereError, own, sqlite_file

JOURNAL = "journal.json"
# Generations count seconds from here where that is more than counting up, so that a history begun anew never takes
# the number of one that was lost and can no longer be asked.
EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
_WITH_IT = ("", "-wal", "-shm", "-journal")
Tell = Callable[[str], None]


class RestoreRefusedError(RuntimeError):
    """Nothing was changed; the message says what stands in the way."""


@dataclass(frozen=True)
class Move:
    """One file or folder of the installation that gives way. ``existed``: whether there was one; ``replaced``: whether the backup brings another."""

    live: str
    existed: bool
    replaced: bool


def restore(path: Path, *, dry_run: bool, tell: Tell) -> Path | None:
    """Put a backup in the place of the installation's data; where the former data now are (None for a dry run).

    :raises RestoreRefusedError: a service runs, a database is not empty, the disk is too small: nothing was changed.
    :raises UnreadableBackupError: the backup is not whole: nothing was changed.
    """
    with _held() as installation, opened_backup(path) as folder:
        if (left := interrupted_restore(installation.data_dir)) is not None:
            raise RestoreRefusedError(f"an earlier restore was interrupted: run `cleio restore --undo` first ({left})")
        manifest = verify_folder(folder, tell)
        _check_room(manifest, installation.data_dir)
        _check_keys(manifest, installation, tell)
        files = {name: sqlite_file(settings_of(name).database) for name in manifest.services}
        generation = _next_generation(manifest, files)
        tell(f"the registry's feed begins generation {generation}: every consumer loads its copy again")
        if dry_run:
            tell("dry run: all was checked, nothing was changed")
            return None
        now = datetime.now(UTC)
        staged = installation.data_dir / f".restore-{stamp(now)}"
        try:
            _stage(manifest, folder, staged, generation, tell)
            return _exchange(files, staged, installation.data_dir, now, tell)
        finally:
            shutil.rmtree(staged, ignore_errors=True)


def undo(tell: Tell) -> None:
    """Put back what the last restore set aside, also where it was interrupted. What it brought is set aside in turn."""
    with _held() as installation:
        journals = sorted(installation.data_dir.glob(f"{ASIDE}*/{JOURNAL}"))
        if not journals:
            raise RestoreRefusedError(f"there is no restore to undo in {installation.data_dir}")
        journal = journals[-1]
        moves = [Move(**move) for move in json.loads(journal.read_text(encoding="utf-8"))["moves"]]
        registry = sqlite_file(settings_of("registry").database)
        before = generation_of(registry) if registry else 0
        undone = installation.data_dir / f"undone-{stamp(datetime.now(UTC))}"
        undone.mkdir(mode=0o700)
        for move in moves:
            live, kept = Path(move.live), journal.parent / Path(move.live).name
            # Not set aside yet when the restore was interrupted: it is still the former one, and stays.
            if not kept.exists() and move.existed:
                continue
            if live.exists():
                live.rename(undone / live.name)
            if kept.exists():
                kept.rename(live)
            flush_file(live.parent)
        if registry is not None and registry.is_file():
            set_generation(registry, max(before, generation_of(registry), _now_as_generation()) + 1)
        _go_on_recording({name: sqlite_file(settings_of(name).database) for name in ("registry", "notifications")})
        journal.rename(journal.with_name("undone.json"))
        flush_file(journal.parent)
        tell(f"the data of before the restore are back; what it had brought is in {undone}")


@contextmanager
def _held() -> Iterator[Installation]:
    """The installation, with every lock that a running part of it would hold."""
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
                stack.enter_context(own(file))
            except OwnedElsewhereError:
                raise RestoreRefusedError(f"the {name} service runs on {file}: stop it first") from None
        yield installation


def _check_room(manifest: Manifest, data_dir: Path) -> None:
    needed = 2 * sum(copy.bytes for copy in manifest.services.values())
    free = shutil.disk_usage(data_dir).free
    if free < needed:
        raise RestoreRefusedError(f"{data_dir} has {free / 1e6:.0f} MB free and {needed / 1e6:.0f} MB are needed")


def _check_keys(manifest: Manifest, installation: Installation, tell: Tell) -> None:
    if manifest.secrets:
        tell(f"the backup holds secrets ({', '.join(sorted(manifest.secrets))}): they take the place of this installation's")
    elif manifest.key_check != check_of(settings_of("registry").cursor_key_bytes):
        raise RestoreRefusedError(
            f"the backup was made under another cursor key than {installation.secrets_dir / 'cursor-key'}, and holds no secrets: "
            "put the secrets of that installation there first, or its webhooks could no longer be signed"
        )


def _next_generation(manifest: Manifest, files: dict[str, Path | None]) -> int:
    live = files["registry"]
    held = generation_of(live) if live is not None and live.is_file() else 0
    copied = manifest.services["registry"].feed
    return max(held, copied.generation if copied else 0, _now_as_generation()) + 1


def _now_as_generation() -> int:
    return int((datetime.now(UTC) - EPOCH).total_seconds())


def _stage(manifest: Manifest, folder: Path, staged: Path, generation: int, tell: Tell) -> None:
    """The backup's files as they will be used, checked again after they were copied."""
    staged.mkdir(mode=0o700)
    for name, copy in manifest.services.items():
        target = staged / f"{name}.db"
        shutil.copyfile(folder / copy.file, target)
        target.chmod(0o600)
        if sha256_of(target) != copy.sha256:
            raise RestoreRefusedError(f"{target.name} was damaged while it was copied: look at the disk")
        if copy.feed is not None:
            set_generation(target, generation)
        asyncio.run(upgrade_at(name, f"sqlite:///{target}"))
        target.with_name(f"{target.name}.owner").unlink()
        make_single(target)
        tell(f"{name}: ready")
    for name in manifest.secrets:
        shutil.copyfile(folder / f"secret-{name}", staged / f"secret-{name}")
        (staged / f"secret-{name}").chmod(0o600)
    flush_folder(staged)


def _exchange(files: dict[str, Path | None], staged: Path, data_dir: Path, now: datetime, tell: Tell) -> Path:
    for name, file in files.items():
        if file is None:  # nothing of a PostgreSQL is ever replaced: it takes the rows only while it is empty
            asyncio.run(copy_into(name, f"sqlite:///{staged / f'{name}.db'}", settings_of(name).database))
    bring = {file: staged / f"{name}.db" for name, file in files.items() if file is not None}
    bring |= {data_dir / "secrets" / one.name.removeprefix("secret-"): one for one in staged.glob("secret-*")}
    give_way = [file.with_name(file.name + suffix) for file in files.values() if file is not None for suffix in _WITH_IT]
    # Matching's own copy is of what is being replaced: it makes another from the restored registry.
    give_way += [data_dir / "matching" / "snapshot", *(target for target in bring if target not in give_way)]
    moves = [Move(str(path), path.exists(), path in bring) for path in give_way if path.exists() or path in bring]
    aside = data_dir / f"{ASIDE}{stamp(now)}"
    aside.mkdir(mode=0o700)
    _write_journal(aside, "exchanging", moves)
    for move in moves:
        live = Path(move.live)
        if move.existed:
            live.rename(aside / live.name)
        if move.replaced:
            bring[live].rename(live)
        flush_file(live.parent)
    flush_file(aside)
    _go_on_recording(files)
    _write_journal(aside, "done", moves)
    tell(f"restored; the former data are in {aside}: `cleio restore --undo` brings them back, delete the folder once all is well")
    return aside


def _go_on_recording(files: dict[str, Path | None]) -> None:
    """Say in the checkpoints, under the installation's key, that the record goes on from where the data now are: otherwise it would look cut."""
    settings = settings_of("registry")
    key = signing_key(settings.audit_seed)
    for name, file in files.items():
        if file is None or not file.is_file():
            continue
        number, digest = last_seal_of(file)
        seal = Seal(name, number, 0, 0, "", digest, datetime.now(UTC), kind="restored").signed(key)
        CheckpointFile(settings.audit_folder, name).append([seal])


def _write_journal(aside: Path, state: str, moves: list[Move]) -> None:
    document: dict[str, Any] = {"state": state, "moves": [asdict(move) for move in moves]}
    draft = aside / f".{JOURNAL}"
    draft.write_text(json.dumps(document, indent=2), encoding="utf-8")
    flush_file(draft)
    draft.rename(aside / JOURNAL)
    flush_file(aside)
    flush_file(aside.parent)
