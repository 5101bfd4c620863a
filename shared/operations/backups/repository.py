"""The only SQL about whole SQLite files: the online copy, and what a file holds."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pysqlite3 import dbapi2 as sqlite

BUSY_SECONDS = 10.0


class DamagedFileError(RuntimeError):
    """SQLite finds the file damaged, or it is no database at all."""


class CopyFailedError(OSError):
    """The disk did not take the file, or did not give it; the message is SQLite's."""

    @property
    def is_for_want_of_room(self) -> bool:
        return "full" in str(self)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a service's SQLite file holds. ``tails``: feed → the path that reads on; ``feed``: (generation, seq) of its own feed, if it has one."""

    schema_head: str
    rows: dict[str, int]
    feed: tuple[int, int] | None
    tails: dict[str, str]


def copy_live(source: Path, target: Path) -> None:
    """SQLite's online backup, of one moment, while the process that owns ``source`` goes on writing. The copy is one plain file.

    :raises CopyFailedError: no room, or the disk failed.

    Call it inside that process, or while holding the file's owner lock. Blocking: give it a thread.
    """
    with (
        _failing_as_disks_do(target),
        closing(sqlite.connect(_uri(source, mode="ro"), uri=True, timeout=BUSY_SECONDS)) as reading,
        closing(sqlite.connect(str(target))) as writing,
    ):
        # All pages in one step: a view of one moment, which with a write-ahead log holds no writer back.
        reading.backup(writing)
    make_single(target)


def make_single(path: Path) -> None:
    """Take the write-ahead log into the file, and its mark off the header: what is moved about is one file."""
    with _failing_as_disks_do(path), closing(sqlite.connect(str(path), isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def examine(path: Path) -> Contents:
    """Check the whole file and tell what it holds; the file is not touched. Blocking.

    :raises DamagedFileError: when anything in it is damaged.
    """
    with _reading(path) as connection:
        told = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
        if told != ["ok"]:
            raise DamagedFileError(f"{path.name}: {told[0]}")
        if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
            raise DamagedFileError(f"{path.name}: a row points to one that is not there")
        tables = [
            row[0]
            for row in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"
            )
        ]
        if "alembic_version" not in tables:
            raise DamagedFileError(f"{path.name}: it has no schema of ours")
        rows = {name: int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in tables}
        head = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        feed = connection.execute("SELECT generation, seq FROM feed_head").fetchone() if "feed_head" in tables else None
        tails = dict(connection.execute("SELECT feed, following FROM tails")) if "tails" in tables else {}
        return Contents(head[0] if head else "none", rows, tuple(feed) if feed else None, tails)


def generation_of(path: Path) -> int:
    """The generation of the feed in a file that may be damaged or absent: 0 where it cannot be told."""
    try:
        with closing(sqlite.connect(_uri(path, mode="ro"), uri=True, timeout=BUSY_SECONDS)) as connection:
            return int(connection.execute("SELECT generation FROM feed_head").fetchone()[0])
    except (sqlite.Error, TypeError, OSError):
        return 0


def last_seal_of(path: Path) -> tuple[int, str]:
    """The number and digest of the audit record's last seal; 0 and nothing where there is none."""
    with closing(sqlite.connect(_uri(path, mode="ro"), uri=True, timeout=BUSY_SECONDS)) as connection:
        row = connection.execute("SELECT number, digest FROM audit_seals ORDER BY number DESC LIMIT 1").fetchone()
    return (int(row[0]), str(row[1])) if row else (0, "")


def set_generation(path: Path, generation: int) -> None:
    """Begin a new history of the file's feed: no cursor of an earlier one is honoured."""
    with _failing_as_disks_do(path), closing(sqlite.connect(str(path), isolation_level=None)) as connection:
        connection.execute("UPDATE feed_head SET generation = ?", (generation,))


@contextmanager
def _failing_as_disks_do(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite.Error as error:
        raise CopyFailedError(f"{path}: {error}") from None


@contextmanager
def _reading(path: Path) -> Iterator[Any]:
    # Immutable: nobody writes a backup, and SQLite leaves no file beside it.
    try:
        with closing(sqlite.connect(_uri(path, mode="ro", immutable="1"), uri=True)) as connection:
            yield connection
    except sqlite.DatabaseError as error:
        raise DamagedFileError(f"{path.name}: {error}") from None


def _uri(path: Path, **options: str) -> str:
    return f"file:{quote(str(path.absolute()))}?" + "&".join(f"{name}={value}" for name, value in options.items())
