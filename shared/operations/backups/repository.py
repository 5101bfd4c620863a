"""The SQL of whole SQLite files: online copies, and the content of a file."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pysqlite3 import dbapi2 as sqlite

BUSY_SECONDS = 10.0


class DamagedFileError(RuntimeError):
    """SQLite finds the file damaged, or it is not a database."""


class CopyFailedError(OSError):
    """The file could not be written or read; the message is SQLite's."""

    @property
    def is_out_of_space(self) -> bool:
        return "full" in str(self)


@dataclass(frozen=True, slots=True)
class Contents:
    """The content of a service's SQLite file.

    ``feed``: generation and last number of its own feed. ``tails``: name of another feed → path of the next read.
    """

    schema_head: str
    rows: dict[str, int]
    feed: tuple[int, int] | None
    tails: dict[str, str]


def copy_live(source: Path, target: Path) -> None:
    """Copy a database with SQLite's online backup, as of one moment, while its owner goes on writing.

    Call it inside the process that owns ``source``, or with the owner lock. It blocks: run it in a thread.

    :raises CopyFailedError: no space is left, or the disk failed.
    """
    with (
        _translate_errors(target),
        closing(sqlite.connect(_uri(source, mode="ro"), uri=True, timeout=BUSY_SECONDS)) as reading,
        closing(sqlite.connect(str(target))) as writing,
    ):
        # All pages in one step: one moment. With a write-ahead log this blocks no writer.
        reading.backup(writing)
    make_single(target)


def make_single(path: Path) -> None:
    """Merge the write-ahead log into the file, so that the database is one plain file."""
    with _translate_errors(path), closing(sqlite.connect(str(path), isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def examine(path: Path) -> Contents:
    """Check the whole file and return its content; the file is not changed. Blocking.

    :raises DamagedFileError: anything in it is damaged.
    """
    with _reading(path) as connection:
        found = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
        if found != ["ok"]:
            raise DamagedFileError(f"{path.name}: {found[0]}")
        if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
            raise DamagedFileError(f"{path.name}: a row refers to a missing row")
        tables = [
            row[0]
            for row in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"
            )
        ]
        if "alembic_version" not in tables:
            raise DamagedFileError(f"{path.name}: it has no schema of CLEIO")
        rows = {name: _count(connection, name) for name in tables}
        head = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        feed = connection.execute("SELECT generation, seq FROM feed_head").fetchone() if "feed_head" in tables else None
        tails = dict(connection.execute("SELECT feed, following FROM tails")) if "tails" in tables else {}
        return Contents(head[0] if head else "none", rows, tuple(feed) if feed else None, tails)


def _count(connection: Any, table: str) -> int:
    statement = f'SELECT count(*) FROM "{table}"'  # noqa: S608  # the name comes from the schema itself
    return int(connection.execute(statement).fetchone()[0])


def generation_of(path: Path) -> int:
    """Return the generation of the feed in a file; 0 if the file is damaged or absent."""
    try:
        with closing(sqlite.connect(_uri(path, mode="ro"), uri=True, timeout=BUSY_SECONDS)) as connection:
            return int(connection.execute("SELECT generation FROM feed_head").fetchone()[0])
    except (sqlite.Error, TypeError, OSError):
        return 0


def last_seal_of(path: Path) -> tuple[int, str]:
    """Return number and digest of the last checkpoint of the audit log; 0 and an empty text if there is none."""
    with closing(sqlite.connect(_uri(path, mode="ro"), uri=True, timeout=BUSY_SECONDS)) as connection:
        row = connection.execute("SELECT number, digest FROM audit_seals ORDER BY number DESC LIMIT 1").fetchone()
    return (int(row[0]), str(row[1])) if row else (0, "")


def set_generation(path: Path, generation: int) -> None:
    """Start a new generation of the file's feed: cursors of earlier ones become invalid."""
    with _translate_errors(path), closing(sqlite.connect(str(path), isolation_level=None)) as connection:
        connection.execute("UPDATE feed_head SET generation = ?", (generation,))


@contextmanager
def _translate_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite.Error as error:
        raise CopyFailedError(f"{path}: {error}") from None


@contextmanager
def _reading(path: Path) -> Iterator[Any]:
    # Immutable: a backup is never written, and SQLite must leave no file beside it.
    try:
        with closing(sqlite.connect(_uri(path, mode="ro", immutable="1"), uri=True)) as connection:
            yield connection
    except sqlite.DatabaseError as error:
        raise DamagedFileError(f"{path.name}: {error}") from None


def _uri(path: Path, **options: str) -> str:
    return f"file:{quote(str(path.absolute()))}?" + "&".join(f"{name}={value}" for name, value in options.items())
