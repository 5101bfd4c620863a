"""A complete system as a user runs it: `cleio up` in its own folder, on free ports."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from services.cli.app import app
from tests.collector import Collector, running_collector
from tests.conftest import free_port
from tests.e2e.openid import AUDIENCE, Provider

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120
EHR_ORIGIN = "https://ehr.example"


def eventually(fact: Callable[[], bool], seconds: float) -> bool:
    """Return whether ``fact`` becomes true within ``seconds``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if fact():
            return True
        time.sleep(0.05)
    return fact()


def alive(pid: int) -> bool:
    """Return whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class System:
    """One `cleio up` and what it printed."""

    def __init__(self, folder: Path, port: int | None = None, *arguments: str, **settings: str) -> None:
        self.folder = folder
        self.port = port or free_port(10)
        self.url = f"http://127.0.0.1:{self.port}"
        self.lines: list[str] = []
        self._arriving: queue.Queue[str | None] = queue.Queue()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CLEIO_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "services.cli", "up", *arguments],
            cwd=ROOT,
            env={
                **environment,
                "CLEIO_DATA_DIR": str(folder),
                "CLEIO_PORT": str(self.port),
                "CLEIO_DEMONSTRATION": "false",
                **settings,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self._arriving.put(line.rstrip("\n"))
        self._arriving.put(None)

    def read_until(self, words: str) -> str:
        """Return the next line that contains ``words``."""
        end = time.monotonic() + START_SECONDS
        while (line := self._arriving.get(timeout=max(0.1, end - time.monotonic()))) is not None:
            self.lines.append(line)
            if words in line:
                return line
        raise AssertionError(f"it ended without {words!r}:\n" + "\n".join(self.lines))

    def read_to_the_end(self) -> list[str]:
        self.process.wait(timeout=START_SECONDS)
        while (line := self._arriving.get(timeout=10)) is not None:
            self.lines.append(line)
        return self.lines

    def programs(self) -> dict[str, int]:
        """Return the processes it started by name; one of several replicas."""
        return {name: pid for pid, name in self._children()}

    def replicas(self, service: str) -> dict[str, int]:
        """Return the processes of one service by the port of each."""
        found = {}
        for pid, name in self._children():
            if name == service:
                environment = dict(
                    one.split("=", 1)
                    for one in Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
                    if "=" in one
                )
                found[environment[f"CLEIO_{service.upper()}_PORT"]] = pid
        return found

    def _children(self) -> Iterator[tuple[int, str]]:
        for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            yield int(pid), words[words.index("serve") + 1] if "serve" in words else Path(words[0]).name

    def client(self, *, as_admin: bool = False) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.admin_key}"} if as_admin else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False)

    @cached_property
    def admin_key(self) -> str:
        """The key of an administrator, created as an operator does."""
        return self.cleio("admin", "create").stdout.strip()

    def in_a_process(self, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run a command as a process beside this system."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CLEIO_")}
        settings_here = {**environment, "CLEIO_DATA_DIR": str(self.folder), "CLEIO_PORT": str(self.port), **settings}
        command = [sys.executable, "-m", "services.cli", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=settings_here, capture_output=True, text=True, timeout=120, check=False
        )

    def cleio(self, *arguments: str, check: bool = True, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run a command with the same settings in this process, which has loaded the program already."""
        others = dict.fromkeys(name for name in os.environ if name.startswith("CLEIO_"))
        here = {"CLEIO_DATA_DIR": str(self.folder), "CLEIO_PORT": str(self.port), **settings}
        result = CliRunner().invoke(app, arguments, env={**others, **here})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        done = subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, result.stderr)
        if check:
            done.check_returncode()
        return done

    def typed(self, *arguments: str, token: str = "", code: int | None = 0) -> Result:
        """Run a command in this process and check its exit code, unless ``code`` is None.

        ``token``: the token to use instead of the administrator's key.
        """
        environment = {
            "CLEIO_PORT": str(self.port),
            "CLEIO_DATA_DIR": str(self.folder),
            "CLEIO_TOKEN": token or self.admin_key,
        }
        result = CliRunner().invoke(app, arguments, env=environment)
        assert code is None or result.exit_code == code, result.output
        return result

    def end(self) -> None:
        """Stop it, whatever the test did to it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=15)
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A running system, shared by tests that do not change it."""
    running = System(tmp_path_factory.mktemp("system") / "var", CLEIO_CORS_ORIGINS=f'["{EHR_ORIGIN}"]')
    try:
        running.read_until("ready in")
        yield running
    finally:
        running.end()


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    """An OpenID provider that a test starts."""
    found = Provider(free_port(2))
    yield found
    found.stop()


@pytest.fixture(scope="session")
def inhabited(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A running system, shared by tests that create organisations, clients and members, or load codes."""
    settings = {
        "CLEIO_OIDC_ISSUER": provider.url,
        "CLEIO_OIDC_AUDIENCE": AUDIENCE,
        "CLEIO_PORTAL_OIDC_CLIENT_ID": "cleio-portal",
        "CLEIO_PORTAL_OIDC_CLIENT_SECRET": "of-the-tests",
        "CLEIO_PORTAL_OIDC_SCOPE": "openid offline_access",
        "CLEIO_OUTBOUND_DEV_HOSTS": "127.0.0.0/8",
    }
    running = System(tmp_path_factory.mktemp("inhabited") / "var", **settings)
    try:
        running.read_until("ready in")
        yield running
    finally:
        running.end()


class Receiver:
    """The server of a subscriber: fails on demand, and records what it receives."""

    def __init__(self) -> None:
        self.failing = 0
        self.got: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(503 if receiver.failing > 0 else 204)
                receiver.failing -= 1
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.server.shutdown()
    running.server.server_close()


@dataclass
class Traced:
    """A system that may call receivers on loopback, with a collector of its spans."""

    system: System
    collector: Collector


@contextlib.contextmanager
def running_traced(folder: Path, **more: str) -> Iterator[Traced]:
    with running_collector() as collector:
        temporary = folder / "tmp"
        temporary.mkdir(parents=True)
        settings = {
            "CLEIO_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "CLEIO_OUTBOUND_DEV_HOSTS": "127.0.0.0/8",
            "CLEIO_GATEWAY_PATIENCE": "500ms",
            "CLEIO_LOG_LEVEL": "DEBUG",
            # These tests send more requests a minute than the quotas allow.
            **dict.fromkeys(("CLEIO_RATE_READ", "CLEIO_RATE_MATCH", "CLEIO_RATE_WRITE"), "0"),
            "TMPDIR": str(temporary),
        }
        running = System(folder / "var", **settings, **more)
        try:
            running.read_until("ready in")
            yield Traced(running, collector)
        finally:
            running.end()


@pytest.fixture(scope="session")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """A system with tracing, shared by the tests of its spans and logs."""
    with running_traced(tmp_path_factory.mktemp("traced")) as running:
        yield running
