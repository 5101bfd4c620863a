"""Measure the main calls through the gateway.

Calls that are compared are measured in the same rounds, so that other load on the machine affects both.
"""

import asyncio
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from urllib.parse import urlsplit

import typer

from services.cli.bench_calls import Call, Measured, ProcessorTimes, measure, request_once
from services.cli.gateway import CallError
from shared.values.addresses import EMBEDDED_PORTS

PATIENT = Path(__file__).resolve().parents[2] / "docs" / "examples" / "duchenne-boy.json"
ROUNDS = 3
DIRECT = " (direct)"


@dataclass(frozen=True)
class Target:
    """The measured system. One that was started for the measurement also has a folder and a supervisor process."""

    url: str
    folder: Path | None = None
    supervisor: int | None = None


@dataclass(frozen=True)
class Ratio:
    """How many times as many ``unit`` the call ``what`` handles in the same time as ``compared_with``."""

    what: str
    compared_with: str
    ratio: float
    unit: str


def run_bench(seconds: float, connections: int, url: str, *, as_json: bool) -> None:
    """Measure the calls and print the figures.

    :raises CallError: when the system does not start or does not answer.
    """
    with _running(url) as target:
        measured = asyncio.run(_measure_all(target, seconds, connections))
        ratios = [*_ratios(measured), *_ratio_of_the_snapshot(target)]
    if as_json:
        document = {
            "connections": connections,
            "seconds": seconds,
            "calls": [_figures(one) for one in measured],
            "ratios": [vars(one) for one in ratios],
        }
        typer.echo(json.dumps(document, indent=2))
        return
    _print(
        measured,
        ratios,
        f"{connections} callers, {seconds:g} s each in {ROUNDS} rounds, "
        f"{os.cpu_count()} processors, Python {platform.python_version()}",
    )


def _figures(one: Measured) -> dict[str, Any]:
    """Times in milliseconds; processor time in microseconds for each request (null if unknown)."""
    return {
        "call": one.call.name,
        "per_second": round(one.per_second, 1),
        "p50": round(one.quantile(0.5), 3),
        "p99": round(one.quantile(0.99), 3),
        "cpu": _rounded(one.cpu_microseconds_without("gateway")),
        "gateway_cpu": _rounded(one.cpu_microseconds("gateway")),
        "failed": one.failed,
    }


def _rounded(value: float | None) -> int | None:
    return None if value is None else round(value)


def _print(measured: Sequence[Measured], ratios: Sequence[Ratio], head: str) -> None:
    typer.echo(head)
    typer.echo(f"{'call':<34}{'per second':>11}{'p50 ms':>9}{'p99 ms':>9}{'CPU µs':>9}{'gateway':>9}{'failed':>8}")
    for row in map(_figures, measured):
        cpu, gateway = (("–" if row[name] is None else row[name]) for name in ("cpu", "gateway_cpu"))
        typer.echo(
            f"{row['call']:<34}{row['per_second']:>11.0f}{row['p50']:>9.2f}{row['p99']:>9.2f}{cpu:>9}{gateway:>9}{row['failed']:>8}"
        )
    typer.echo(
        "\nCPU: processor time of the services, and of the gateway, for each request. Compared in the same rounds:"
    )
    for one in ratios:
        typer.echo(f"{one.what:<34} {one.ratio:>7.1f} × {one.unit} of {one.compared_with}")


