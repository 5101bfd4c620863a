"""Items collected by a transaction are written once, at its end, except those that were rolled back."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.persistence import Database, open_database
from shared.persistence.unit_of_work import collect, mark_changed

pytestmark = pytest.mark.anyio

METADATA = MetaData()
ROWS = Table("rows", METADATA, Column("id", Integer, primary_key=True))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    async with database.transaction() as connection:
        await connection.run_sync(METADATA.create_all)
    yield database
    await database.close()


async def write(connection: AsyncConnection, items: Sequence[int]) -> None:
    await connection.execute(insert(ROWS), [{"id": item} for item in items])


async def stored(database: Database) -> list[int]:
    async with database.read() as connection:
        return list((await connection.execute(select(ROWS.c.id).order_by(ROWS.c.id))).scalars())


async def test_collected_items_are_written_once_after_the_hooks(database: Database) -> None:
    order = []

    async def hook(_connection: AsyncConnection) -> None:
        order.append("hook")

    async def counted(connection: AsyncConnection, items: Sequence[int]) -> None:
        order.append(list(items))
        await write(connection, items)

    database.before_commit.append(hook)
    async with database.transaction() as connection:
        collect(connection, counted, 1)
        collect(connection, counted, 2, 3)
        assert order == []
    assert order == ["hook", [1, 2, 3]]
    assert await stored(database) == [1, 2, 3]


async def test_a_savepoint_that_is_rolled_back_drops_what_was_collected_in_it(database: Database) -> None:
    async def failing_line(connection: AsyncConnection) -> None:
        async with connection.begin_nested():
            collect(connection, write, 3)
            raise ValueError

    async with database.transaction() as connection:
        collect(connection, write, 1)
        async with connection.begin_nested():
            collect(connection, write, 2)
            with pytest.raises(ValueError):
                await failing_line(connection)
        dry_run = await connection.begin_nested()
        async with connection.begin_nested():
            collect(connection, write, 4)
        await dry_run.rollback()
        kept = await connection.begin_nested()
        collect(connection, write, 5)
        await kept.commit()
    assert await stored(database) == [1, 2, 5]


async def test_a_transaction_that_fails_writes_nothing(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as connection:
            collect(connection, write, 1)
            raise ValueError

    with pytest.raises(ValueError):
        await fail()
    async with database.transaction():
        pass
    assert await stored(database) == []


async def test_only_a_marked_transaction_wakes_readers(database: Database) -> None:
    waiting = asyncio.create_task(database.committed.wait())
    await asyncio.sleep(0)
    async with database.transaction():
        pass
    assert not waiting.done()
    async with database.transaction() as connection:
        mark_changed(connection)
    await asyncio.wait_for(waiting, 1)


async def test_changes_outside_a_transaction_are_refused(database: Database) -> None:
    async with database.transaction() as connection:
        pass
    async with database.read() as connection:
        with pytest.raises(RuntimeError, match=r"Database\.transaction"):
            collect(connection, write, 1)
        with pytest.raises(RuntimeError, match=r"Database\.transaction"):
            mark_changed(connection)
