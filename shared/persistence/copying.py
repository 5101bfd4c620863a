"""Rows from one database to another, either kind to either kind, in one transaction and checked row by row before it is committed."""

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


class NotEmptyError(RuntimeError):
    """The target holds rows that a fresh migration does not make."""


class CopyDiffersError(RuntimeError):
    """What was written is not what was read; nothing of it was kept."""


class UnreachableDatabaseError(RuntimeError):
    """The database cannot be opened, or is not what its URL says."""


class BusyDatabaseError(RuntimeError):
    """Other programs are connected: what they write during the copy would be lost."""


@dataclass(frozen=True, slots=True)
class TableDigest:
    """A table's number of rows and a digest of their contents that does not depend on their order, which the two kinds of database do not share."""

    rows: int
    digest: str


async def digest_of(connection: AsyncConnection, metadata: MetaData) -> dict[str, TableDigest]:
    """Every table's digest, in the view of this connection."""
    found = {}
    for table in metadata.sorted_tables:
        count, total = 0, 0
        async for rows in _pages(connection, table):
            count, total = count + len(rows), _add(total, rows)
        found[table.name] = TableDigest(count, f"{total:064x}")
    return found


async def digests(database: Database, metadata: MetaData) -> dict[str, TableDigest]:
    """The same, of one moment.

    :raises UnreachableDatabaseError: when it cannot be read.
    """
    try:
        async with database.read() as connection:
            return await digest_of(connection, metadata)
    except (OSError, SQLAlchemyError) as error:
        raise UnreachableDatabaseError(_told(database, error)) from error
    except DatabaseUnavailableError as error:
        raise UnreachableDatabaseError(_told(database, error.__cause__ or error)) from error


async def check_reachable(database: Database, *, alone: bool = False) -> None:
    """Open it once; ``alone`` also asks a PostgreSQL whether nobody else is connected (a SQLite file has one owner anyway).

    :raises UnreachableDatabaseError: when it cannot be opened.
    :raises BusyDatabaseError: when others are connected.
    """
    try:
        async with database.read() as connection:
            others = 0
            if alone and not database.is_sqlite:
                others = (
                    await connection.execute(
                        text(
                            "SELECT count(*) FROM pg_stat_activity"
                            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
                        )
                    )
                ).scalar_one()
    except (OSError, SQLAlchemyError) as error:
        raise UnreachableDatabaseError(_told(database, error)) from error
    except DatabaseUnavailableError as error:
        raise UnreachableDatabaseError(_told(database, error.__cause__ or error)) from error
    if others:
        raise BusyDatabaseError(
            f"{others} other connections are open on {place(database)}: stop the services that use it first"
        )


def place(database: Database) -> str:
    """The database's URL without its password."""
    return database.engine.url.render_as_string(hide_password=True)


async def check_empty(target: Database, metadata: MetaData, fresh: Mapping[str, TableDigest]) -> None:
    """:raises NotEmptyError: the target holds more than a migration makes (``fresh``)."""
    _refuse_rows(target, await digests(target, metadata), fresh)


def _refuse_rows(target: Database, held: Mapping[str, TableDigest], fresh: Mapping[str, TableDigest]) -> None:
    if full := sorted(name for name, digest in held.items() if digest != fresh[name]):
        raise NotEmptyError(f"{place(target)} is not empty: {', '.join(full)}")


async def copy_rows(
    source: Database,
    target: Database,
    metadata: MetaData,
    fresh: Mapping[str, TableDigest],
    told: Callable[[str, int], None],
) -> dict[str, TableDigest]:
    """Copy every row into a database that holds only what a migration makes (``fresh``). All or nothing; ``told(table, rows)`` is progress.

    :raises NotEmptyError: the target holds more.
    :raises CopyDiffersError: read again before the commit, the target differs from the source.
    """
    try:
        return await _copy_rows(source, target, metadata, fresh, told)
    except DBAPIError as error:
        raise CopyDiffersError(f"{place(target)} does not take the rows, nothing was kept: {_reason(error)}") from None


async def _copy_rows(
    source: Database,
    target: Database,
    metadata: MetaData,
    fresh: Mapping[str, TableDigest],
    told: Callable[[str, int], None],
) -> dict[str, TableDigest]:
    async with source.read() as reading, target.transaction() as writing:
        held = await digest_of(writing, metadata)
        _refuse_rows(target, held, fresh)
        for table in reversed(metadata.sorted_tables):
            if held[table.name].rows:
                await writing.execute(delete(table))
        copied: dict[str, TableDigest] = {}
        for table in metadata.sorted_tables:
            count, total = 0, 0
            async for rows in _pages(reading, table):
                await writing.execute(insert(table), [dict(row._mapping) for row in rows])
                count, total = count + len(rows), _add(total, rows)
                told(table.name, count)
            copied[table.name] = TableDigest(count, f"{total:064x}")
            await _set_sequence(writing, target, table)
        written = await digest_of(writing, metadata)
        if differing := sorted(name for name, digest in copied.items() if written[name] != digest):
            raise CopyDiffersError(f"not the same after copying, nothing was kept: {', '.join(differing)}")
    return copied


async def _pages(connection: AsyncConnection, table: Table) -> AsyncIterator[list[Row[Any]]]:
    key = list(table.primary_key.columns)
    if not key:
        raise ValueError(f"{table.name} has no primary key")
    statement = select(table).order_by(*key).limit(PAGE)
    following = statement
    while rows := list((await connection.execute(following)).all()):
        yield rows
        if len(rows) < PAGE:
            return
        last = [literal(rows[-1]._mapping[column.name], column.type) for column in key]
        following = statement.where(key[0] > last[0] if len(key) == 1 else tuple_(*key) > tuple_(*last))


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
    """Numbers that PostgreSQL gives out by itself go on after the highest copied one."""
    column = table.autoincrement_column
    if target.is_sqlite or column is None or not isinstance(column.type, Integer):
        return
    sequence = (await connection.execute(select(func.pg_get_serial_sequence(table.name, column.name)))).scalar_one()
    if sequence is not None:
        highest = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
        await connection.execute(select(func.setval(sequence, highest, False)))


def _told(database: Database, error: BaseException) -> str:
    return f"{place(database)} cannot be read: {_reason(error)}"


def _reason(error: BaseException) -> str:
    """The driver's own words, without the statement and its values."""
    return (str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__])[0][:200]
