"""`cleio db copy`: copy a service's rows from SQLite to PostgreSQL, or back."""

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

# The errors of a copy; each message is one line for the operator.
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
    service: str, from_url: str, to_url: str, report: Callable[[str, int], None]
) -> Mapping[str, TableDigest]:
    """Migrate an empty database and copy one service's rows into it.

    :raises NotEmptyError: the target has rows. All other errors are in `COPY_ERRORS`.
    """
    if from_url == to_url:
        raise ValueError("--from and --to are the same database")
    async with opened(from_url, must_exist=True) as source, opened(to_url) as target:
        await check_reachable(source, alone=True)
        await check_schema(source, tree_of(service), metadata_of(service))
        await check_reachable(target, alone=True)
        await upgrade(target, tree_of(service), metadata_of(service))
        return await copy_rows(source, target, metadata_of(service), await fresh_digests(service), report)


async def copy_from(service: str, from_url: str, to_url: str) -> None:
    """Copy a PostgreSQL database for a backup, as one consistent snapshot; services may go on writing."""
    async with opened(from_url) as source, opened(to_url) as target:
        await check_reachable(source)
        await check_schema(source, tree_of(service), metadata_of(service))
        await upgrade(target, tree_of(service), metadata_of(service))
        await copy_rows(source, target, metadata_of(service), await fresh_digests(service), lambda _table, _rows: None)


async def prepare_for_copy(service: str, to_url: str) -> None:
    """Migrate an empty PostgreSQL database.

    :raises NotEmptyError: it has rows.
    """
    async with opened(to_url) as target:
        await check_reachable(target, alone=True)
        await upgrade(target, tree_of(service), metadata_of(service))
        await check_empty(target, metadata_of(service), await fresh_digests(service))


async def copy_into(service: str, from_url: str, to_url: str) -> None:
    """Copy a SQLite file into an empty PostgreSQL database for a restore; both are migrated first."""
    async with opened(from_url) as source, opened(to_url) as target:
        await check_reachable(target, alone=True)
        for database in (source, target):
            await upgrade(database, tree_of(service), metadata_of(service))
        await copy_rows(source, target, metadata_of(service), await fresh_digests(service), lambda _table, _rows: None)


async def fresh_digests(service: str) -> dict[str, TableDigest]:
    """Return the digests of the tables of a new, migrated database."""
    with tempfile.TemporaryDirectory(prefix="cleio-fresh-") as folder:
        url = f"sqlite:///{Path(folder) / 'fresh.db'}"
        await upgrade_at(service, url)
        async with opened(url) as fresh:
            return await digests(fresh, metadata_of(service))


@asynccontextmanager
async def opened(url: str, *, must_exist: bool = False) -> AsyncIterator[Database]:
    """Open the database at a URL, and close it at the end of the block. ``must_exist``: a SQLite file is not created.

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
