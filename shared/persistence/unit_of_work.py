"""What one transaction collects while it runs and writes as its last statements.

Items collected after a savepoint are dropped when that savepoint is rolled back.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

# Writes the collected items of one kind.
Writer = Callable[[AsyncConnection, Sequence[Any]], Awaitable[object]]

_KEY = "cleio_unit_of_work"


class UnitOfWork:
    """The collected items of one transaction, and whether to wake waiting readers once it is committed."""

    def __init__(self) -> None:
        self.changed = False
        self._items: list[tuple[Writer, Any]] = []
        self._savepoints: list[int] = []
        self.active = False

    @staticmethod
    def of(connection: Connection) -> "UnitOfWork":
        """:raises RuntimeError: the connection has no open transaction of a `Database`."""
        unit: UnitOfWork | None = connection.info.get(_KEY)
        if unit is None or not unit.active:
            raise RuntimeError("changes can only be collected inside Database.transaction()")
        return unit

    def begin(self, connection: AsyncConnection) -> None:
        """Start collecting for this connection."""
        _sync(connection).info[_KEY] = self
        self.active = True

    def end(self) -> None:
        """Stop collecting."""
        self.active = False

    def collect(self, write: Writer, items: Sequence[Any]) -> None:
        """Keep items until the commit."""
        self._items += ((write, item) for item in items)

    async def write(self, connection: AsyncConnection) -> None:
        """Write everything collected, each kind at once, in the order of collection."""
        kinds: dict[Writer, list[Any]] = {}
        for write, item in self._items:
            kinds.setdefault(write, []).append(item)
        self._items = []
        for write, items in kinds.items():
            await write(connection, items)

    def savepoint(self) -> None:
        self._savepoints.append(len(self._items))

    def release(self) -> None:
        """Keep what was collected since the last savepoint."""
        self._savepoints.pop()

    def rollback(self) -> None:
        """Drop what was collected since the last savepoint."""
        del self._items[self._savepoints.pop() :]


def collect(connection: AsyncConnection, write: Writer, *items: Any) -> None:
    """Have ``write(connection, items)`` called as one of the last statements of the open transaction.

    :raises RuntimeError: no transaction of a `Database` is open.
    """
    UnitOfWork.of(_sync(connection)).collect(write, items)


def mark_changed(connection: AsyncConnection) -> None:
    """Wake readers that wait for changes once the open transaction is committed.

    :raises RuntimeError: no transaction of a `Database` is open.
    """
    UnitOfWork.of(_sync(connection)).changed = True


def follow_savepoints(engine: AsyncEngine) -> None:
    """Keep the collected items of the engine's transactions in step with their (nested) savepoints."""
    event.listen(engine.sync_engine, "savepoint", _savepoint)
    event.listen(engine.sync_engine, "release_savepoint", _release)
    event.listen(engine.sync_engine, "rollback_savepoint", _rollback)


def _savepoint(connection: Connection, _name: None) -> None:
    UnitOfWork.of(connection).savepoint()


def _release(connection: Connection, _name: str, _context: None) -> None:
    UnitOfWork.of(connection).release()


def _rollback(connection: Connection, _name: str, _context: None) -> None:
    UnitOfWork.of(connection).rollback()


def _sync(connection: AsyncConnection) -> Connection:
    return connection.sync_connection  # type: ignore[return-value]  # it is open
