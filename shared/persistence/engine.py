"""Engines and transactions.

A SQLite file belongs to exactly one process, has one writer at a time, and a commit returns when the data are on disk.
"""

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
from shared.persistence.revision import Revision
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

# SQLSTATEs of PostgreSQL: connection broken or refused, server shutting down or starting, too many connections.
_UNAVAILABLE = re.compile("08|57P0|53300")


class WrongSchemaError(RuntimeError):
    """The database is not at the schema this program was built for."""


class OwnedElsewhereError(RuntimeError):
    """Another process already owns this SQLite file."""


class UnsupportedSqliteError(RuntimeError):
    """The SQLite library is too old to keep committed data safely."""


class Database:
    """One service's database. ``file`` is the path of a SQLite database, else None.

    ``read`` and ``transaction`` return an ``AsyncConnection``; a transaction is committed when its block ends without
    an error. Inside a request both are subject to row-level security on PostgreSQL (`shared.persistence.rls_sessions`),
    except with ``as_service``, for rows of the service itself. Outside of requests the service acts as itself.
    """

    def __init__(
        self, engine: AsyncEngine, owner: IO[str] | None, file: Path | None = None, rls: RlsEngines | None = None
    ) -> None:
        self.engine = engine
        self.file = file
        self.rls = rls
        self._owner = owner
        self._writer = asyncio.Lock()
        self.committed = asyncio.Event()
        self.closing = False
        self.revision = Revision(shared=file is None)
        # Called in this order before every commit, ahead of the last rows of a request and of the collected changes.
        self.before_commit: list[Callable[[AsyncConnection], Awaitable[None]]] = []

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def read(self, *, as_service: bool = False) -> AsyncIterator[AsyncConnection]:
        """Open a read-only snapshot: all statements in the block see the same moment.

        :raises DatabaseBusyError: no connection or lock within two seconds.
        :raises DatabaseUnavailableError: the server cannot be reached, or the connection broke.
        :raises TimedOutError: a statement took longer than five seconds.
        """
        view = self._view(as_service)
        with translate_database_errors():
            async with _connected(self._engine_for(view, reading=True)) as connection:
                if not self.is_sqlite:
                    await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                await self._set_context(connection, view, reading=True)
                yield connection

    @asynccontextmanager
    async def transaction(self, *, as_service: bool = False) -> AsyncIterator[AsyncConnection]:
        """Open a unit of work, committed when the block ends without an error.

        On SQLite writers queue in the process: inside one event loop two of them could block each other for ever.

        :raises DatabaseBusyError: no place in the queue, connection or lock within two seconds.
        :raises DatabaseUnavailableError: the server cannot be reached, or the connection broke, maybe after the commit.
        :raises TimedOutError: a statement took longer than five seconds.
        :raises StorageFullError: the disk is full.
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
                await self._set_context(connection, view, reading=False)
                yield connection
            return
        try:
            # Not `wait_for`: before Python 3.12 it can swallow a cancellation.
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
        return None if self.rls is None or as_service or request is None else request.rls_context

    def _engine_for(self, view: RlsContext | None, *, reading: bool) -> AsyncEngine:
        return self.engine if self.rls is None or view is None else self.rls.engine_for(view, reading=reading)

    async def _set_context(self, connection: AsyncConnection, view: RlsContext | None, *, reading: bool) -> None:
        if self.rls is not None and view is not None:
            await self.rls.set_context(connection, view, reading=reading)

    async def _write_last(self, connection: AsyncConnection, unit: UnitOfWork) -> None:
        """Write the idempotency answer and the audit entry, then the collected changes: the feed is locked last."""
        if connection.in_transaction():
            for write in self.before_commit:
                await write(connection)
            if (request := current_request()) is not None:
                await request.before_commit(connection)
            await unit.write(connection)

    async def check_row_level_security(self) -> None:
        """Check roles and policies on PostgreSQL; SQLite has none.

        :raises RowLevelSecurityError: they are missing or too permissive.
        """
        if self.rls is not None:
            async with self.read(as_service=True) as connection:
                await check_row_level_security(connection, self.rls.service)

    def wake(self) -> None:
        """Wake the readers that wait for a committed change."""
        self.revision.advance()
        self.committed.set()
        self.committed = asyncio.Event()

    def confirm(self, position: object, asked_at: float) -> None:
        """Record where the feed is (`Revision.confirm`), and wake waiting readers when that is news."""
        before = self.revision.current()
        self.revision.confirm(position, asked_at)
        if before != self.revision.current():
            self.wake()

    def end_waits(self) -> None:
        """Wake all waiting readers for good, because the process is about to end."""
        self.closing = True
        self.wake()

    async def close(self) -> None:
        await self.engine.dispose()
        if self.rls is not None:
            await self.rls.close()
        if self._owner is not None:
            self._owner.close()


@asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Connect to the database.

    :raises DatabaseUnavailableError: the server gives no connection; the cause says why.
    """
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(engine.connect())
        except (DBAPIError, OSError) as error:
            if engine.dialect.name == "sqlite":
                raise
            logger.warning("database_unavailable", extra=_log_fields(error))
            raise DatabaseUnavailableError from error
        yield connection


