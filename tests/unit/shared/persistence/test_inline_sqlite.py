"""Guard the private convention of SQLAlchemy that the inline dialect uses, and the rules of a SQLite file."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as sqlite
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select, text

from shared.persistence import Database, OwnedElsewhereError, UtcInstant, open_database
from shared.persistence.engine import FIRST_SAFE_SQLITE
from shared.values.problems import DatabaseBusyError

pytestmark = pytest.mark.anyio

METADATA = MetaData()
ROWS = Table(
    "rows", METADATA, Column("id", Integer, primary_key=True), Column("name", String(20)), Column("at", UtcInstant)
)


@pytest.fixture
async def database(tmp_path: Path) -> Database:
    database = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    async with database.transaction() as connection:
        await connection.run_sync(METADATA.create_all)
    return database


async def test_rows_survive_their_connection_and_a_failed_block_leaves_nothing(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(insert(ROWS), [{"id": n, "name": "é" * n} for n in range(1, 6)])

    async def fail() -> None:
        async with database.transaction() as connection:
            await connection.execute(insert(ROWS).values(id=6))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with database.read() as connection:
        result = await connection.execute(select(ROWS.c.id, ROWS.c.name).order_by(ROWS.c.id))
    assert [row.name for row in result] == ["é" * n for n in range(1, 6)]
    await database.close()


async def test_an_acknowledged_row_is_on_disk(database: Database) -> None:
    assert sqlite.sqlite_version_info >= FIRST_SAFE_SQLITE
    async with database.read() as connection:
        mode = (await connection.execute(text("PRAGMA journal_mode"))).scalar_one()
        synchronous = (await connection.execute(text("PRAGMA synchronous"))).scalar_one()
        foreign_keys = (await connection.execute(text("PRAGMA foreign_keys"))).scalar_one()
    assert (mode, synchronous, foreign_keys) == ("wal", 2, 1)
    await database.close()


async def test_writers_queue_instead_of_blocking_the_loop(database: Database) -> None:
    async def write(number: int) -> None:
        async with database.transaction() as connection:
            await connection.execute(insert(ROWS).values(id=number))
            await asyncio.sleep(0.001)

    await asyncio.gather(*(write(number) for number in range(50)))
    async with database.read() as connection:
        assert len((await connection.execute(select(ROWS.c.id))).all()) == 50
    await database.close()


async def test_a_writer_that_waits_too_long_is_refused_with_retry_after(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.persistence.engine.LOCK_WAIT_SECONDS", 0.05)
    async with database.transaction():
        with pytest.raises(DatabaseBusyError):
            async with database.transaction():
                pass
    await database.close()


async def test_a_second_process_is_refused(database: Database, tmp_path: Path) -> None:
    program = f"from shared.persistence import open_database; open_database('sqlite:///{tmp_path / 'x.db'}')"
    second = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert second.returncode != 0
    assert "in use by another process" in second.stderr
    with pytest.raises(OwnedElsewhereError):
        open_database(f"sqlite:///{tmp_path / 'x.db'}")
    await database.close()
    await open_database(f"sqlite:///{tmp_path / 'x.db'}").close()


async def test_an_instant_without_a_zone_is_refused(database: Database) -> None:
    from datetime import datetime

    with pytest.raises(Exception, match="time zone"):
        async with database.transaction() as connection:
            await connection.execute(insert(ROWS).values(id=1, at=datetime(2026, 1, 1)))  # noqa: DTZ001 - the case under test
    await database.close()


async def test_a_cancelled_writer_is_cancelled_at_any_moment(database: Database) -> None:
    async def write_for_ever() -> None:
        while True:
            async with database.transaction() as connection:
                await connection.execute(select(ROWS.c.id))
            await asyncio.sleep(0)

    for turns in range(60):
        writer = asyncio.create_task(write_for_ever())
        for _ in range(turns):
            await asyncio.sleep(0)
        writer.cancel()
        ended, _ = await asyncio.wait({writer}, timeout=2)
        assert ended == {writer}, f"after {turns} turns of the loop"
    await database.close()


def test_an_old_sqlite_is_refused_in_one_line(tmp_path: Path) -> None:
    program = (
        "from shared.persistence import engine, open_database;"
        "engine.FIRST_SAFE_SQLITE = (99, 0, 0);"
        f"open_database('sqlite:///{tmp_path / 'old.db'}')"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "CLEIO needs 99.0.0 or newer" in result.stderr.strip().splitlines()[-1]
    assert list(tmp_path.iterdir()) == []
