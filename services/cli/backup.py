"""`cleio backup` and `cleio backup verify`: one consistent copy of every database of the installation, described and checked."""

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

# In this order: a consumer is copied before what it consumes, so that no copy has read further than its source was written.
WITH_DATABASE = ("notifications", "registry")
REBUILT = ["matching"]
PREFIX = "cleio-"
MANIFEST_BYTES = 1024 * 1024
Tell = Callable[[str], None]


def make_backup(into: Path, *, with_secrets: bool, as_tar: bool, tell: Tell) -> Path:
    """Write a backup under ``into`` and check it; its path. The services may be running.

    :raises UnreadableBackupError: what was copied does not hold together; nothing is left behind.
    """
    into.mkdir(parents=True, exist_ok=True)
    made_at = datetime.now(UTC)
    final = into / f"{PREFIX}{stamp(made_at)}"
    partial, draft = into / f".{final.name}.partial", into / f".{final.name}.tar.partial"
    partial.mkdir(mode=0o700)
    try:
        copies = {name: _copy_service(name, partial, tell) for name in WITH_DATABASE}
        settings = settings_of("registry")
        secrets = _copy_secrets(settings.data_dir / "secrets", partial, tell) if with_secrets else {}
        manifest = Manifest(
            made_at=made_at,
            program=version("cleio"),
            services=copies,
            rebuilt=REBUILT,
            secrets=secrets,
            key_check=check_of(settings.cursor_key_bytes),
        )
        manifest.write(partial)
        verify_folder(partial, tell)
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


def verify_backup(path: Path, tell: Tell) -> Manifest:
    """Check a backup: a folder, a .tar, or a folder of backups, of which the newest is taken.

    :raises UnreadableBackupError: something is missing, damaged or does not fit together.
    """
    with opened_backup(path) as folder:
        return verify_folder(folder, tell)


@contextmanager
def opened_backup(path: Path) -> Iterator[Path]:
    """The backup as a folder, whichever way it is kept."""
    chosen = _newest(path) if path.is_dir() and not (path / NAME).exists() else path
    if chosen.is_dir():
        yield chosen
        return
    with tempfile.TemporaryDirectory(prefix="cleio-backup-") as name:
        folder = Path(name)
        with _opened_tar(chosen) as members:
            for member, content in members:
                if (folder / member).exists():
                    raise UnreadableBackupError(f"{chosen} holds {member!r} twice, which no backup does")
                with (folder / member).open("xb") as target:
                    shutil.copyfileobj(content, target)
        yield folder


@contextmanager
def _opened_tar(path: Path) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    """The names and contents of an archive, which may come from anywhere: plain files with plain names, and no more bytes than it has itself."""

    def members(archive: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
        for member in archive:
            if not member.isfile() or member.issparse() or "/" in member.name or member.name.startswith("."):
                raise UnreadableBackupError(f"{path} holds {member.name!r}, which no backup does")
            content = archive.extractfile(member)
            assert content is not None
            yield member.name, content

    try:
        # "r:" takes no compression: what is small stays small.
        with tarfile.open(path, "r:") as archive:
            yield members(archive)
    except FileNotFoundError:
        raise UnreadableBackupError(f"there is no {path}") from None
    except (tarfile.TarError, EOFError, ValueError, OverflowError):
        raise UnreadableBackupError(f"{path} is neither a folder nor a whole .tar file") from None


def verify_folder(folder: Path, tell: Tell) -> Manifest:
    """Every digest, every page, every relation, the schema, and that no service has read further than another was written."""
    manifest = Manifest.read(folder)
    if set(manifest.services) != set(WITH_DATABASE):
        raise UnreadableBackupError(
            f"the backup is of {', '.join(sorted(manifest.services))}, not of {', '.join(sorted(WITH_DATABASE))}"
        )
    for name, copy in manifest.services.items():
        _verify_copy(name, copy, folder)
        tell(f"{name}: {sum(copy.rows.values())} rows in {copy.bytes / 1e6:.1f} MB, schema {copy.schema_head}, whole")
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
        raise UnreadableBackupError(f"{file.name} does not hold what the manifest says")
    if copy.schema_head not in known_schemas(name):
        raise UnreadableBackupError(
            f"{name} is at schema {copy.schema_head}, which this version of the program does not know: use a newer one"
        )


def _copy_service(name: str, folder: Path, tell: Tell) -> ServiceCopy:
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
    tell(f"{name}: copied {target.stat().st_size / 1e6:.1f} MB {how}")
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
    """A service's database of this moment as one SQLite file; says how it was made."""
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
    """From its owner while there is one, else as its owner."""
    try:
        owner = lock_file(source)
    except OwnedElsewhereError:
        fetch_file(f"{address_of(name)}/backup", settings.internal_token.get_secret_value(), target)
        return "from the running service"
    with closing(owner):
        copy_live(source, target)
    return "at rest"


def _copy_secrets(secrets: Path, folder: Path, tell: Tell) -> dict[str, str]:
    kept = {}
    for file in sorted(secrets.iterdir()) if secrets.is_dir() else ():
        if file.is_file() and not file.name.startswith("."):
            target = folder / f"secret-{file.name}"
            target.touch(mode=0o600, exist_ok=False)
            target.write_bytes(file.read_bytes())
            kept[file.name] = sha256_of(target)
    tell(f"secrets: {len(kept)} copied, so keep this backup as you keep them")
    return kept


def _newest(path: Path) -> Path:
    """The backup that holds the most of the feed. By their names alone, a clock that was set back would hide one made since."""
    found = [one for one in path.iterdir() if one.name.startswith(PREFIX) and (one.suffix == ".tar" or one.is_dir())]
    if not found:
        raise UnreadableBackupError(f"no backup at {path}")
    return max(found, key=lambda one: (_reaches(one), one.name))


def _reaches(path: Path) -> tuple[int, int]:
    """The generation and number at which the backup's feed ends; zeros where that cannot be read, which is told when it is looked at."""
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
            f"the place in the feed of {feed} was sealed under another cursor key than this installation's"
        ) from None
    return FeedPosition(generation=generation, seq=seq)


def flush_file(path: Path) -> None:
    """What is at ``path`` is on the disk when this returns; a folder's entries likewise."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(folder: Path) -> None:
    for file in folder.iterdir():
        flush_file(file)
    flush_file(folder)
