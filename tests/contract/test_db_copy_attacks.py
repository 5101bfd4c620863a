"""`cleio db copy` and `cleio migrate` with another schema, another service, or a crash in the middle."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from services.cli.databases import upgrade_at
from shared.settings import ServiceSettings
from tests.conftest import administer, empty_postgresql
from tests.contract.processes import ROOT
from tests.contract.test_db_copy import cleio, contents, empty_postgres, execute, filled

__all__ = ["empty_postgres", "filled"]


@pytest.fixture
def notifications(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'notifications.db'}"
    asyncio.run(upgrade_at("notifications", url))
    return url


def refused(*arguments: str) -> str:
    """Run a command that fails; return its one line of output."""
    code, output = cleio(*arguments)
    assert code == 1, output
    assert len(output.splitlines()) == 1, output
    assert output.startswith("cleio: ")
    return output


@pytest.mark.parametrize("revision", ["0001", "9999"])
def test_a_source_with_another_schema_is_refused(filled: str, tmp_path: Path, revision: str) -> None:
    execute(filled, f"UPDATE alembic_version SET version_num = '{revision}'")
    assert f"is at schema {revision}" in refused(
        "db", "copy", "registry", "--from", filled, "--to", f"sqlite:///{tmp_path / 'to.db'}"
    )


def test_a_target_of_a_newer_program_is_refused_and_unchanged(filled: str, empty_postgres: str) -> None:
    asyncio.run(upgrade_at("registry", empty_postgres))
    execute(empty_postgres, "UPDATE alembic_version SET version_num = '9999'")
    before = contents(empty_postgres)
    assert "use a newer one" in refused("db", "copy", "registry", "--from", filled, "--to", empty_postgres)
    assert contents(empty_postgres) == before


def test_a_database_of_another_service_is_neither_read_nor_written(
    filled: str, notifications: str, tmp_path: Path
) -> None:
    before = contents(notifications, "notifications")
    to = f"sqlite:///{tmp_path / 'to.db'}"
    assert "another service" in refused("db", "copy", "registry", "--from", notifications, "--to", to)
    assert "another service" in refused("db", "copy", "registry", "--from", filled, "--to", notifications)
    assert "another service" in refused("db", "copy", "notifications", "--from", filled, "--to", to)
    assert contents(notifications, "notifications") == before


def test_two_services_cannot_share_one_database(empty_postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEIO_REGISTRY_DATABASE_URL", empty_postgres)
    monkeypatch.setenv("CLEIO_NOTIFICATIONS_DATABASE_URL", empty_postgres)
    assert "another service" in refused("migrate")


def test_a_database_of_a_newer_program_is_not_migrated(filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    execute(filled, "UPDATE alembic_version SET version_num = '9999'")
    monkeypatch.setenv("CLEIO_REGISTRY_DATABASE_URL", filled)
    assert "use a newer one" in refused("migrate")


KILLED = """
import os, signal, sys
from services.cli import copying
copy = copying.copy_database
async def dying(service, from_url, to_url, report):
    def report_and_die(table, rows):
        if table == "trial_versions":
            os.kill(os.getpid(), signal.SIGKILL)
    return await copy(service, from_url, to_url, report_and_die)
copying.copy_database = dying
from services.cli.app import app
app(sys.argv[1:])
"""


@pytest.mark.parametrize("kind", [pytest.param("sqlite", marks=pytest.mark.full), "postgresql"])
def test_a_killed_copy_leaves_no_rows_and_can_be_repeated(
    filled: str, empty_postgres: str, tmp_path: Path, kind: str
) -> None:
    to = empty_postgres if kind == "postgresql" else f"sqlite:///{tmp_path / 'to.db'}"
    asyncio.run(upgrade_at("registry", to))
    fresh = contents(to)
    command = [sys.executable, "-c", KILLED, "db", "copy", "registry", "--from", filled, "--to", to]
    ended = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, check=False, timeout=120)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert contents(to) == fresh
    code, output = cleio("db", "copy", "registry", "--from", filled, "--to", to)
    assert code == 0, output
    assert contents(to) == contents(filled)


def test_no_message_contains_a_password(filled: str, empty_postgres: str) -> None:
    assert cleio("db", "copy", "registry", "--from", filled, "--to", empty_postgres)[0] == 0
    secret = make_url(empty_postgres).set(password="of-the-database").render_as_string(hide_password=False)
    output = refused("db", "copy", "registry", "--from", filled, "--to", secret)
    assert "not empty" in output
    assert "of-the-database" not in output
    elsewhere = "postgresql://cleio:of-the-database@localhost:1/none"
    for arguments in (("--from", elsewhere, "--to", filled), ("--from", filled, "--to", elsewhere)):
        assert "of-the-database" not in refused("db", "copy", "registry", *arguments)


def test_a_restore_fills_no_postgresql_unless_all_can_be_filled(
    filled: str, empty_postgres: str, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    var = ServiceSettings().data_dir
    asyncio.run(upgrade_at("notifications", f"sqlite:///{var / 'notifications.db'}"))
    shutil.copy(filled.removeprefix("sqlite:///"), var / "registry.db")
    assert cleio("backup", str(tmp_path / "kept"))[0] == 0

    async def restore() -> None:
        async with empty_postgresql(postgres) as taken:
            await upgrade_at("registry", taken)
            await administer(taken, "INSERT INTO centres VALUES ('fr-x', 1, '75', '{}')")
            monkeypatch.setenv("CLEIO_REGISTRY_DATABASE_URL", taken)
            code, output = await asyncio.to_thread(cleio, "restore", str(tmp_path / "kept"))
            assert code == 1
            assert "is not empty: centres" in output.splitlines()[-1]

    monkeypatch.setenv("CLEIO_NOTIFICATIONS_DATABASE_URL", empty_postgres)
    asyncio.run(restore())
    assert {name: digest.rows for name, digest in contents(empty_postgres, "notifications").items() if digest.rows} == {
        "audit_head": 1
    }
    assert not list(var.glob("before-restore-*")), "nothing is left that would stop the next start"
