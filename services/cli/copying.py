"""`cleio db copy`: an installation's rows from SQLite to PostgreSQL, or back."""

import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from services.cli.databases import metadata_of, tree_of, upgrade_at
from shared.persistence import (
    Database,
    OwnedElsewhereError,
    RowLevelSecurityError,
    UnsupportedSqliteError,
    WrongSchemaError,
    open_database,
    sqlite_file,
)
from shared.persistence.copying import (
    BusyDatabaseError,
    CopyDiffersError,
    NotEmptyError,
    TableDigest,
    UnreachableDatabaseError,
    check_empty,
    check_reachable,
    copy_rows,
    digests,
)
from shared.persistence.migrations import check_schema, upgrade

# What a copy can end with: each message is one line for its operator.
COPY_ERRORS = (
    BusyDatabaseError,
    CopyDiffersError,
    NotEmptyError,
    OwnedElsewhereError,
    UnreachableDatabaseError,
    RowLevelSecurityError,
    UnsupportedSqliteError,
    WrongSchemaError,
    ValueError,
)


async def copy_database(
    service: str, from_url: str, to_url: str, told: Callable[[str, int], None]
) -> Mapping[str, TableDigest]:
    """Copy one service's rows into an empty database, which is migrated first.

    :raises NotEmptyError: the target holds rows. The other errors are those of `COPY_ERRORS`.
    """
    if from_url == to_url:
        raise ValueError("--from and --to are the same database")
    async with opened(from_url, must_exist=True) as source, opened(to_url) as target:
        await check_reachable(source, alone=True)
        await check_schema(source, tree_of(service), metadata_of(service))
        await check_reachable(target, alone=True)
        await upgrade(target, tree_of(service), metadata_of(service))
        return await copy_rows(source, target, metadata_of(service), await fresh_digests(service), told)


async def copy_from(service: str, from_url: str, to_url: str) -> None:
    """The same without asking that nobody writes: a copy of one moment, for a backup of a PostgreSQL."""
    async with opened(from_url) as source, opened(to_url) as target:
        await check_reachable(source)
        await check_schema(source, tree_of(service), metadata_of(service))
        await upgrade(target, tree_of(service), metadata_of(service))
        await copy_rows(source, target, metadata_of(service), await fresh_digests(service), lambda _table, _rows: None)


async def prepare_for_copy(service: str, to_url: str) -> None:
    """Bring an empty PostgreSQL database to this program's schema.

    :raises NotEmptyError: it holds rows.
    """
    async with opened(to_url) as target:
        await check_reachable(target, alone=True)
        await upgrade(target, tree_of(service), metadata_of(service))
        await check_empty(target, metadata_of(service), await fresh_digests(service))


async def copy_into(service: str, from_url: str, to_url: str) -> None:
    """Copy a file into an empty PostgreSQL database, both brought to this program's schema: how a backup returns there."""
    async with opened(from_url) as source, opened(to_url) as target:
        await check_reachable(target, alone=True)
        for database in (source, target):
            await upgrade(database, tree_of(service), metadata_of(service))
        await copy_rows(source, target, metadata_of(service), await fresh_digests(service), lambda _table, _rows: None)


async def fresh_digests(service: str) -> dict[str, TableDigest]:
    """The tables as a migration alone leaves them."""
    with tempfile.TemporaryDirectory(prefix="cleio-fresh-") as folder:
        url = f"sqlite:///{Path(folder) / 'fresh.db'}"
        await upgrade_at(service, url)
        async with opened(url) as fresh:
            return await digests(fresh, metadata_of(service))


@asynccontextmanager
async def opened(url: str, *, must_exist: bool = False) -> AsyncIterator[Database]:
    """The database at a URL, closed at the end of the block. ``must_exist``: a SQLite file is not created.

    :raises UnreachableDatabaseError: it cannot be opened.
    """
    try:
        if must_exist and (file := sqlite_file(url)) is not None:
            file.stat()
        database = open_database(url)
    except (OSError, ImportError) as error:
        raise UnreachableDatabaseError(f"the database cannot be opened: {error}") from None
    try:
        yield database
    finally:
        await database.close()
