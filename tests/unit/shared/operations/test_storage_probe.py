"""`/readyz` is false while a service cannot write, and after it has met a damaged database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI

from shared.operations import storage_probe
from shared.operations.service import Health, create_service
from shared.operations.storage_probe import StorageProbe
from shared.settings import ServiceSettings
from shared.values.problems import DatabaseDamagedError
from tests.conftest import client_of
from tests.contract.disks import mounted, read_only

pytestmark = pytest.mark.anyio


async def test_folders_that_can_be_written_are_made_and_left_empty(tmp_path: Path) -> None:
    folders = [tmp_path / "audit", tmp_path / "snapshot"]
    assert await StorageProbe(folders).problem() is None
    assert [list(folder.iterdir()) for folder in folders] == [[], []]


async def test_a_full_disk_is_found_and_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_probe, "CACHE_SECONDS", 0.0)
    with mounted(tmp_path / "disk", 256) as own:
        if not own:
            pytest.skip("no file system can be mounted")
        probe = StorageProbe([tmp_path, tmp_path / "disk"])
        filler = tmp_path / "disk" / "filler"
        filler.write_bytes(b"0" * (230 * 1024))
        problem = await probe.problem()
        assert problem is not None
        assert problem.code == "storage_full"
        filler.unlink()
        assert await probe.problem() is None
        assert list((tmp_path / "disk").iterdir()) == []


async def test_a_disk_that_takes_no_writes_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "audit"
    folder.mkdir()
    with read_only(folder):
        problem = await StorageProbe([folder]).problem()
    assert problem is not None
    assert problem.code == "storage_failed"


async def test_a_result_is_used_for_some_seconds(tmp_path: Path) -> None:
    probe = StorageProbe([tmp_path / "audit"])
    assert await probe.problem() is None
    (tmp_path / "audit").rmdir()
    (tmp_path / "audit").write_text("not a folder")
    assert await probe.problem() is None


async def test_readiness_follows_the_probe() -> None:
    @asynccontextmanager
    async def nothing(_app: FastAPI) -> AsyncIterator[None]:
        yield

    async def health() -> Health:
        return Health(ready=True)

    app = create_service("registry", ServiceSettings(), [], nothing, "A service of this test.")
    app.state.health = health
    async with client_of(app) as client:
        assert (await client.get("/registry/readyz")).json() == {"ready": True, "detail": {}}
        app.state.storage.report(DatabaseDamagedError())
        answer = await client.get("/registry/readyz")
        assert (answer.status_code, answer.json()["detail"]) == (503, {"storage": "database_damaged"})
        assert (await client.get("/registry/livez")).status_code == 200
