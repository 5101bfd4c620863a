"""`cleio backup` and `cleio backup verify`: copy all databases consistently, with a manifest, and check the copy."""

import asyncio
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

from services.cli.copying import copy_from
from services.cli.databases import address_of, known_schemas, settings_of
from services.cli.gateway import fetch_file
from shared.operations.backups.manifest import (
    NAME,
    FeedPosition,
    Manifest,
    ServiceCopy,
    UnreadableBackupError,
    check_of,
    sha256_of,
    stamp,
)
from shared.operations.backups.repository import Contents, DamagedFileError, copy_live, examine, make_single
from shared.persistence import OwnedElsewhereError, lock_file, sqlite_file
from shared.values.cursors import Cursors
from shared.values.problems import InvalidCursorError

# Copied in this order: a consumer before its source, so that its feed cursor is never beyond the copy of the source.
WITH_DATABASE = ("notifications", "registry")
REBUILT = ["matching"]
PREFIX = "cleio-"
MANIFEST_BYTES = 1024 * 1024
Report = Callable[[str], None]


def make_backup(into: Path, *, with_secrets: bool, as_tar: bool, report: Report) -> Path:
    """Write a backup under ``into``, check it and return its path. The services may be running.

    :raises UnreadableBackupError: the copies do not fit together; nothing is left behind.
    """
    into.mkdir(parents=True, exist_ok=True)
    made_at = datetime.now(UTC)
    final = into / f"{PREFIX}{stamp(made_at)}"
    partial, draft = into / f".{final.name}.partial", into / f".{final.name}.tar.partial"
    partial.mkdir(mode=0o700)
    try:
        copies = {name: _copy_service(name, partial, report) for name in WITH_DATABASE}
        settings = settings_of("registry")
        secrets = _copy_secrets(settings.data_dir / "secrets", partial, report) if with_secrets else {}
        manifest = Manifest(
            made_at=made_at,
            program=version("cleio"),
            services=copies,
            rebuilt=REBUILT,
            secrets=secrets,
            key_check=check_of(settings.cursor_key_bytes),
        )
        manifest.write(partial)
        verify_folder(partial, report)
        flush_folder(partial)
        if as_tar:
            final = into / f"{final.name}.tar"
            with tarfile.open(draft, "x") as archive:
                for file in sorted(partial.iterdir()):
                    archive.add(file, arcname=file.name)
            draft.chmod(0o600)
            flush_file(draft)
            draft.rename(final)
        else:
            partial.rename(final)
        flush_file(into)
        return final
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        draft.unlink(missing_ok=True)


def verify_backup(path: Path, report: Report) -> Manifest:
    """Check a backup: a folder, a .tar file, or the newest in a folder of backups.

    :raises UnreadableBackupError: a part is missing, damaged or does not fit the others.
    """
    with opened_backup(path) as folder:
        return verify_folder(folder, report)


@contextmanager
def opened_backup(path: Path) -> Iterator[Path]:
    """Give access to a backup as a folder, also if it is a .tar file."""
    chosen = _newest(path) if path.is_dir() and not (path / NAME).exists() else path
    if chosen.is_dir():
        yield chosen
        return
    with tempfile.TemporaryDirectory(prefix="cleio-backup-") as name:
        folder = Path(name)
        with _opened_tar(chosen) as members:
            for member, content in members:
                if (folder / member).exists():
                    raise UnreadableBackupError(f"{chosen} is not a backup: it contains {member!r} twice")
                with (folder / member).open("xb") as target:
                    shutil.copyfileobj(content, target)
        yield folder


