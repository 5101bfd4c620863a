"""`cleio feed new-generation`: after a fail-over, consumers load their copy again."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.app import app
from shared.feed.log import next_generation
from tests.conftest import client_of
from tests.contract.registry import running_registry

FEED = "/registry/v1/feed?limit=1"


def cleio(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_a_new_generation_is_above_every_known_and_every_lost_one() -> None:
    now = next_generation(1)
    assert now > 50_000_000
    assert next_generation(now, 5) > now
    assert next_generation(2 * now) == 2 * now + 1


def test_former_cursors_are_refused_and_the_new_history_is_readable(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEIO_REGISTRY_DATABASE_URL", database_url)
    sqlite = database_url.startswith("sqlite")

    async def cursor() -> str:
        async with running_registry(database_url) as registry, client_of(registry) as public:
            return str((await public.get(FEED)).links["next"]["url"])

    async def statuses(before: str) -> list[int]:
        async with running_registry(database_url) as registry, client_of(registry) as public:
            if not sqlite:  # a PostgreSQL service need not be stopped
                code, output = await asyncio.to_thread(cleio, "feed", "new-generation", "registry")
                assert code == 0, output
            return [(await public.get(path)).status_code for path in (before, FEED)]

    before = asyncio.run(cursor())
    code, output = cleio("feed", "new-generation", "registry", "--dry-run")
    assert code == 0, output
    assert "dry run" in output
    if sqlite:
        code, output = cleio("feed", "new-generation", "registry")
        assert code == 0, output
        assert "every consumer loads its copy again" in output
    assert asyncio.run(statuses(before)) == [410, 200]


def test_a_dry_run_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    monkeypatch.setenv("CLEIO_REGISTRY_DATABASE_URL", url)

    async def health() -> object:
        async with running_registry(url, sample=False) as registry:
            return (await registry.state.health()).detail

    before = asyncio.run(health())
    assert cleio("feed", "new-generation", "registry", "--dry-run")[0] == 0
    assert asyncio.run(health()) == before


def test_a_sqlite_file_in_use_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    monkeypatch.setenv("CLEIO_REGISTRY_DATABASE_URL", url)

    async def while_running() -> tuple[int, str]:
        async with running_registry(url, sample=False):
            return await asyncio.to_thread(cleio, "feed", "new-generation", "registry")

    code, output = asyncio.run(while_running())
    assert (code, len(output.splitlines())) == (1, 1)
    assert "in use by another process" in output


@pytest.mark.parametrize(
    ("service", "message"),
    [
        ("notifications", "notifications has no feed"),
        ("matching", "matching has no feed"),
        ("portal", "portal is not a service"),
        ("registry", "No such file"),
    ],
)
def test_an_impossible_command_is_reported_in_one_line(service: str, message: str) -> None:
    code, output = cleio("feed", "new-generation", service)
    assert (code, len(output.splitlines())) == (1, 1), output
    assert message in output
