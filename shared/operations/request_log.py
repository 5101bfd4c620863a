"""One log line for each answered request. Lines are written together, so that a line costs no system call."""

import asyncio
import logging
import sys
from contextvars import Context
from datetime import UTC, datetime
from typing import NamedTuple, TextIO

WRITE_SECONDS = 0.1
MAX_LINES = 500


class AnsweredRequest(NamedTuple):
    """What a line says.

    ``at``: the system's clock (s) at the answer; ``level``: of `logging`; ``route``: the template, never the path.
    """

    at: float
    level: int
    request_id: str
    trace_id: str | None
    method: str
    route: str
    status: int
    seconds: float
    principal: str | None


class RequestLog:
    """Collects the lines of one process, and writes them after a tenth of a second, at 500 lines, and at the end.

    Every value is one of ours (ids of a known form, routes, kinds of principals), so nothing needs escaping.
    """

    def __init__(self, service: str, *, is_text: bool = False, stream: TextIO | None = None) -> None:
        self._service = service
        self._is_text = is_text
        self._stream = stream
        self._lines: list[str] = []
        self._second, self._prefix = -1, ""

    def add(self, request: AnsweredRequest) -> None:
        """Collect the line of one request."""
        self._lines.append(self._text(request) if self._is_text else self._json(request))
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
            # An empty context: the timer must not keep the request, and with it the body, in memory.
            asyncio.get_running_loop().call_later(WRITE_SECONDS, self.write, context=Context())
        except RuntimeError:  # without an event loop nothing would write it later
            self.write()

    def _json(self, one: AnsweredRequest) -> str:
        trace = "" if one.trace_id is None else f'"trace_id": "{one.trace_id}", '
        caller = "" if one.principal is None else f', "principal": "{one.principal}"'
        level = "debug" if one.level == logging.DEBUG else "info"
        return (
            f'{{"at": "{self._instant(one.at)}", "level": "{level}", "service": "{self._service}", "event": "request", '
            f'"request_id": "{one.request_id}", {trace}"method": "{one.method}", "route": "{one.route}", '
            f'"status": {one.status}, "ms": {one.seconds * 1000:.2f}{caller}}}\n'
        )

    def _text(self, one: AnsweredRequest) -> str:
        at = datetime.fromtimestamp(one.at).astimezone().strftime("%H:%M:%S")
        level = "debug" if one.level == logging.DEBUG else "info"
        return (
            f"{at} {level:7} {self._service:13} request {one.method} {one.route} {one.status} "
            f"ms={one.seconds * 1000:.2f}\n"
        )

    def _instant(self, at: float) -> str:
        second = int(at)
        if second != self._second:
            self._second = second
            self._prefix = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{self._prefix}.{int((at - second) * 1000):03d}Z"
