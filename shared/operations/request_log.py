"""One log line for each answered request, collected and written together: a line costs a few microseconds, not a system call."""

import asyncio
import sys
from datetime import UTC, datetime
from typing import TextIO

WRITE_SECONDS = 0.1
MAX_LINES = 500


class RequestLog:
    """Collects the lines of one process. They are written after a tenth of a second, when there are 500, and at the end.

    Every value is one of ours: ids of a known form, a method, a route's template, a kind of principal. So no line needs escaping.
    """

    def __init__(self, service: str, stream: TextIO | None = None) -> None:
        self._service = service
        self._stream = stream
        self._lines: list[str] = []
        self._second, self._prefix = -1, ""

    def add(
        self, at: float, level: str, request_id: str, trace_id: str | None, method: str, route: str, status: int,
        seconds: float, principal: str | None,
    ) -> None:  # fmt: skip
        """Collect the line of one request. ``at``: seconds of the system's clock when it was answered."""
        trace = "" if trace_id is None else f'"trace_id": "{trace_id}", '
        caller = "" if principal is None else f', "principal": "{principal}"'
        self._lines.append(
            f'{{"at": "{self._instant(at)}", "level": "{level}", "service": "{self._service}", "event": "request", '
            f'"request_id": "{request_id}", {trace}"method": "{method}", "route": "{route}", "status": {status}, '
            f'"ms": {seconds * 1000:.2f}{caller}}}\n'
        )
        if len(self._lines) == 1:
            self._write_later()
        elif len(self._lines) >= MAX_LINES:
            self.write()

    def write(self) -> None:
        """Write what was collected."""
        lines, self._lines = self._lines, []
        if lines:
            stream = self._stream or sys.stderr
            stream.write("".join(lines))
            stream.flush()

    def _write_later(self) -> None:
        try:
            asyncio.get_running_loop().call_later(WRITE_SECONDS, self.write)
        except RuntimeError:  # no event loop runs: nothing would write it later
            self.write()

    def _instant(self, at: float) -> str:
        second = int(at)
        if second != self._second:
            self._second = second
            self._prefix = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{self._prefix}.{int((at - second) * 1000):03d}Z"
