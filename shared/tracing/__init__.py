"""Distributed tracing: the trace context of requests and background steps.

Every request belongs to a trace, so that the log lines of several services can be joined. Spans are exported only if an
endpoint is set; otherwise OpenTelemetry is not imported. `shared.tracing.export` lists the attributes of spans.
"""

from shared.tracing.spans import (
    Call,
    Request,
    calling,
    cause_of,
    current,
    decided,
    flush_export,
    remember,
    start_export,
    stop_export,
    working,
)
from shared.tracing.trace_context import TraceContext

__all__ = [
    "Call",
    "Request",
    "TraceContext",
    "calling",
    "cause_of",
    "current",
    "decided",
    "flush_export",
    "remember",
    "start_export",
    "stop_export",
    "working",
]