@contextmanager
def _running(url: str) -> Iterator[Target]:
    if url:
        yield Target(url.rstrip("/"))
        return
    with tempfile.TemporaryDirectory(prefix="cleio-bench-") as folder:
        port = _four_free_ports()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CLEIO_")}
        environment |= {"CLEIO_PORT": str(port), "CLEIO_DATA_DIR": folder, "CLEIO_LOG_LEVEL": "WARNING"}
        environment |= {"CLEIO_RATE_READ": "0", "CLEIO_RATE_MATCH": "0"}  # measure without quotas
        log = Path(folder) / "up.log"
        with log.open("wb") as output:
            system = subprocess.Popen(
                [sys.executable, "-m", "services.cli", "up"],
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            _wait_until_ready(system, log)
            yield Target(f"http://127.0.0.1:{port}", Path(folder), system.pid)
        finally:
            system.send_signal(signal.SIGTERM)
            system.wait(timeout=10)


def _wait_until_ready(system: "subprocess.Popen[bytes]", log: Path) -> None:
    while b"ready in" not in (output := log.read_bytes()):
        try:
            system.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
        raise CallError("the system did not start:\n" + output.decode(errors="replace"))


def _four_free_ports() -> int:
    """Return the first of four consecutive ports that are free now."""
    for first in range(20_000, 60_000, 4):
        try:
            for port in range(first, first + 4):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise CallError("no four consecutive free ports")


async def _measure_all(target: Target, seconds: float, connections: int) -> list[Measured]:
    address = urlsplit(target.url)
    if address.scheme != "http" or address.hostname is None:
        raise CallError(f"{target.url} is not an http:// address")
    gateway = (address.hostname, address.port or 80)
    try:
        calls = await _calls(gateway)
    except OSError:
        raise CallError(f"nothing listens at {target.url}: start it with `make run`") from None
    rows = [(Measured(call), gateway) for call in calls]
    if target.folder is not None:
        # The ports of the services are known only for the system that was started here.
        rows += [
            (Measured(_renamed(call, call.name + DIRECT)), _direct(gateway, call)) for call in calls[:2] + calls[-3:-2]
        ]
    processors = ProcessorTimes(target.supervisor)
    for _ in range(ROUNDS):
        for measured, where in rows:
            await measure(measured, where, seconds / ROUNDS, connections, processors)
    if slow := next((measured.call.name for measured, _ in rows if not measured.times), None):
        raise CallError(f"no call finished in time: {slow}")
    return [measured for measured, _ in rows]


async def _calls(gateway: tuple[str, int]) -> list[Call]:
    status, body = await request_once(gateway, Call("", "GET", "/registry/v1/trials?limit=1"))
    if status != 200:
        raise CallError(f"/registry/v1/trials answered {status}")
    [trial] = json.loads(body)["items"]
    path = f"/registry/v1/trials/{trial['id']}"
    _, whole = await request_once(gateway, Call("", "GET", path))
    _, batch = await request_once(gateway, Call("", "GET", "/registry/v1/feed?limit=1000"))
    return [
        Call("list 20 trials", "GET", "/registry/v1/trials?limit=20"),
        Call("read one trial", "GET", path),
        Call(
            "read one trial, unchanged",
            "GET",
            path,
            headers={"If-None-Match": f'"v{json.loads(whole)["version"]}"'},
            status=304,
        ),
        Call("search by word", "GET", "/registry/v1/trials?q=duchenne&limit=20"),
        Call("match one patient", "POST", "/matching/v1/match", PATIENT.read_bytes()),
        Call("follow changes, a batch", "GET", "/registry/v1/feed?limit=1000", entries=len(json.loads(batch))),
        Call("follow changes, one by one", "GET", "/registry/v1/feed?limit=1"),
    ]


def _renamed(call: Call, name: str) -> Call:
    return Call(name, call.method, call.path, call.body, call.headers, call.status, call.entries)


def _direct(gateway: tuple[str, int], call: Call) -> tuple[str, int]:
    return gateway[0], gateway[1] + EMBEDDED_PORTS[call.path.split("/")[1]]


def _ratios(measured: Sequence[Measured]) -> Iterator[Ratio]:
    named = {one.call.name: one for one in measured}
    for name, direct in named.items():
        if name.endswith(DIRECT):
            through = named[name.removesuffix(DIRECT)]
            yield Ratio(name, "the same through the gateway", direct.per_second / through.per_second, "the requests")
    unchanged, read = named["read one trial, unchanged"], named["read one trial"]
    yield Ratio(unchanged.call.name, "reading it completely", unchanged.per_second / read.per_second, "the requests")
    batch, single = named["follow changes, a batch"], named["follow changes, one by one"]
    yield Ratio(batch.call.name, "one by one", batch.per_second * batch.call.entries / single.per_second, "the entries")


def _ratio_of_the_snapshot(target: Target) -> Iterator[Ratio]:
    """Compare a match on the compiled snapshot with one that first compiles it, by processor time."""
    from services.matching.evaluations.service import match_patient
    from services.matching.patients.index import index_patient
    from services.matching.patients.reading import read_patient
    from services.matching.snapshots.files import SnapshotFiles
    from services.matching.snapshots.model import Snapshot

    files = None if target.folder is None else SnapshotFiles(target.folder / "matching" / "snapshot", "FR")
    snapshot = files.newest() if files is not None else None
    if files is None or snapshot is None:
        return
    patient = json.loads(PATIENT.read_bytes())

    def match_with(used: Snapshot) -> None:
        read = index_patient(read_patient(patient), used.vocabulary, date.fromisoformat("2025-11-22"))
        match_patient(used, read, "P2Y", 50)

    def compiled() -> None:
        match_with(snapshot)

    def with_compilation() -> None:
        again = files.newest()
        assert again is not None
        match_with(again)

    times = {work: _processor_time(work) for work in (with_compilation, compiled)}
    yield Ratio(
        "match, snapshot compiled",
        "a match that compiles it for each call",
        times[with_compilation] / times[compiled],
        "the matches",
    )


def _processor_time(work: Any, least: float = 0.5) -> float:
    """Return the seconds of processor time of one call of ``work``, measured for at least ``least`` seconds."""
    work()
    began, started, runs = perf_counter(), process_time(), 0
    while perf_counter() - began < least or runs < 3:
        work()
        runs += 1
    return (process_time() - started) / runs
