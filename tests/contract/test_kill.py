"""Acknowledged writes are stored: whenever the process is killed, and when the disk is full."""

import asyncio
import json
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pysqlite3 import dbapi2 as sqlite

from tests.contract.disks import mounted
from tests.contract.matching import until
from tests.contract.processes import ServiceProcess

pytestmark = pytest.mark.anyio

WRITERS = 6
TRIALS = ["NCT03745287", "NCT05096221", "NCT04626674", "CLEIO-DEMO-0001", "CLEIO-DEMO-0002", "CLEIO-DEMO-0003"]
CONTENT = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}


@dataclass
class Stored:
    """The content of the database file of a killed registry."""

    acronyms: dict[tuple[str, int], str]
    feed: list[int]
    head: int
    integrity: str


def stored_in(folder: Path) -> Stored:
    with closing(sqlite.connect(str(folder / "registry.db"))) as connection:
        integrity = connection.execute("PRAGMA integrity_check").fetchone()[0]
        rows = connection.execute(
            "SELECT t.public_id, v.version, v.document FROM trial_versions v JOIN trials t ON t.key = v.trial_key"
        )
        acronyms = {(name, version): json.loads(document)["acronym"] for name, version, document in rows}
        feed = [row[0] for row in connection.execute("SELECT seq FROM feed_entries ORDER BY seq")]
        head = connection.execute("SELECT seq FROM feed_head").fetchone()[0]
    return Stored(acronyms, feed, head, integrity)


async def write_until(
    client: httpx.AsyncClient,
    writer: int,
    word: str,
    acknowledged: dict[tuple[str, int], str],
    stopped: Callable[[], bool],
) -> None:
    """Rename a trial repeatedly; record each name that the registry acknowledged."""
    number = 0
    while not stopped():
        number += 1
        acronym = f"{word}-{writer}-{number}"
        try:
            answer = await client.patch(
                f"/registry/v1/trials/{TRIALS[writer]}", json={"acronym": acronym}, headers=CONTENT
            )
        except httpx.TransportError:
            return
        if answer.status_code == 200:
            acknowledged[TRIALS[writer], answer.json()["version"]] = acronym
        else:
            # Concurrent writers may have to wait; no other answer is allowed.
            assert answer.status_code == 503, answer.text


@pytest.mark.parametrize("rounds", [2, pytest.param(200, marks=pytest.mark.full)])
async def test_after_a_kill_every_acknowledged_write_is_stored(tmp_path: Path, rounds: int) -> None:
    chance = random.Random(rounds)
    acknowledged: dict[tuple[str, int], str] = {}
    for number in range(rounds):
        process = await asyncio.to_thread(ServiceProcess, tmp_path)
        before = len(acknowledged)
        killed = asyncio.Event()
        async with process.admin() as client:
            writers = [
                asyncio.create_task(write_until(client, writer, f"K{number}", acknowledged, killed.is_set))
                for writer in range(WRITERS)
            ]
            # The kill comes at a random moment after writing has begun.
            await until(lambda before=before: len(acknowledged) > before)
            await asyncio.sleep(chance.random() * 0.15)
            process.kill()
            killed.set()
            await asyncio.gather(*writers)
        found = stored_in(tmp_path)
        assert found.integrity == "ok"
        assert {key: found.acronyms.get(key) for key in acknowledged} == acknowledged
        assert found.feed == list(range(1, found.head + 1)), "the feed has a gap"
        # Stored but not acknowledged: at most the calls in progress at the kill, one for each writer and round.
        unanswered = [
            name for key, name in found.acronyms.items() if key not in acknowledged and (name or "").startswith("K")
        ]
        assert len(unanswered) <= WRITERS * (number + 1)


@dataclass
class SmallDisk:
    """A folder with little room until it is enlarged.

    ``file_limit``: a limit on the files of the process instead, in bytes, if no file system can be mounted.
    """

    folder: Path
    file_limit: int | None

    def widen(self) -> None:
        if self.file_limit is None:
            subprocess.run(["mount", "-o", "remount,size=64m", str(self.folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with mounted(tmp_path / "small", 4096) as own:
        yield SmallDisk(tmp_path / "small", None if own else 2 * 1024 * 1024)


async def test_a_full_disk_is_reported_and_damages_nothing(small_disk: SmallDisk) -> None:
    process = await asyncio.to_thread(ServiceProcess, small_disk.folder, largest_file=small_disk.file_limit)
    acknowledged: dict[tuple[str, int], str] = {}
    summary = {"en": "room " * 1_500, "fr": None}
    refused: list[httpx.Response] = []
    try:
        async with process.admin() as client:
            for number in range(2_000):
                changes: dict[str, Any] = {"acronym": f"F-{number}", "summary": summary}
                answer = await client.patch(f"/registry/v1/trials/{TRIALS[0]}", json=changes, headers=CONTENT)
                if answer.status_code == 200:
                    acknowledged[TRIALS[0], answer.json()["version"]] = f"F-{number}"
                else:
                    refused.append(answer)
                    if len(refused) == 20:
                        break
            assert {answer.status_code for answer in refused} == {503 if small_disk.file_limit else 507}
            assert {answer.json()["code"] for answer in refused} == {
                "storage_failed" if small_disk.file_limit else "storage_full"
            }
            assert all(answer.headers["content-type"] == "application/problem+json" for answer in refused)
            # Public reads still work; other requests need an audit entry.
            async with httpx.AsyncClient(base_url=process.url, trust_env=False) as public:
                stored = (await public.get(f"/registry/v1/trials/{TRIALS[0]}")).json()
            assert acknowledged[TRIALS[0], stored["version"]] == stored["acronym"]
            if small_disk.file_limit is None:
                small_disk.widen()
                again = await client.patch(
                    f"/registry/v1/trials/{TRIALS[0]}", json={"acronym": "F-again"}, headers=CONTENT
                )
                assert again.status_code == 200, again.text
                acknowledged[TRIALS[0], again.json()["version"]] = "F-again"
    finally:
        process.kill()
    found = stored_in(small_disk.folder)
    assert found.integrity == "ok"
    assert {key: found.acronyms.get(key) for key in acknowledged} == acknowledged
    assert found.feed == list(range(1, found.head + 1))
    reopened = await asyncio.to_thread(ServiceProcess, small_disk.folder)
    try:
        async with reopened.admin() as client:
            last = await client.patch(f"/registry/v1/trials/{TRIALS[0]}", json={"acronym": "F-last"}, headers=CONTENT)
            assert last.status_code == 200, last.text
    finally:
        reopened.stop()
