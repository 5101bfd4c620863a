"""Exports spans with an OpenTelemetry provider that no other library can use, and lists the allowed attributes.

Never exported: paths, query strings, headers, bodies, SQL, messages of exceptions, stack traces. Imported only if an
endpoint is set.
"""

import asyncio
import logging
import threading
import uuid
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Literal

import requests
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from shared.tracing.trace_context import TraceContext

# Names, numbers and templates from our own code. Other attributes are dropped.
ATTRIBUTES = frozenset(
    {
        "http.request.method",
        "http.route",
        "http.response.status_code",
        "peer.service",
        "error.type",
        "messaging.batch.message_count",
        "cleio.attempt",
    }
)
MAX_TEXT = 100
FLUSH_SECONDS = 0.2  # for the last spans at a stop: the drain of requests leaves no more time
EXPORT_SECONDS = 5.0  # for one batch with its retries, in another thread
MAX_LINKS = 100

_KINDS = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT, "consumer": SpanKind.CONSUMER}


class ExportedSpan:
    """A span that has not ended."""

    is_decided = True

    def __init__(self, span: Span) -> None:
        self._span = span
        given = span.get_span_context()
        self.context = TraceContext(f"{given.trace_id:032x}", f"{given.span_id:016x}", given.trace_flags.sampled)

    def name(self, name: str) -> None:
        self._span.update_name(name[:MAX_TEXT])

    def end(self, error: str | None, attributes: Mapping[str, str | int]) -> None:
        """End the span. ``error``: the class or code of the failure."""
        given = attributes if error is None else {**attributes, "error.type": error}
        for name, value in given.items():
            if name in ATTRIBUTES:
                self._span.set_attribute(name, value[:MAX_TEXT] if isinstance(value, str) else value)
        if error is not None:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class Export:
    """Sends spans to a collector in batches from a thread; a bounded queue drops the oldest if the collector is slow.

    Sampling, batching and the collector's headers and certificates are set by the standard variables
    (`OTEL_TRACES_SAMPLER`, `OTEL_BSP_…`, `OTEL_EXPORTER_OTLP_HEADERS`, …), which the SDK reads itself.
    """

    def __init__(self, service: str, endpoint: str) -> None:
        # Log a failing collector once a batch, not once a retry.
        logging.getLogger("opentelemetry").setLevel(logging.ERROR)
        session = requests.Session()
        session.trust_env = False  # no proxies, no .netrc
        self._exporter: SpanExporter = OTLPSpanExporter(
            f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_SECONDS, session=session
        )
        # Set here: the SDK's detectors would add the host, the process and its command line.
        resource = {
            "service.namespace": "cleio",
            "service.name": f"cleio-{service}",
            "service.version": version("cleio"),
        }
        self._provider = TracerProvider(
            resource=Resource({**resource, "service.instance.id": uuid.uuid4().hex}), shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("cleio")

    def begin(
        self,
        kind: Literal["server", "client", "consumer"],
        parent: TraceContext | None,
        *,
        name: str = "request",
        causes: Sequence[TraceContext] = (),
        started: int | None = None,
    ) -> ExportedSpan:
        """Begin a span, now or at ``started`` (nanoseconds since 1970)."""
        return ExportedSpan(
            self._tracer.start_span(
                name[:MAX_TEXT],
                context=set_span_in_context(NonRecordingSpan(_context(parent)), Context()) if parent else Context(),
                kind=_KINDS[kind],
                links=[Link(_context(one)) for one in causes[:MAX_LINKS]],
                start_time=started,
                record_exception=False,
                set_status_on_exception=False,
            )
        )

    def flush(self) -> None:
        """Send the queued spans in the background."""
        threading.Thread(target=self._provider.force_flush, daemon=True).start()

    async def close(self) -> None:
        """Send the queued spans, for at most a moment."""
        flushing = threading.Thread(target=self._provider.shutdown, daemon=True)
        flushing.start()
        await asyncio.to_thread(flushing.join, FLUSH_SECONDS)
        if flushing.is_alive():
            self._exporter.shutdown()


def _context(context: TraceContext) -> SpanContext:
    return SpanContext(
        int(context.trace, 16),
        int(context.span, 16),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED if context.sampled else 0),
    )
