"""`cleio db reindex`: trials that were stored by an earlier version are found by the names that this one knows."""

import asyncio

import pytest
from typer.testing import CliRunner

from services.cli.app import app
from services.registry.trials import writing
from tests.conftest import client_of
from tests.contract.registry import running_registry


async def found(url: str, words: str) -> tuple[list[str], str]:
    """Return the trials found by these words, and the whole feed."""
    async with running_registry(url) as registry, client_of(registry) as public:
        trials = (await public.get("/registry/v1/trials", params={"q": words})).json()["items"]
        return [trial["id"] for trial in trials], (await public.get("/registry/v1/feed?limit=1000")).text


def reindex() -> str:
    result = CliRunner().invoke(app, ["db", "reindex"])
    assert result.exit_code == 0, result.output
    return result.output


def test_an_older_trial_is_found_by_its_trade_name(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEIO_REGISTRY_DATABASE_URL", database_url)
    with monkeypatch.context() as earlier:
        earlier.setattr(writing, "words_of", lambda trial, _: f" {trial.id.lower()}")
        assert asyncio.run(found(database_url, "Zolgensma"))[0] == []
    before = asyncio.run(found(database_url, "NCT03461289"))
    assert "for 18 trials" in reindex()
    trials, feed = asyncio.run(found(database_url, "Zolgensma"))
    assert trials == asyncio.run(found(database_url, "NCT03461289"))[0] != []
    assert feed == before[1]
    assert "for 0 trials" in reindex()
