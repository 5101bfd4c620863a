"""The supervisor reports to systemd over the socket that systemd names, and not without one."""

import asyncio
import socket
from pathlib import Path

import pytest

from services.supervisor.watchdog import feed_systemd_watchdog, notify_systemd


@pytest.mark.anyio
async def test_readiness_and_watchdog_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "20000")
        notify_systemd("READY=1")
        task = asyncio.create_task(feed_systemd_watchdog())
        await asyncio.sleep(0.1)
        task.cancel()
        assert systemd.recv(100) == b"READY=1"
        assert {systemd.recv(100) for _ in range(3)} == {b"WATCHDOG=1"}


@pytest.mark.anyio
async def test_nothing_is_reported_without_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    notify_systemd("READY=1")
    await feed_systemd_watchdog()
