"""`cleio bench`: repeats the main calls through the gateway and tells rates and times, measured at the caller."""

import asyncio
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import NamedTuple
from urllib.parse import urlsplit

import typer

from services.cli.gateway import CallError

PATIENT = Path(__file__).resolve().parents[2] / "docs" / "examples" / "duchenne-boy.json"
WARM_UP = 0.3  # of the measured time, not counted


@dataclass(frozen=True)
class Call:
    """One request that is repeated."""

    name: str
    method: str
    path: str
    body: bytes = b""

    def request(self, host: str) -> bytes:
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: {host}\r\n"
        if self.body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n"
        return f"{head}\r\n".encode() + self.body


class Figures(NamedTuple):
    """What one call did. Times in milliseconds."""

    call: str
    per_second: float
    p50: float
    p99: float
    failed: int


def run_bench(seconds: float, connections: int, url: str, *, as_json: bool) -> None:
    """Measure and print.

    :raises CallError: when the system does not start or does not answer.
    """
    with _running(url) as base:
        figures = asyncio.run(_measure_all(base, seconds, connections))
    if as_json:
        typer.echo(json.dumps({"connections": connections, "seconds": seconds, "calls": [one._asdict() for one in figures]}, indent=2))
        return
    typer.echo(f"{connections} callers, {seconds:g} s each, {os.cpu_count()} processors, Python {platform.python_version()}")
    typer.echo(f"{'call':<28}{'per second':>12}{'p50 ms':>10}{'p99 ms':>10}{'failed':>8}")
    for one in figures:
        typer.echo(f"{one.call:<28}{one.per_second:>12.0f}{one.p50:>10.2f}{one.p99:>10.2f}{one.failed:>8}")


@contextmanager
def _running(url: str) -> Iterator[str]:
    if url:
        yield url.rstrip("/")
        return
    with tempfile.TemporaryDirectory(prefix="cleio-bench-") as folder:
        port = _four_free_ports()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CLEIO_")}
        environment |= {"CLEIO_PORT": str(port), "CLEIO_DATA_DIR": folder, "CLEIO_LOG_LEVEL": "WARNING"}
        log = Path(folder) / "up.log"
        with log.open("wb") as output:
            system = subprocess.Popen(
                [sys.executable, "-m", "services.cli", "up"], env=environment, stdout=output, stderr=output, start_new_session=True
            )
        try:
            _wait_until_ready(system, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            system.send_signal(signal.SIGTERM)
            system.wait(timeout=10)


def _wait_until_ready(system: "subprocess.Popen[bytes]", log: Path) -> None:
    while b"ready in" not in (told := log.read_bytes()):
        try:
            system.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
        raise CallError("the system did not start:\n" + told.decode(errors="replace"))


def _four_free_ports() -> int:
    """The first of four ports in a row that nothing uses at the moment."""
    for first in range(20_000, 60_000, 4):
        try:
            for port in range(first, first + 4):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise CallError("no four free ports in a row")


async def _measure_all(base: str, seconds: float, connections: int) -> list[Figures]:
    address = urlsplit(base)
    if address.scheme != "http" or address.hostname is None:
        raise CallError(f"{base} is not an http:// address")
    host, port = address.hostname, address.port or 80
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        raise CallError(f"nothing listens at {base}: start it with `make run`") from None
    status, body = await _exchange(reader, writer, Call("", "GET", "/registry/v1/trials?limit=1").request(host))
    writer.close()
    if status != 200:
        raise CallError(f"{base}/registry/v1/trials answered {status}")
    calls = [Call("list 20 trials", "GET", "/registry/v1/trials?limit=20")]
    calls += [Call("read one trial", "GET", f"/registry/v1/trials/{trial['id']}") for trial in json.loads(body)["items"]]
    calls.append(Call("search by word", "GET", "/registry/v1/trials?q=duchenne&limit=20"))
    calls.append(Call("match one patient", "POST", "/matching/v1/match", PATIENT.read_bytes()))
    return [await _measure(call, host, port, seconds, connections) for call in calls]


async def _measure(call: Call, host: str, port: int, seconds: float, connections: int) -> Figures:
    times: list[float] = []
    failures: list[int] = []
    begin = perf_counter() + WARM_UP * seconds
    end = begin + seconds

    async def caller() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        request = call.request(host)
        try:
            while (started := perf_counter()) < end:
                status, _ = await _exchange(reader, writer, request)
                if started >= begin:
                    times.append(perf_counter() - started)
                    if status != 200:
                        failures.append(status)
        finally:
            writer.close()

    try:
        await asyncio.gather(*(caller() for _ in range(connections)))
    except (OSError, asyncio.IncompleteReadError):
        raise CallError(f"the connection broke off during: {call.name}") from None
    times.sort()
    if not times:
        raise CallError(f"no call ended in time: {call.name}")
    return Figures(call.name, len(times) / seconds, times[len(times) // 2] * 1000, times[int(len(times) * 0.99)] * 1000, len(failures))


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[int, bytes]:
    """One request and its answer on an open connection: a plain client costs the two processors less than the server it measures."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = int(head[9:12])
    if "\r\ncontent-length:" in head:
        length = int(head.split("\r\ncontent-length:", 1)[1].split("\r\n", 1)[0])
        return status, await reader.readexactly(length)
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return status, body