@contextmanager
def _opened_tar(path: Path) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    """Give the names and contents of an untrusted archive; only regular files without a folder are accepted."""

    def members(archive: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
        for member in archive:
            if not member.isfile() or member.issparse() or "/" in member.name or member.name.startswith("."):
                raise UnreadableBackupError(f"{path} is not a backup: it contains {member.name!r}")
            content = archive.extractfile(member)
            assert content is not None
            yield member.name, content

    try:
        # "r:" accepts no compression, so that a small file cannot unpack to a huge one.
        with tarfile.open(path, "r:") as archive:
            yield members(archive)
    except FileNotFoundError:
        raise UnreadableBackupError(f"there is no {path}") from None
    except (tarfile.TarError, EOFError, ValueError, OverflowError):
        raise UnreadableBackupError(f"{path} is neither a folder nor a complete .tar file") from None


def verify_folder(folder: Path, report: Report) -> Manifest:
    """Check digests, pages, foreign keys, schemas, and that no feed cursor is beyond the end of its source."""
    manifest = Manifest.read(folder)
    if set(manifest.services) != set(WITH_DATABASE):
        raise UnreadableBackupError(
            f"the backup contains {', '.join(sorted(manifest.services))}, not {', '.join(sorted(WITH_DATABASE))}"
        )
    for name, copy in manifest.services.items():
        _verify_copy(name, copy, folder)
        report(
            f"{name}: {sum(copy.rows.values())} rows in {copy.bytes / 1e6:.1f} MB, schema {copy.schema_head}, complete"
        )
    for name, copy in manifest.services.items():
        for feed, position in copy.tails.items():
            head = manifest.services[feed].feed if feed in manifest.services else None
            if head is None or position.after(head):
                raise UnreadableBackupError(
                    f"{name} has read further in the feed of {feed} than the copy of {feed} goes"
                )
    for name, digest in manifest.secrets.items():
        if not (folder / f"secret-{name}").is_file() or sha256_of(folder / f"secret-{name}") != digest:
            raise UnreadableBackupError(f"the secret {name} is missing or damaged")
    return manifest


def _verify_copy(name: str, copy: ServiceCopy, folder: Path) -> None:
    file = folder / copy.file
    if not file.is_file() or file.stat().st_size != copy.bytes or sha256_of(file) != copy.sha256:
        raise UnreadableBackupError(f"{file.name} is missing or is not the file that was backed up")
    try:
        contents = examine(file)
    except DamagedFileError as error:
        raise UnreadableBackupError(f"damaged: {error}") from None
    if (contents.schema_head, contents.rows, _feed(contents)) != (copy.schema_head, copy.rows, copy.feed):
        raise UnreadableBackupError(f"the content of {file.name} differs from the manifest")
    if copy.schema_head not in known_schemas(name):
        raise UnreadableBackupError(
            f"{name} is at schema {copy.schema_head}, which this version of the program does not know: use a newer one"
        )


def _copy_service(name: str, folder: Path, report: Report) -> ServiceCopy:
    settings = settings_of(name)
    source = sqlite_file(settings.database)
    target = folder / f"{name}.db"
    how = copy_database_file(name, target)
    target.chmod(0o600)
    flush_file(target)
    try:
        contents = examine(target)
    except DamagedFileError as error:
        raise UnreadableBackupError(f"{name} has a damaged database: {error}") from None
    report(f"{name}: copied {target.stat().st_size / 1e6:.1f} MB {how}")
    return ServiceCopy(
        file=target.name,
        engine="postgresql" if source is None else "sqlite",
        bytes=target.stat().st_size,
        sha256=sha256_of(target),
        schema_head=contents.schema_head,
        rows=contents.rows,
        feed=_feed(contents),
        tails={
            feed: _position(feed, following, settings.cursor_key_bytes)
            for feed, following in contents.tails.items()
            if following
        },
    )


def copy_database_file(name: str, target: Path) -> str:
    """Copy a service's database into one SQLite file; return how it was copied, for the report."""
    settings = settings_of(name)
    source = sqlite_file(settings.database)
    if source is None:
        asyncio.run(copy_from(name, settings.database, f"sqlite:///{target}"))
        target.with_name(f"{target.name}.owner").unlink()
        make_single(target)
        return "row by row from PostgreSQL"
    if not source.is_file():
        raise UnreadableBackupError(f"{name} has no database at {source}: nothing was ever started here")
    return _copy_sqlite(name, settings, source, target)


def _copy_sqlite(name: str, settings: Any, source: Path, target: Path) -> str:
    """Ask the running service for a copy, or copy the file if no service runs."""
    try:
        owner = lock_file(source)
    except OwnedElsewhereError:
        fetch_file(f"{address_of(name)}/backup", settings.internal_token.get_secret_value(), target)
        return "from the running service"
    with closing(owner):
        copy_live(source, target)
    return "of the stopped service"


def _copy_secrets(secrets: Path, folder: Path, report: Report) -> dict[str, str]:
    copied = {}
    for file in sorted(secrets.iterdir()) if secrets.is_dir() else ():
        if file.is_file() and not file.name.startswith("."):
            target = folder / f"secret-{file.name}"
            target.touch(mode=0o600, exist_ok=False)
            target.write_bytes(file.read_bytes())
            copied[file.name] = sha256_of(target)
    report(f"secrets: {len(copied)} copied; protect this backup like the secrets themselves")
    return copied


def _newest(path: Path) -> Path:
    """Return the backup with the latest feed position. Names are not reliable if the clock was set back."""
    found = [one for one in path.iterdir() if one.name.startswith(PREFIX) and (one.suffix == ".tar" or one.is_dir())]
    if not found:
        raise UnreadableBackupError(f"no backup at {path}")
    return max(found, key=lambda one: (_feed_end(one), one.name))


def _feed_end(path: Path) -> tuple[int, int]:
    """Return the last feed position in a backup; zeros if it cannot be read."""
    try:
        if path.is_dir():
            feed = Manifest.read(path).services["registry"].feed
        else:
            with tempfile.TemporaryDirectory(prefix="cleio-backup-") as folder, _opened_tar(path) as members:
                (Path(folder) / NAME).write_bytes(
                    next(content for name, content in members if name == NAME).read(MANIFEST_BYTES)
                )
                feed = Manifest.read(Path(folder)).services["registry"].feed
    except (UnreadableBackupError, KeyError, StopIteration, OSError):
        feed = None
    return (feed.generation, feed.seq) if feed else (0, 0)


def _feed(contents: Contents) -> FeedPosition | None:
    return FeedPosition(generation=contents.feed[0], seq=contents.feed[1]) if contents.feed else None


def _position(feed: str, following: str, key: bytes) -> FeedPosition:
    cursor = parse_qs(urlsplit(following).query).get("cursor", [""])[0]
    try:
        generation, seq = Cursors(key).open(f"feed:{feed}", cursor)
    except InvalidCursorError:
        raise UnreadableBackupError(
            f"the position in the feed of {feed} was encrypted with another cursor key than this installation's"
        ) from None
    return FeedPosition(generation=generation, seq=seq)


def flush_file(path: Path) -> None:
    """Flush a file, or the entries of a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(folder: Path) -> None:
    for file in folder.iterdir():
        flush_file(file)
    flush_file(folder)
