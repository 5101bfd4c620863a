"""SQLite inside the event loop, behind SQLAlchemy's asyncio interface: a short query needs no worker thread.

This relies on a private convention of SQLAlchemy, which ``tests/unit/shared/persistence/test_inline_sqlite.py`` checks:
a statement must await something, and a cursor has ``_async_soft_close``. A long statement would block the event loop.
"""

from collections import deque
from math import inf
from time import monotonic
from typing import Any

from pysqlite3 import dbapi2 as sqlite
from sqlalchemy import URL
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.pool import AsyncAdaptedQueuePool, Pool
from sqlalchemy.util import await_only

from shared.persistence.request_scope import current_request

STEPS_BETWEEN_CHECKS = 20_000


async def _nothing() -> None:
    """SQLAlchemy refuses an asynchronous statement that awaits nothing."""


class _Cursor(sqlite.Cursor):  # type: ignore[misc]
    """Reads all rows into memory, as SQLAlchemy's asynchronous drivers do: a result may outlive its connection."""

    _rows: deque[Any] | None = None

    def execute(self, *args: Any) -> Any:
        await_only(_nothing())
        self.connection.begin_statement()
        return super().execute(*args)

    def executemany(self, *args: Any) -> Any:
        await_only(_nothing())
        self.connection.begin_statement()
        return super().executemany(*args)

    async def _async_soft_close(self) -> None:
        self._rows = deque(super().fetchall())
        super().close()

    def fetchone(self) -> Any:
        if self._rows is None:
            return super().fetchone()
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int = 1) -> Any:
        if self._rows is None:
            return super().fetchmany(size)
        return [self._rows.popleft() for _ in range(min(size, len(self._rows)))]

    def fetchall(self) -> Any:
        if self._rows is None:
            return super().fetchall()
        rows, self._rows = list(self._rows), deque()
        return rows


class _Connection(sqlite.Connection):  # type: ignore[misc]
    """Interrupts a statement that takes too long: it blocks the event loop."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._deadline = inf
        self.set_progress_handler(lambda: monotonic() > self._deadline, STEPS_BETWEEN_CHECKS)

    def begin_statement(self) -> None:
        request = current_request()
        limit = None if request is None else request.statement_seconds
        self._deadline = inf if limit is None else monotonic() + limit

    def cursor(self, factory: type[sqlite.Cursor] = _Cursor) -> Any:
        return super().cursor(factory)


class InlineSQLiteDialect(SQLiteDialect_pysqlite):
    driver = "inline"
    is_async = True
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        return sqlite

    @classmethod
    def get_pool_class(cls, _url: URL) -> type[Pool]:
        return AsyncAdaptedQueuePool

    def create_connect_args(self, url: URL) -> Any:
        arguments, options = super().create_connect_args(url)
        return arguments, {**options, "factory": _Connection, "isolation_level": None}

    def get_driver_connection(self, connection: Any) -> Any:
        return connection


registry.register("sqlite.inline", __name__, InlineSQLiteDialect.__name__)
