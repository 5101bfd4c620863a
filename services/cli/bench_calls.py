"""Measure repeated calls with a plain HTTP client that costs less than the server."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from services.cli.gateway import CallError

WARM_UP = 0.1  # share of the measured time that runs before, without being counted


@dataclass(frozen=True)
class Call:
    """A request to repeat, and its expected ``status``. ``entries``: the number of items in one answer."""

    name: str
    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    entries: int = 1

    def request(self, host: str) -> bytes:
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: {host}\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in self.headers.items()
        )
        if self.body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n"
        return f"{head}\r\n".encode() + self.body


@dataclass(slots=True)
class Measured:
    """The measurements of one call over all rounds. ``spent``: seconds of processor time by program."""

    call: Call
    times: list[float] = field(default_factory=list)
    seconds: float = 0.0
    failed: int = 0
    spent: dict[str, float] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return len(self.times) / self.seconds

    def quantile(self, share: float) -> float:
        """Return the quantile of the times, in milliseconds."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000

    def cpu_microseconds(self, *programs: str) -> float | None:
        """Return the processor time of one request in the ``programs`` (default: all), or None if it is unknown."""
        spent = [seconds for name, seconds in self.spent.items() if not programs or name in programs]
        return sum(spent) / len(self.times) * 1e6 if spent else None

    def cpu_microseconds_without(self, *programs: str) -> float | None:
        return self.cpu_microseconds(*(name for name in self.spent if name not in programs)) if self.spent else None


class ProcessorTimes:
    """The processor time of the programs that `cleio up` started, read from /proc; empty where there is none."""

    def __init__(self, supervisor: int | None) -> None:
        self._programs = {} if supervisor is None else _programs(supervisor)

    def spent(self) -> dict[str, float]:
        """Return seconds by program; the replicas of a service are added up."""
        found: dict[str, float] = {}
        for pid, name in self._programs.items():
            try:
                words = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            except OSError:
                continue
            found[name] = found.get(name, 0.0) + (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
        return found


def _programs(supervisor: int) -> dict[int, str]:
    found = {}
    try:
        children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text(encoding="ascii").split()
        for pid in children:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
            found[int(pid)] = words[words.index("serve") + 1] if "serve" in words else "gateway"
    except OSError:
        return {}
    return found


async def measure(
    measured: Measured, address: tuple[str, int], seconds: float, connections: int, processors: ProcessorTimes
) -> None:
    """Repeat a call for ``seconds`` on ``connections`` connections and add the results to ``measured``.

    :raises CallError: when a connection is lost.
    """
    call = measured.call
    begin = perf_counter() + WARM_UP * seconds
    end = begin + seconds

    async def caller() -> None:
        reader, writer = await asyncio.open_connection(*address)
        request = call.request(address[0])
        try:
            while (started := perf_counter()) < end:
                status, _ = await exchange(reader, writer, request)
                if started >= begin:
                    measured.times.append(perf_counter() - started)
                    measured.failed += status != call.status
        finally:
            writer.close()

    async def watch() -> None:
        await asyncio.sleep(begin - perf_counter())
        before = processors.spent()
        await asyncio.sleep(end - perf_counter())
        for name, total in processors.spent().items():
            measured.spent[name] = measured.spent.get(name, 0.0) + total - before.get(name, 0.0)

    try:
        await asyncio.gather(watch(), *(caller() for _ in range(connections)))
    except (OSError, asyncio.IncompleteReadError):
        raise CallError(f"connection lost during: {call.name}") from None
    measured.seconds += seconds


async def request_once(address: tuple[str, int], call: Call) -> tuple[int, bytes]:
    """Send one request on a connection of its own; return status and body."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        return await exchange(reader, writer, call.request(address[0]))
    finally:
        writer.close()


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[int, bytes]:
    """Send one request on an open connection; return status and body."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = int(head[9:12])
    if status == 304:
        return status, b""
    if "\r\ncontent-length:" in head:
        length = int(head.split("\r\ncontent-length:", 1)[1].split("\r\n", 1)[0])
        return status, await reader.readexactly(length)
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return status, body
