"""Engines and transactions. A SQLite file is owned by exactly one process, has one writer, and acknowledges only what is on the disk."""

import asyncio
import fcntl
import logging
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, Any

from pysqlite3 import dbapi2 as sqlite
from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.persistence.inline_sqlite import InlineSQLiteDialect
from shared.persistence.request_scope import current_request
from shared.persistence.rls_policies import callers_role, public_role
from shared.persistence.rls_sessions import RlsContext, RlsEngines, check_row_level_security
from shared.persistence.unit_of_work import UnitOfWork, follow_savepoints
from shared.values.database_urls import read_database_url
from shared.values.problems import (
    DatabaseBusyError,
    DatabaseDamagedError,
    DatabaseUnavailableError,
    Problem,
    StorageFailedError,
    StorageFullError,
    TimedOutError,
)

logger = logging.getLogger(__name__)

LOCK_WAIT_SECONDS = 2.0
STATEMENT_SECONDS = 5.0
# SQLite 3.7.0 to 3.51.2 can lose committed rows when the write-ahead log is reset while two connections are open.
FIRST_SAFE_SQLITE = (3, 51, 3)


# States of PostgreSQL: a connection that broke or was not made, a server that shuts down or starts, a login that gets no more connections.
_AWAY = re.compile("08|57P0|53300")


class WrongSchemaError(RuntimeError):
    """The database is not at the schema this program was built for."""


class OwnedElsewhereError(RuntimeError):
    """Another process already owns this SQLite file."""


class UnsupportedSqliteError(RuntimeError):
    """The SQLite library is too old to keep committed data safely."""


class Database:
    """One service's database. ``read`` and ``transaction`` give an ``AsyncConnection``; a transaction is committed when its block ends, or not
    at all. ``file`` is where a SQLite one lives.

    Inside a request both are subject to row-level security (`shared.persistence.rls_sessions`), unless the service itself has to see or write rows of its
    own (``as_service``). Outside of requests it is always the service itself.
    """

    def __init__(
        self, engine: AsyncEngine, owner: IO[str] | None, file: Path | None = None, walled: RlsEngines | None = None
    ) -> None:
        self.engine = engine
        self.file = file
        self._walled = walled
        self._owner = owner
        self._writer = asyncio.Lock()
        self.committed = asyncio.Event()
        self.closing = False
        # Called in this order before every commit, ahead of the last rows of a request and of the collected changes.
        self.before_commit: list[Callable[[AsyncConnection], Awaitable[None]]] = []

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def read(self, *, as_service: bool = False) -> AsyncIterator[AsyncConnection]:
        """A consistent view: everything read in the block is of one moment.

        :raises DatabaseBusyError: no connection was free, or a lock not given, within two seconds.
        :raises DatabaseUnavailableError: the server is not there, or the connection broke.
        :raises TimedOutError: a statement took longer than five.
        """
        view = self._view(as_service)
        with translate_database_errors():
            async with _connected(self._engine_for(view, reading=True)) as connection:
                if not self.is_sqlite:
                    await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                await self._tell(connection, view, reading=True)
                yield connection

    @asynccontextmanager
    async def transaction(self, *, as_service: bool = False) -> AsyncIterator[AsyncConnection]:
        """One unit of work. On SQLite writers queue in the process (two that block each other inside one event loop would never end).

        :raises DatabaseBusyError: after two seconds in the queue, or for a connection or a lock.
        :raises DatabaseUnavailableError: the server is not there, or the connection broke: perhaps after it had committed.
        :raises TimedOutError: a statement took longer than five seconds.
        :raises StorageFullError: no room is left.
        :raises StorageFailedError: the disk fails.
        """
        unit = UnitOfWork()
        with translate_database_errors():
            async with self._begin(as_service=as_service) as connection:
                unit.begin(connection)
                try:
                    yield connection
                    await self._write_last(connection, unit)
                finally:
                    unit.end()
        if unit.changed:
            self.wake()

    @asynccontextmanager
    async def _begin(self, *, as_service: bool) -> AsyncIterator[AsyncConnection]:
        if not self.is_sqlite:
            view = self._view(as_service)
            async with _connected(self._engine_for(view, reading=False)) as connection, connection.begin():
                await self._tell(connection, view, reading=False)
                yield connection
            return
        try:
            # Not `wait_for`: until Python 3.12 it can swallow a cancellation, and its loop then never ends.
            async with asyncio.timeout(LOCK_WAIT_SECONDS):
                await self._writer.acquire()
        except TimeoutError:
            raise DatabaseBusyError from None
        try:
            async with self.engine.connect() as connection:
                await connection.execution_options(cleio_write=True)
                async with connection.begin():
                    yield connection
        finally:
            self._writer.release()

    def _view(self, as_service: bool) -> RlsContext | None:
        request = current_request()
        return None if self._walled is None or as_service or request is None else request.rls_context

    def _engine_for(self, view: RlsContext | None, *, reading: bool) -> AsyncEngine:
        return self.engine if self._walled is None or view is None else self._walled.engine_for(view, reading=reading)

    async def _tell(self, connection: AsyncConnection, view: RlsContext | None, *, reading: bool) -> None:
        if self._walled is not None and view is not None:
            await self._walled.tell(connection, view, reading=reading)

    async def _write_last(self, connection: AsyncConnection, unit: UnitOfWork) -> None:
        """Write the idempotency answer and the audit entry, then the collected changes: the feed's head is locked last."""
        if connection.in_transaction():
            for write in self.before_commit:
                await write(connection)
            if (request := current_request()) is not None:
                await request.before_commit(connection)
            await unit.write(connection)

    async def check_row_level_security(self) -> None:
        """:raises RowLevelSecurityError: when the second wall does not stand; nothing to check where there is none."""
        if self._walled is not None:
            async with self.read(as_service=True) as connection:
                await check_row_level_security(connection, self._walled.service)

    def wake(self) -> None:
        """Tell those who wait for an entry of the feed that one was committed."""
        self.committed.set()
        self.committed = asyncio.Event()

    def end_waits(self) -> None:
        """The process is about to end: who waits for a change goes on at once, and nobody waits again."""
        self.closing = True
        self.wake()

    async def close(self) -> None:
        await self.engine.dispose()
        if self._walled is not None:
            await self._walled.close()
        if self._owner is not None:
            self._owner.close()


@asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """:raises DatabaseUnavailableError: the server gives none; its cause says why."""
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(engine.connect())
        except (DBAPIError, OSError) as error:
            if engine.dialect.name == "sqlite":
                raise
            logger.warning("database_unavailable", extra=_seen(error))
            raise DatabaseUnavailableError from error
        yield connection


@contextmanager
def translate_database_errors() -> Iterator[None]:
    """A disk that is full or fails, a lock that is not given and a statement that does not end are no faults of the program: callers are told."""
    try:
        yield
    except PoolTimeoutError:
        raise DatabaseBusyError from None
    except DBAPIError as error:
        problem = (
            DatabaseUnavailableError if error.connection_invalidated else _problem_of(str(error.orig), _state(error))
        )
        if problem is None:
            raise
        if problem is DatabaseUnavailableError:
            logger.warning("database_unavailable", extra=_seen(error))
        if problem in {StorageFullError, StorageFailedError, DatabaseDamagedError}:
            logger.error("storage", extra={"code": problem.code})
        raise problem() from None


def _state(error: Exception) -> str:
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""


def _seen(error: Exception) -> dict[str, str]:
    """What the log may hold of it."""
    return {"error_class": type(error).__name__, "code": _state(error)}


def _problem_of(told: str, state: str) -> Callable[[], Problem] | None:
    """What the driver's message (SQLite) or state (PostgreSQL) is to a caller; None: a fault of the program."""
    if "database or disk is full" in told or state == "53100":
        return StorageFullError
    if "disk I/O error" in told or "readonly database" in told or state in {"58030", "53000"}:
        return StorageFailedError
    if "malformed" in told or "file is not a database" in told:
        return DatabaseDamagedError
    if _AWAY.match(state):
        return DatabaseUnavailableError
    if told == "interrupted" or state == "57014":
        return TimedOutError
    # A lock not given in time, a deadlock that was broken, or a place where another transaction came first.
    if told == "database is locked" or state in {"55P03", "40P01", "40001"}:
        return DatabaseBusyError
    return None


