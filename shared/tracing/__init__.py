"""Traces across the services: where a request or a background step stands in one, and what carries it on.

Every request stands in a trace, so that the log lines of several services can be joined. Spans are exported only where an endpoint is set: without
one nothing of the SDK is loaded. What a span may tell is `shared.tracing.export`'s list.
"""

from shared.tracing.spans import (
    Call,
    Request,
    calling,
    cause_of,
    current,
    flush_export,
    remember,
    settled,
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
    "flush_export",
    "remember",
    "settled",
    "start_export",
    "stop_export",
    "working",
]
