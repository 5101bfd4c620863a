"""The measuring client: blocking, one keep-alive connection, and the processor time of a server process."""

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Self


class BenchError(RuntimeError):
    """The measurement cannot go on; the message is the one line its caller needs."""


@dataclass(frozen=True)
class Call:
    """One request. ``status``: the only answer that counts as success."""

    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: bytes = b""
    status: int = 200

    def encode(self, host: str) -> bytes:
        """The request as bytes of HTTP/1.1."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.body or self.method in {"PUT", "POST", "PATCH"}:
            lines.append(f"Content-Length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + self.body


class Connection:
    """A keep-alive connection to ``127.0.0.1:port``. ``seconds``: the longest wait for an answer."""

    def __init__(self, port: int, seconds: float = 60.0) -> None:
        self.host = f"127.0.0.1:{port}"
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, call: Call) -> bytes:
        """Send one request and return the body of its answer.

        :raises BenchError: the status is not the expected one, or the connection broke.
        """
        status, _, body = self.exchange(call)
        if status != call.status:
            raise BenchError(f"{call.method} {call.path}: {status} instead of {call.status}: {body[:300]!r}")
        return body

    def exchange(self, call: Call) -> tuple[int, bytes, bytes]:
        """Send one request; returns status, head and body."""
        self._socket.sendall(call.encode(self.host))
        while b"\r\n\r\n" not in self._buffer:
            self._read()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        status = int(head[9:12])
        lowered = head.lower()
        if status in {204, 304} or call.method == "HEAD":
            return status, head, b""
        if b"\r\ncontent-length:" in lowered:
            length = int(lowered.split(b"\r\ncontent-length:", 1)[1].split(b"\r\n", 1)[0])
            while len(self._buffer) < length:
                self._read()
            body, self._buffer = self._buffer[:length], self._buffer[length:]
            return status, head, body
        return status, head, self._chunks()

    def _chunks(self) -> bytes:
        body = b""
        while True:
            while b"\r\n" not in self._buffer:
                self._read()
            size, _, self._buffer = self._buffer.partition(b"\r\n")
            length = int(size.split(b";")[0], 16)
            while len(self._buffer) < length + 2:
                self._read()
            body, self._buffer = body + self._buffer[:length], self._buffer[length + 2 :]
            if not length:
                return body

    def _read(self) -> None:
        part = self._socket.recv(1 << 18)
        if not part:
            raise BenchError("the server closed the connection")
        self._buffer += part


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and its threads so far, in seconds. Linux only.

    :raises BenchError: the process has ended.
    """
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    except (OSError, ValueError, IndexError):
        raise BenchError(f"process {pid} has ended, or this system does not report its processor time") from None


def thread_seconds(pid: int) -> float:
    """Processor time of the first thread of a process so far, in seconds: of the event loop. Linux only."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9


def cost(connection: Connection, pid: int, calls: Sequence[Call]) -> float:
    """Processor time of one call in microseconds, averaged over ``calls`` in a row."""
    before = cpu_seconds(pid)
    for call in calls:
        connection.send(call)
    return (cpu_seconds(pid) - before) / len(calls) * 1e6


def times(connection: Connection, calls: Sequence[Call]) -> list[float]:
    """The duration of each call in milliseconds, sorted."""
    found = []
    for call in calls:
        started = perf_counter()
        connection.send(call)
        found.append((perf_counter() - started) * 1000)
    return sorted(found)


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the sorted values lie."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
