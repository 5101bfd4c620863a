"""`cleio db copy`: the same rows on the other kind of database, or none."""

import asyncio
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from typer.testing import CliRunner

from services.cli.app import app
from services.cli.databases import metadata_of, upgrade_at
from shared.persistence import open_database
from shared.persistence.copying import digests
from tests.contract.registry import running_registry


def cleio(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture
def empty_postgres(postgres: str) -> Iterator[str]:
    """An empty database on the real server."""
    server = make_url(postgres).set(drivername="postgresql+asyncpg")
    name = f"copy_{uuid.uuid4().hex[:12]}"

    async def say(statement: str) -> None:
        engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text(statement))
        await engine.dispose()

    asyncio.run(say(f'CREATE DATABASE "{name}"'))
    yield server.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    asyncio.run(say(f'DROP DATABASE "{name}" WITH (FORCE)'))


def contents(url: str, service: str = "registry") -> Any:
    async def read() -> Any:
        database = open_database(url)
        try:
            return await digests(database, metadata_of(service))
        finally:
            await database.close()

    return asyncio.run(read())


def execute(url: str, statement: str) -> None:
    async def run() -> None:
        database = open_database(url)
        async with database.transaction() as connection:
            await connection.execute(text(statement))
        await database.close()

    asyncio.run(run())


@pytest.fixture
def filled(stocked_file: Path, tmp_path: Path) -> str:
    """A registry with the bundled sample."""
    return f"sqlite:///{shutil.copyfile(stocked_file, tmp_path / 'filled.db')}"


def test_a_copy_and_the_copy_back_are_equal(filled: str, empty_postgres: str, tmp_path: Path) -> None:
    code, output = cleio("db", "copy", "registry", "--from", filled, "--to", empty_postgres)
    assert code == 0, output
    assert "equal on both sides" in output
    assert contents(empty_postgres) == contents(filled)
    assert contents(filled)["trials"].rows > 10
    back = f"sqlite:///{tmp_path / 'back.db'}"
    assert cleio("db", "copy", "registry", "--from", empty_postgres, "--to", back)[0] == 0
    assert contents(back) == contents(filled)


def test_a_service_starts_on_the_copy_and_its_feed_continues(filled: str, empty_postgres: str) -> None:
    assert cleio("db", "copy", "registry", "--from", filled, "--to", empty_postgres)[0] == 0

    async def position() -> Any:
        async with running_registry(empty_postgres) as registry:
            return (await registry.state.health()).detail

    assert asyncio.run(position())["feed"] == contents(filled)["feed_entries"].rows


def test_a_target_with_rows_is_refused_and_unchanged(filled: str, empty_postgres: str) -> None:
    assert cleio("db", "copy", "registry", "--from", filled, "--to", empty_postgres)[0] == 0
    execute(empty_postgres, "DELETE FROM trials")
    before = contents(empty_postgres)
    code, output = cleio("db", "copy", "registry", "--from", filled, "--to", empty_postgres)
    assert code == 1
    assert "not empty" in output.splitlines()[-1]
    assert contents(empty_postgres) == before


def test_a_failed_copy_leaves_no_rows(filled: str, empty_postgres: str) -> None:
    asyncio.run(upgrade_at("registry", empty_postgres))
    fresh = contents(empty_postgres)
    # SQLite accepts a text longer than its column and PostgreSQL does not: the copy fails in the middle.
    execute(
        filled, "UPDATE sites SET status = 'a status that is far longer than the thirty-two characters of its column'"
    )
    code, output = cleio("db", "copy", "registry", "--from", filled, "--to", empty_postgres)
    assert code == 1
    assert output.splitlines()[-1].startswith("cleio: ")
    assert contents(empty_postgres) == fresh


@pytest.mark.parametrize(
    ("from_url", "to_url", "why"),
    [
        ("sqlite:////nowhere/at/all.db", "sqlite:////tmp/never.db", "No such file"),
        ("postgresql://postgres@localhost:1/none", "sqlite:////tmp/never.db", "cannot be read"),
        ("mysql://x/y", "sqlite:////tmp/never.db", "mysql"),
        ("sqlite:////tmp/same.db", "sqlite:////tmp/same.db", "same database"),
    ],
)
def test_a_database_that_cannot_be_opened_is_reported_in_one_line(from_url: str, to_url: str, why: str) -> None:
    code, output = cleio("db", "copy", "registry", "--from", from_url, "--to", to_url)
    assert code == 1
    assert len(output.splitlines()) == 1
    assert why in output


def test_a_source_in_use_by_a_service_is_refused(filled: str, tmp_path: Path) -> None:
    async def copy_while_running() -> tuple[int, str]:
        async with running_registry(filled):
            return await asyncio.to_thread(
                cleio, "db", "copy", "registry", "--from", filled, "--to", f"sqlite:///{tmp_path / 'x.db'}"
            )

    code, output = asyncio.run(copy_while_running())
    assert code == 1
    assert "in use by another process" in output


def test_a_backup_of_a_postgresql_is_restored_only_into_an_empty_one(
    filled: str, empty_postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(upgrade_at("notifications", f"sqlite:///{tmp_path / 'var' / 'notifications.db'}"))
    assert cleio("db", "copy", "registry", "--from", filled, "--to", empty_postgres)[0] == 0
    monkeypatch.setenv("CLEIO_REGISTRY_DATABASE_URL", empty_postgres)
    code, output = cleio("backup", str(tmp_path / "kept"))
    assert code == 0, output
    full = cleio("restore", str(tmp_path / "kept"))
    assert full[0] == 1
    assert "not empty" in full[1].splitlines()[-1]
    kept = contents(empty_postgres)
    for statement in (
        "DELETE FROM trials",
        "DELETE FROM centres",
        "DELETE FROM source_records",
        "DELETE FROM feed_entries",
        "DELETE FROM signing_keys",
        "DELETE FROM terminology_versions",
    ):
        execute(empty_postgres, statement)
    execute(empty_postgres, "UPDATE feed_head SET seq = 0, generation = 1")
    code, output = cleio("restore", str(tmp_path / "kept"))
    assert code == 0, output
    restored = contents(empty_postgres)
    assert {name for name in kept if kept[name] != restored[name]} == {"feed_head"}
