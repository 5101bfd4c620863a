"""A full disk under matching, which has no database: a match that cannot be audited gets 507."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.contract.disks import mounted
from tests.contract.matching import EXAMPLES, until
from tests.contract.processes import ServiceProcess

pytestmark = pytest.mark.anyio
TRIAL = "NCT05096221"
BOY = (EXAMPLES / "duchenne-boy.json").read_bytes()
JSON = {"Content-Type": "application/json"}


class Disk:
    """A folder whose disk can be filled. If no file system can be mounted, the size of its files is limited."""

    def __init__(self, folder: Path, *, mounted: bool) -> None:
        self.folder = folder
        self._mounted = mounted
        self._filler = folder / "filler"

    def fill(self, pid: int) -> None:
        if not self._mounted:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
            return
        with suppress(OSError), self._filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(512))

    def free(self, pid: int) -> None:
        if self._mounted:
            self._filler.unlink()
        else:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with mounted(tmp_path / "disk", 4096) as own:
        yield Disk(tmp_path / "disk", mounted=own)


@pytest.mark.full
async def test_a_full_disk_refuses_matches_and_does_not_stop_the_snapshot(disk: Disk, tmp_path: Path) -> None:
    registry = await asyncio.to_thread(ServiceProcess, tmp_path / "registry")
    matching = await asyncio.to_thread(
        ServiceProcess,
        disk.folder / "var",
        "matching",
        CLEIO_REGISTRY_URL=registry.url,
        CLEIO_MATCHING_PERSIST_EVERY="0.05",
    )
    log = Path(f"{matching.environment['CLEIO_DATA_DIR']}.log")
    try:
        async with (
            registry.admin() as admin,
            httpx.AsyncClient(base_url=matching.url, trust_env=False, timeout=10) as client,
        ):

            async def match() -> httpx.Response:
                return await client.post("/matching/v1/match", content=BOY, headers=JSON)

            async def readiness(status: int) -> None:
                async with asyncio.timeout(20):
                    while (answer := await client.get("/matching/readyz")).status_code != status:  # noqa: ASYNC110
                        await asyncio.sleep(0.1)
                assert answer.json()["detail"].get("storage") == (None if status == 200 else "storage_full")

            async def figure() -> float:
                metrics = (await client.get("/metrics", headers={"Authorization": admin.headers["authorization"]})).text
                return float(
                    next(
                        line.split()[1]
                        for line in metrics.splitlines()
                        if line.startswith("cleio_snapshot_unwritten_seconds")
                    )
                )

            answer = await match()
            assert answer.status_code == 200, answer.text
            snapshots = disk.folder / "var" / "matching" / "snapshot"
            await until((snapshots / "current").is_file)
            before = (snapshots / "current").read_text()
            disk.fill(matching.pid)
            while (await match()).status_code == 200:
                pass  # room left in the file is used up first
            for _ in range(3):
                answer = await match()
                assert (answer.status_code, answer.json()["code"]) == (507, "storage_full"), answer.text
            changed = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
            assert (
                await admin.patch(f"/registry/v1/trials/{TRIAL}", json={"status": "suspended"}, headers=changed)
            ).status_code == 200
            # The snapshot cannot be written: it is updated in memory, and the operator sees it in the metrics.
            async with asyncio.timeout(20):
                while not await figure():  # noqa: ASYNC110 - a metric has no event
                    await asyncio.sleep(0.05)
            # Matches cannot be recorded, so that the service is not ready; another replica may be.
            await readiness(503)
            assert (snapshots / "current").read_text() == before
            assert [path.name for path in snapshots.iterdir() if path.is_dir() and path.name.startswith(".")] == []
            disk.free(matching.pid)
            await readiness(200)
            answer = await match()
            assert answer.status_code == 200, answer.text
            assert (
                next(one for one in answer.json()["results"] if one["trial"] == TRIAL)["recruitment_status"]
                == "suspended"
            )
            async with asyncio.timeout(20):
                while await figure():  # noqa: ASYNC110 - a metric has no event
                    await asyncio.sleep(0.05)
            assert (snapshots / "current").read_text() != before
        assert b"_broken" not in await asyncio.to_thread(log.read_bytes)
    finally:
        matching.kill()
        registry.kill()
