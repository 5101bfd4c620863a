"""Copies all rows between databases of either kind in one transaction, checked row by row before the commit."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, MetaData, Row, Table, delete, func, insert, literal, select, text, tuple_
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.persistence.engine import Database
from shared.values.problems import DatabaseUnavailableError

PAGE = 500
_MODULUS = 1 << 256


# What reading a missing, foreign or damaged database can raise.
READ_ERRORS = (OSError, SQLAlchemyError, ValueError, TypeError)


class NotEmptyError(RuntimeError):
    """The target has rows that a fresh migration does not create."""


class CopyDiffersError(RuntimeError):
    """The written rows differ from the read ones; the copy was rolled back."""


class UnreachableDatabaseError(RuntimeError):
    """The database cannot be opened or read."""


class BusyDatabaseError(RuntimeError):
    """Other programs are connected: their writes during the copy would be lost."""


@dataclass(frozen=True, slots=True)
class TableDigest:
    """A table's number of rows and a digest of their contents, independent of their order."""

    rows: int
    digest: str


async def digest_of(connection: AsyncConnection, metadata: MetaData) -> dict[str, TableDigest]:
    """The digest of every table, as this connection sees it."""
    digests_of_tables = {}
    for table in metadata.sorted_tables:
        count, total = 0, 0
        async for rows in _pages(connection, table):
            count, total = count + len(rows), _add(total, rows)
        digests_of_tables[table.name] = TableDigest(count, f"{total:064x}")
    return digests_of_tables


async def digests(database: Database, metadata: MetaData) -> dict[str, TableDigest]:
    """The digest of every table, all of one moment.

    :raises UnreachableDatabaseError: the database cannot be read.
    """
    try:
        async with database.read() as connection:
            return await digest_of(connection, metadata)
    except (OSError, SQLAlchemyError) as error:
        raise UnreachableDatabaseError(_unreadable(database, error)) from error
    except DatabaseUnavailableError as error:
        raise UnreachableDatabaseError(_unreadable(database, error.__cause__ or error)) from error


async def check_reachable(database: Database, *, alone: bool = False) -> None:
    """Check that the database can be opened; ``alone``: and that no other program is connected (PostgreSQL).

    :raises UnreachableDatabaseError: it cannot be opened.
    :raises BusyDatabaseError: other programs are connected.
    """
    try:
        async with database.read() as connection:
            others = 0
            if alone and not database.is_sqlite:
                others = (
                    await connection.execute(
                        text(
                            "SELECT count(*) FROM pg_stat_activity"
                            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                            " AND backend_type = 'client backend'"
                        )
                    )
                ).scalar_one()
    except (OSError, SQLAlchemyError) as error:
        raise UnreachableDatabaseError(_unreadable(database, error)) from error
    except DatabaseUnavailableError as error:
        raise UnreachableDatabaseError(_unreadable(database, error.__cause__ or error)) from error
    if others:
        raise BusyDatabaseError(
            f"{others} other connections are open on {address_of(database)}: stop the services that use it first"
        )


def address_of(database: Database) -> str:
    """The database's URL without its password."""
    return database.engine.url.render_as_string(hide_password=True)


async def check_empty(target: Database, metadata: MetaData, fresh: Mapping[str, TableDigest]) -> None:
    """Check that the target has only the rows that a migration creates (``fresh``).

    :raises NotEmptyError: it has others.
    """
    _refuse_rows(target, await digests(target, metadata), fresh)


def _refuse_rows(target: Database, present: Mapping[str, TableDigest], fresh: Mapping[str, TableDigest]) -> None:
    if filled := sorted(name for name, digest in present.items() if digest != fresh[name]):
        raise NotEmptyError(f"{address_of(target)} is not empty: {', '.join(filled)}")


async def copy_rows(
    source: Database,
    target: Database,
    metadata: MetaData,
    fresh: Mapping[str, TableDigest],
    report: Callable[[str, int], None],
) -> dict[str, TableDigest]:
    """Copy every row into a freshly migrated database, all or nothing.

    :param fresh: the digests that a migration alone creates.
    :param report: called with a table and the number of its rows copied so far.
    :raises NotEmptyError: the target has other rows.
    :raises CopyDiffersError: the target, read again before the commit, differs from the source.
    """
    try:
        return await _copy_rows(source, target, metadata, fresh, report)
    except DBAPIError as error:
        raise CopyDiffersError(
            f"{address_of(target)} refused the rows, nothing was copied: {describe_error(error)}"
        ) from None


async def _copy_rows(
    source: Database,
    target: Database,
    metadata: MetaData,
    fresh: Mapping[str, TableDigest],
    report: Callable[[str, int], None],
) -> dict[str, TableDigest]:
    async with source.read() as reading, target.transaction() as writing:
        present = await digest_of(writing, metadata)
        _refuse_rows(target, present, fresh)
        for table in reversed(metadata.sorted_tables):
            if present[table.name].rows:
                await writing.execute(delete(table))
        copied: dict[str, TableDigest] = {}
        for table in metadata.sorted_tables:
            count, total = 0, 0
            async for rows in _pages(reading, table):
                await writing.execute(insert(table), [dict(row._mapping) for row in rows])
                count, total = count + len(rows), _add(total, rows)
                report(table.name, count)
            copied[table.name] = TableDigest(count, f"{total:064x}")
            await _set_sequence(writing, target, table)
        written = await digest_of(writing, metadata)
        if differing := sorted(name for name, digest in copied.items() if written[name] != digest):
            raise CopyDiffersError(f"the copy differs, nothing was copied: {', '.join(differing)}")
    return copied


async def _pages(connection: AsyncConnection, table: Table) -> AsyncIterator[list[Row[Any]]]:
    key = list(table.primary_key.columns)
    if not key:
        raise ValueError(f"{table.name} has no primary key")
    statement = select(table).order_by(*key).limit(PAGE)
    page = statement
    while rows := list((await connection.execute(page)).all()):
        yield rows
        if len(rows) < PAGE:
            return
        last = [literal(rows[-1]._mapping[column.name], column.type) for column in key]
        page = statement.where(key[0] > last[0] if len(key) == 1 else tuple_(*key) > tuple_(*last))


def _add(total: int, rows: list[Row[Any]]) -> int:
    for row in rows:
        text_of_row = json.dumps([_plain(value) for value in row], ensure_ascii=False, separators=(",", ":"))
        total += int.from_bytes(hashlib.sha256(text_of_row.encode()).digest(), "big")
    return total % _MODULUS


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    return value


async def _set_sequence(connection: AsyncConnection, target: Database, table: Table) -> None:
    """Let PostgreSQL's own numbering continue after the highest copied number."""
    column = table.autoincrement_column
    if target.is_sqlite or column is None or not isinstance(column.type, Integer):
        return
    sequence = (await connection.execute(select(func.pg_get_serial_sequence(table.name, column.name)))).scalar_one()
    if sequence is not None:
        highest = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
        await connection.execute(select(func.setval(sequence, highest, False)))


def _unreadable(database: Database, error: BaseException) -> str:
    return f"{address_of(database)} cannot be read: {describe_error(error)}"


def describe_error(error: BaseException) -> str:
    """The driver's message without the statement and its values."""
    return (str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__])[0][:200]