@contextmanager
def translate_database_errors() -> Iterator[None]:
    """Turn driver errors that are no program faults (disk full, lock or statement timeout, …) into problems."""
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
            logger.warning("database_unavailable", extra=_log_fields(error))
        if problem in {StorageFullError, StorageFailedError, DatabaseDamagedError}:
            logger.error("storage", extra={"code": problem.code})  # noqa: TRY400 - messages may quote values
        raise problem() from None


def _state(error: Exception) -> str:
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""


def _log_fields(error: Exception) -> dict[str, str]:
    """The parts of an error that may be logged: never values."""
    return {"error_class": type(error).__name__, "code": _state(error)}


def _problem_of(message: str, state: str) -> Callable[[], Problem] | None:
    """The problem for a driver's message (SQLite) or SQLSTATE (PostgreSQL); None: a program fault."""
    if "database or disk is full" in message or state == "53100":
        return StorageFullError
    if "disk I/O error" in message or "readonly database" in message or state in {"58030", "53000"}:
        return StorageFailedError
    if "malformed" in message or "file is not a database" in message:
        return DatabaseDamagedError
    if _UNAVAILABLE.match(state):
        return DatabaseUnavailableError
    if message == "interrupted" or state == "57014":
        return TimedOutError
    # Lock timeout, deadlock, or serialisation failure.
    if message == "database is locked" or state in {"55P03", "40P01", "40001"}:
        return DatabaseBusyError
    return None


def open_database(url: str, *, exclusive: bool = True, service: str | None = None) -> Database:
    """Open ``sqlite:///path`` or ``postgresql://…``.

    :param exclusive: lock a SQLite file against other processes.
    :param service: the service whose requests are served: on PostgreSQL they run under row-level security.

    :raises OwnedElsewhereError: another process owns this SQLite file.
    :raises UnsupportedSqliteError: the SQLite library is too old.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "postgresql":
        # If a policy would hide rows from the service itself, its statements fail: a backup must be complete.
        engine = _postgresql(parsed, row_security="off")
        if service is None:
            return Database(engine, None)
        callers = _postgresql(parsed, role=callers_role(service))
        public = _postgresql(parsed, role=public_role(service), default_transaction_read_only="on")
        return Database(engine, None, rls=RlsEngines(service, callers, public))
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise ValueError(f"neither sqlite:///path nor postgresql://…: {parsed.render_as_string(hide_password=True)}")
    check_sqlite()
    path = Path(parsed.database)
    path.parent.mkdir(parents=True, exist_ok=True)
    owner = lock_file(path) if exclusive else None
    path.touch(mode=0o600)  # SQLite gives its other files the same permissions
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
    """Make a pool whose connections start with these settings, so that RESET does not remove them."""
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
    """Replace a pooled connection that the server has closed, and all older ones, before it is used."""
    if record.driver_connection.is_closed():
        raise InvalidatePoolError


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite URL, None for another database."""
    parsed = _parsed(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def _parsed(url: str) -> URL:
    try:
        return make_url(read_database_url(url))
    except ArgumentError:
        raise ValueError("not a database URL: sqlite:///path or postgresql://user@host/database") from None


def lock_file(path: Path) -> IO[str]:
    """Lock a SQLite file for this process until the returned lock is closed; the file itself is not opened.

    :raises OwnedElsewhereError: another process has locked it.
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
    raw.execute("PRAGMA recursive_triggers=ON")  # or REPLACE would delete rows without calling their triggers
    raw.execute(f"PRAGMA busy_timeout={int(LOCK_WAIT_SECONDS * 1000)}")
    raw.close()


def _begin(connection: Any) -> None:
    # The driver's transaction control is off (isolation_level=None): a writer locks at once, a reader never.
    write = connection.get_execution_options().get("cleio_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
