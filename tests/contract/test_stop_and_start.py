"""A service that stops answers its waiting callers; one that cannot start reports why in one line."""

import asyncio
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import monotonic

import httpx
import pytest
from sqlalchemy import make_url

from tests.contract.processes import ROOT, ServiceProcess, alive, free_port

pytestmark = pytest.mark.anyio
Spoil = Callable[[Path, int], AbstractContextManager[None]]


async def test_waiting_readers_of_the_feed_get_an_empty_batch_when_the_service_stops(
    stocked_url: str, tmp_path: Path, figure: Callable[[str, object], None]
) -> None:
    process = await asyncio.to_thread(
        ServiceProcess, tmp_path / "var", sample=False, CLEIO_REGISTRY_DATABASE_URL=stocked_url
    )
    try:
        async with httpx.AsyncClient(base_url=process.url, timeout=30, trust_env=False) as client:
            newest = (await client.get("/registry/v1/feed?limit=1000")).links["next"]["url"]
            wanted = {"wait": "20", "types": "criteria.signed"}
            polls = [asyncio.create_task(client.get(newest, params=wanted)) for _ in range(3)]
            await asyncio.sleep(0.5)
            assert (await client.get("/registry/livez")).status_code == 200
            started = monotonic()
            os.kill(process.pid, signal.SIGTERM)
            for answer in await asyncio.gather(*polls):
                assert (answer.status_code, answer.json(), answer.headers["connection"]) == (200, [], "close")
                assert answer.links["next"]["url"].startswith("/registry/v1/feed?")
        while alive(process.pid):
            await asyncio.sleep(0.01)
            assert monotonic() < started + 20, "it does not end"
        figure(
            f"stop of a registry with waiting readers on {make_url(stocked_url).get_backend_name()}, s",
            f"{monotonic() - started:.2f}",
        )
    finally:
        process.kill()


@contextmanager
def nothing(_var: Path, _port: int) -> Iterator[None]:
    yield


@contextmanager
def owned(var: Path, _port: int) -> Iterator[None]:
    with (var / "registry.db.owner").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def taken(_var: Path, port: int) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", port)):
        yield


@contextmanager
def damaged(var: Path, _port: int) -> Iterator[None]:
    (var / "registry.db").write_bytes(os.urandom(8192))
    yield


@contextmanager
def unmigrated(var: Path, _port: int) -> Iterator[None]:
    (var / "registry.db").unlink()
    yield


NOT_VISIBLE = "postgresql://cleio:secret-of-the-login@127.0.0.1:1/cleio"


@pytest.mark.parametrize(
    ("spoil", "url", "why"),
    [
        (owned, "", "is in use by another process"),
        (taken, "", "address already in use"),
        (damaged, "", "Database damaged: restore a backup"),
        (unmigrated, "", "cleio migrate"),
        (nothing, NOT_VISIBLE, "Database temporarily unavailable: ConnectionRefusedError: [Errno 111]"),
    ],
    ids=["owned", "port taken", "damaged", "not migrated", "no server"],
)
def test_a_service_that_cannot_start_reports_why_in_one_line(
    stocked_file: Path,
    spoil: Spoil,
    url: str,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    var, port = tmp_path / "var", free_port()
    var.mkdir()
    shutil.copyfile(stocked_file, var / "registry.db")
    monkeypatch.setenv("CLEIO_REGISTRY_PORT", str(port))
    if url:
        monkeypatch.setenv("CLEIO_REGISTRY_DATABASE_URL", url)
    with spoil(var, port):
        ended = subprocess.run(
            [sys.executable, "-m", "services.cli", "serve", "registry"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    # With a damaged file another start would fail as well.
    assert ended.returncode == (os.EX_CONFIG if spoil is damaged else 3)
    said = ended.stderr.splitlines()
    assert [line for line in said if not line.startswith("{")] == [line for line in said if line.startswith("cleio: ")]
    [line] = [line for line in said if line.startswith("cleio: ")]
    assert why in line
    assert "secret" not in ended.stderr
    assert "uvicorn" not in ended.stderr


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("CLEIO_MATCHING_FEED_WAIT", "a-value-of-mine", "CLEIO_MATCHING_FEED_WAIT: Input should be a valid integer"),
        ("CLEIO_MATCHING_FEED_WAIT", "987654321", "CLEIO_MATCHING_FEED_WAIT: Input should be less than or equal to 25"),
        ("CLEIO_RATE_READ", "a-value-of-mine", "CLEIO_RATE_READ: Input should be a valid integer"),
        ("CLEIO_GATEWAY_NETWORKS", "a-value-of-mine", "CLEIO_GATEWAY_NETWORKS"),
        ("CLEIO_GATEWAY_NETWORKS", '["a-value-of-mine"]', "CLEIO_GATEWAY_NETWORKS"),
        ("CLEIO_CORS_ORIGINS", '["https://a-value-of-mine/path"]', "CLEIO_CORS_ORIGINS"),
        ("CLEIO_CORS_ORIGINS", '["*"]', "CLEIO_CORS_ORIGINS"),
    ],
)
def test_an_invalid_setting_is_named_in_one_line_without_its_value(
    name: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    command = [sys.executable, "-m", "services.cli", "serve", "matching"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == os.EX_CONFIG
    [line] = ended.stderr.splitlines()
    assert line.startswith(f"cleio: {expected}")
    assert "value-of-mine" not in line
    assert "987654321" not in line