def open_database(url: str, *, exclusive: bool = True, wall: str | None = None) -> Database:
    """Open ``sqlite:///path`` or ``postgresql://…``; the driver is chosen here. ``wall`` names the service whose callers' requests it serves.

    :raises OwnedElsewhereError: another process owns this SQLite file.
    :raises UnsupportedSqliteError: the SQLite library is too old.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "postgresql":
        # Where a policy would hide rows from the service itself, its statements fail instead: a backup must never be silently incomplete.
        engine = _postgresql(parsed, row_security="off")
        if wall is None:
            return Database(engine, None)
        callers = _postgresql(parsed, role=callers_role(wall))
        public = _postgresql(parsed, role=public_role(wall), default_transaction_read_only="on")
        return Database(engine, None, walled=RlsEngines(wall, callers, public))
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise ValueError(f"neither sqlite:///path nor postgresql://…: {parsed.render_as_string(hide_password=True)}")
    check_sqlite()
    path = Path(parsed.database)
    path.parent.mkdir(parents=True, exist_ok=True)
    owner = own(path) if exclusive else None
    path.touch(mode=0o600)  # what SQLite lays beside it has the same rights
    engine = create_async_engine(
        parsed.set(drivername=f"sqlite+{InlineSQLiteDialect.driver}"),
        pool_size=8,
        max_overflow=0,
        pool_timeout=LOCK_WAIT_SECONDS,
    )
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    follow_savepoints(engine)
    return Database(engine, owner, path)


def _postgresql(url: URL, **session: str) -> AsyncEngine:
    """A pool whose connections have these settings from the moment they are made; no RESET takes them off."""
    settings = {
        "statement_timeout": str(int(STATEMENT_SECONDS * 1000)),
        "lock_timeout": str(int(LOCK_WAIT_SECONDS * 1000)),
        "timezone": "UTC",
        **session,
    }
    engine = create_async_engine(
        url.set(drivername="postgresql+asyncpg"),
        pool_size=5,
        max_overflow=5,
        pool_timeout=LOCK_WAIT_SECONDS,
        connect_args={"server_settings": settings},
    )
    event.listen(engine.sync_engine, "checkout", _check_open)
    follow_savepoints(engine)
    return engine


def _check_open(_connection: Any, record: Any, _fairy: Any) -> None:
    """A connection that the server has ended while nobody used it goes, and with it those that were made before: it costs nobody an answer."""
    if record.driver_connection.is_closed():
        raise InvalidatePoolError


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite URL; None for another database."""
    parsed = _parsed(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def _parsed(url: str) -> URL:
    try:
        return make_url(read_database_url(url))
    except ArgumentError:
        raise ValueError("not a database URL: sqlite:///path or postgresql://user@host/database") from None


def own(path: Path) -> IO[str]:
    """Become the one owner of a SQLite file until the lock that is given back is closed; the file itself is not opened.

    :raises OwnedElsewhereError: another process is.
    """
    lock = path.with_name(path.name + ".owner").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise OwnedElsewhereError(f"{path} is in use by another process; call that service instead") from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def check_sqlite() -> None:
    """:raises UnsupportedSqliteError: the SQLite library is older than the first one that is safe."""
    if sqlite.sqlite_version_info < FIRST_SAFE_SQLITE:
        needed = ".".join(map(str, FIRST_SAFE_SQLITE))
        raise UnsupportedSqliteError(
            f"SQLite {sqlite.sqlite_version} can lose committed data; CLEIO needs {needed} or newer: install the"
            " packages pinned in requirements.lock"
        )


def _prepare(connection: Any, _record: Any) -> None:
    raw = sqlite.Connection.cursor(connection, sqlite.Cursor)
    raw.execute("PRAGMA journal_mode=WAL")
    raw.execute("PRAGMA synchronous=FULL")
    raw.execute("PRAGMA foreign_keys=ON")
    raw.execute("PRAGMA recursive_triggers=ON")  # or REPLACE would delete a row past the trigger that forbids it
    raw.execute(f"PRAGMA busy_timeout={int(LOCK_WAIT_SECONDS * 1000)}")
    raw.close()


def _begin(connection: Any) -> None:
    # The driver's own transaction control is off (isolation_level=None): a writer takes its lock at once, a reader never holds one.
    write = connection.get_execution_options().get("cleio_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
