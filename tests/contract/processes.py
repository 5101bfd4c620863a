"""Real service processes for tests, each with its own data folder."""

import atexit
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

import httpx

from tests.conftest import ADMIN, AUDIT_KEY, CURSOR_KEY, INTERNAL, ISSUER_KEYS, free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0


@cache
def _forks() -> "subprocess.Popen[str]":
    """The process server of this worker (tests/contract/served.py); it ends when its standard input is closed."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.contract.served"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(server.communicate)
    return server


def alive(pid: int) -> bool:
    """Return whether a thread of the process is left: files stay open until the last one ends."""
    with suppress(FileNotFoundError):
        for task in list(Path(f"/proc/{pid}/task").iterdir()):
            with suppress(OSError):
                if (task / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                    return True
    return False


class ServiceProcess:
    """One service on a data folder, started as by `cleio serve`; ready once created. ``largest_file``: bytes."""

    def __init__(
        self,
        folder: Path,
        service: str = "registry",
        *,
        sample: bool = True,
        largest_file: int | None = None,
        port: int | None = None,
        **settings: str,
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "CLEIO_DATA_DIR": str(folder),
            f"CLEIO_{service.upper()}_PORT": str(self.port),
            "CLEIO_REGISTRY_LOAD_SAMPLE": str(sample).lower(),
            "CLEIO_INTERNAL_TOKEN": INTERNAL,
            "CLEIO_ISSUER_KEYS": str(ISSUER_KEYS),
            "CLEIO_CURSOR_KEY": CURSOR_KEY,
            "CLEIO_AUDIT_KEY": AUDIT_KEY,
            **settings,
        }
        server = _forks()
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps([service, self.environment, largest_file]) + "\n")
        server.stdin.flush()
        self.pid = int(server.stdout.readline())
        self._wait(service)

    def _wait(self, service: str) -> None:
        end = time.monotonic() + START_SECONDS
        with httpx.Client(trust_env=False) as client:
            while time.monotonic() < end and alive(self.pid):
                try:
                    if client.get(f"{self.url}/{service}/readyz").status_code == 200:
                        return
                except httpx.TransportError:
                    time.sleep(0.02)
        self.kill()
        raise AssertionError(f"{service} did not start on {self.folder}")

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Stop it with SIGTERM, as an operator does."""
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if alive(self.pid):
            os.kill(self.pid, number)
        end = time.monotonic() + 15
        while alive(self.pid):
            assert time.monotonic() < end, "the process does not end"
            time.sleep(0.002)

    def admin(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.url, headers={"Authorization": f"Bearer {ADMIN}"}, timeout=10, trust_env=False
        )
