"""Replicas of one service: they start together, share a folder, and the death of one stops no other."""

import asyncio
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from services.matching.snapshots.files import SnapshotFiles
from services.registry.app import METADATA, MIGRATIONS, create_app
from services.registry.settings import RegistrySettings
from shared.clients.internal import InternalClient, SiblingError
from shared.persistence import open_database
from shared.persistence.migrations import upgrade
from tests.conftest import ADMIN, client_of
from tests.contract.matching import until
from tests.contract.processes import ROOT, ServiceProcess

pytestmark = pytest.mark.anyio
TRIAL = "NCT05096221"
# The file access of a replica of matching: it writes ever newer snapshots, and reads the newest.
WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from services.matching.snapshots.files import SnapshotFiles
from tests.unit.matching.snapshots.test_files import record, snapshot
from dataclasses import replace
files, name = SnapshotFiles(Path(sys.argv[1]), "FR"), sys.argv[2]
for version in range(1, int(sys.argv[3])):
    now = datetime.now(UTC).replace(microsecond=0) + timedelta(milliseconds=version)
    records = [record(f"NCT{number}", version) for number in range(20)]
    written = replace(snapshot(*records, next_feed_path=f"/{name}/{version}"), current_at=now)
    files.write(written)
    assert files.newest().current_at >= written.current_at
"""


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_replicas_that_start_together_load_the_sample_once(database_url: str) -> None:
    database = open_database(database_url)
    await upgrade(database, MIGRATIONS, METADATA)
    await database.close()
    apps = [create_app(RegistrySettings(database_url=database_url, load_sample=True)) for _ in range(3)]
    async with AsyncExitStack() as running:
        await asyncio.gather(*(running.enter_async_context(app.router.lifespan_context(app)) for app in apps))
        for app in apps:
            client = await running.enter_async_context(client_of(app))
            assert len((await client.get("/registry/v1/trials?limit=200")).json()["items"]) == 18


def test_replicas_of_matching_share_their_snapshots(tmp_path: Path) -> None:
    files = SnapshotFiles(tmp_path / "snapshot", "FR")
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(files.folder), name, count], cwd=ROOT)
        for name, count in [("a", "40"), ("b", "40"), ("c", "100000")]
    ]
    try:
        begun = False
        while any(writer.poll() is None for writer in writers[:2]):
            # From the first write on, a reader always finds a complete one.
            found = files.newest()
            assert found is not None or not begun
            begun = found is not None
        assert [writer.returncode for writer in writers[:2]] == [0, 0]
        assert writers[2].poll() is None
    finally:
        for writer in writers:
            writer.kill()  # one of them dies while it writes
            writer.wait()
    left = files.newest()
    assert left is not None
    written = files.write(left)
    assert written.name.startswith(left.id)
    assert (
        len([folder for folder in files.folder.iterdir() if folder.is_dir()]) <= 3
    )  # the two that are kept, and the remains of the killed one


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_dead_registry_replica_does_not_stop_matching(database_url: str, tmp_path: Path) -> None:
    first, second = (
        ServiceProcess(tmp_path / name, CLEIO_REGISTRY_DATABASE_URL=database_url) for name in ("first", "second")
    )
    matching = [
        ServiceProcess(tmp_path / "matching", "matching", CLEIO_REGISTRY_URL=f"{first.url},{second.url}")
        for _ in range(2)
    ]
    try:
        first.kill()
        async with second.admin() as admin:
            headers = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
            answer = await admin.patch(
                f"/registry/v1/trials/{TRIAL}", content='{"status": "suspended"}', headers=headers
            )
            assert answer.status_code == 200, answer.text
        boy = (ROOT / "docs" / "examples" / "duchenne-boy.json").read_bytes()

        def status_at(url: str) -> str:
            found = httpx.post(
                f"{url}/matching/v1/match", content=boy, headers={"Content-Type": "application/json"}, trust_env=False
            ).json()
            return next(one["recruitment_status"] for one in found["results"] if one["trial"] == TRIAL)

        for replica in matching:
            await until(lambda replica=replica: status_at(replica.url) == "suspended")
    finally:
        for process in (*matching, second):
            process.kill()


async def test_a_call_that_may_have_taken_effect_is_not_repeated() -> None:
    asked: list[str] = []

    class Broken(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            asked.append(f"{request.method} {request.url} {request.headers['host']}")
            raise (httpx.ConnectError if request.url.host == "down" else httpx.ReadError)("broken")

    client = InternalClient("http://down:1, http://cut:2,http://cut:3", ADMIN, Broken())
    with pytest.raises(SiblingError, match="ReadError"):
        await client.get("/x")
    assert asked == ["GET http://down:1/x down:1", "GET http://cut:2/x cut:2", "GET http://cut:3/x cut:3"]
    asked.clear()
    with pytest.raises(httpx.ReadError):
        await client._client.post("/x")
    assert asked == ["POST http://down:1/x down:1", "POST http://cut:2/x cut:2"]
    await client.close()
