"""Single SELECTs for anonymous readers, without the connection handling of SQLAlchemy.

A statement is compiled once. One statement is one consistent view, so it needs no transaction. On PostgreSQL it runs
in a pool of the public role, under row-level security like every public read.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import asyncpg  # type: ignore[import-untyped]
from pysqlite3 import dbapi2 as sqlite
from sqlalchemy import URL
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql.expression import ClauseElement

from shared.persistence.engine import Database
from shared.persistence.inline_sqlite import InlineSQLiteDialect
from shared.persistence.rls_policies import public_role
from shared.values.problems import DatabaseBusyError, DatabaseUnavailableError, TimedOutError

STATEMENT_SECONDS = 5.0
STEPS_BETWEEN_CHECKS = 20_000
MAX_CONNECTIONS = 5
# The server is not there, or has ended this connection.
_BROKEN = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
)


class DirectStatement:
    """A statement compiled once for one kind of database."""

    def __init__(self, statement: ClauseElement, *, is_sqlite: bool) -> None:
        postgresql = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
        compiled = statement.compile(dialect=InlineSQLiteDialect() if is_sqlite else postgresql)
        self.sql = str(compiled)
        self._names = tuple(compiled.positiontup or ())  # type: ignore[attr-defined]
        # Values that the statement itself holds.
        self.constants = {name: value for name, value in compiled.params.items() if value is not None}

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the statement's places."""
        return [values[name] for name in self._names]


class DirectReads(Protocol):
    """Runs such statements."""

    is_sqlite: bool

    async def fetch(self, statement: DirectStatement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """All rows.

        :raises DatabaseUnavailableError: the server is not there.
        :raises DatabaseBusyError: no connection became free.
        :raises TimedOutError: the statement took longer than five seconds.
        """

    async def close(self) -> None:
        """Close the connections."""


class SqliteReads:
    """Inline, on one connection of its own that cannot write."""

    is_sqlite = True

    def __init__(self, file: Path) -> None:
        self._late_at = 0.0
        self._connection = sqlite.connect(
            str(file), isolation_level=None, check_same_thread=False, cached_statements=256
        )
        self._connection.execute("PRAGMA query_only=1")
        self._connection.set_progress_handler(lambda: monotonic() > self._late_at, STEPS_BETWEEN_CHECKS)

    async def fetch(self, statement: DirectStatement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        self._late_at = monotonic() + STATEMENT_SECONDS
        try:
            rows: list[Sequence[Any]] = self._connection.execute(statement.sql, statement.arguments(values)).fetchall()
        except sqlite.OperationalError as error:
            if str(error) == "interrupted":
                raise TimedOutError from None
            if "locked" in str(error):
                raise DatabaseBusyError from None
            raise
        return rows

    async def close(self) -> None:
        self._connection.close()


class PostgresqlReads:
    """A pool of the public role."""

    is_sqlite = False

    def __init__(self, url: URL, role: str) -> None:
        self._dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._settings = {
            "role": role, "default_transaction_read_only": "on", "timezone": "UTC",
            "statement_timeout": str(int(STATEMENT_SECONDS * 1000)),
        }  # fmt: skip
        self._pool: asyncpg.Pool | None = None

    async def fetch(self, statement: DirectStatement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        try:
            return await self._fetch(statement, values)
        except (asyncpg.QueryCanceledError, TimeoutError):
            raise TimedOutError from None
        except _BROKEN:
            pass
        # An idle connection that the server ended is noticed only when it is used: the others may be as old.
        try:
            if self._pool is not None:
                await self._pool.expire_connections()
            return await self._fetch(statement, values)
        except asyncpg.QueryCanceledError:
            raise TimedOutError from None
        except _BROKEN as error:  # also a time-out: after a broken connection the server is away
            raise DatabaseUnavailableError from error

    async def _fetch(self, statement: DirectStatement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        if self._pool is None:
            # A connection has nothing to be reset of: it only ever runs single statements.
            self._pool = asyncpg.create_pool(
                self._dsn, min_size=0, max_size=MAX_CONNECTIONS, server_settings=self._settings, reset=_nothing
            )
        await self._pool
        rows: Sequence[Sequence[Any]] = await self._pool.fetch(
            statement.sql, *statement.arguments(values), timeout=STATEMENT_SECONDS
        )
        return rows

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()


async def _nothing(_connection: Any) -> None:
    """Leave a connection as it is."""


def open_direct_reads(database: Database) -> DirectReads:
    """The direct reads of a database that was opened for a service's callers."""
    if database.file is not None:
        return SqliteReads(database.file)
    assert database.rls is not None
    return PostgresqlReads(database.engine.url, public_role(database.rls.service))
