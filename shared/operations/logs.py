"""Log lines: JSON for programs, one short line for a person at a terminal.

Only fields of an allow-list are written: no bodies, no query strings, nothing of a patient. Messages of other libraries
may contain data, so of those only the logger's name is written.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Literal

from shared.http.context import RequestContext
from shared.persistence.request_scope import current_request
from shared.tracing import decided
from shared.values.wire import write_instant

LogFormat = Literal["auto", "text", "json"]

# Beside time, level, service and event name.
FIELDS = frozenset(
    {
        "request_id", "trace_id", "method", "route", "status", "ms", "principal", "error_class", "failures", "step",
        "seq", "generation", "count", "version", "trials", "port", "pid", "subscription", "delivery", "attempt",
        "next_in_seconds", "source", "code",
    }
)  # fmt: skip
# The fields of a text line, in order.
_TEXT_FIELDS = (
    "method", "route", "status", "ms", "step", "failures", "code", "error_class", "source", "subscription", "delivery",
    "attempt", "next_in_seconds", "seq", "generation", "count", "trials", "version", "port", "pid",
)  # fmt: skip
_BARE = frozenset({"method", "route", "status"})
_MAX_FRAMES = 12


class _Formatter(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def _event(self, record: logging.LogRecord) -> str:
        return str(record.msg) if record.name.startswith(("shared", "services")) else record.name

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        fields = {name: value for name, value in vars(record).items() if name in FIELDS and value is not None}
        if "request_id" not in fields and isinstance(request := current_request(), RequestContext):
            fields["request_id"] = request.request_id
        if "trace_id" not in fields and (trace := decided()):
            fields["trace_id"] = trace.trace
        if record.exc_info and record.exc_info[0]:
            fields["error_class"] = record.exc_info[0].__name__
        return fields


class JsonFormatter(_Formatter):
    """One JSON object a line. Of an exception it has the class and the places, never the message or values."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": write_instant(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "service": self._service,
            "event": self._event(record),
            **self._fields(record),
        }
        if record.exc_info:
            line["frames"] = _frames(record)
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(_Formatter):
    """``16:27:01 warning registry step_failed step=revocations failures=2``: local time, few fields."""

    def format(self, record: logging.LogRecord) -> str:
        fields = self._fields(record)
        shown = [
            str(fields[name]) if name in _BARE else f"{name}={fields[name]}" for name in _TEXT_FIELDS if name in fields
        ]
        if frames := _frames(record):
            shown.append(f"at {frames[-1]}")
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        return " ".join([at, f"{record.levelname.lower():7}", f"{self._service:13}", self._event(record), *shown])


def is_text(log_format: LogFormat) -> bool:
    """Return whether lines are for a person."""
    return log_format == "text" or (log_format == "auto" and sys.stderr.isatty())


def configure_logging(service: str, level: str, log_format: LogFormat = "auto") -> None:
    """Log to standard error; ``auto``: text on a terminal, else JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TextFormatter(service) if is_text(log_format) else JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("shared", "services"):
        logging.getLogger(name).setLevel(level)


def _frames(record: logging.LogRecord) -> list[str]:
    frames = []
    trace = record.exc_info[2] if record.exc_info else None
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rpartition('site-packages/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return frames[-_MAX_FRAMES:]
