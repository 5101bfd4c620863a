"""The one door for spans: an OpenTelemetry provider of our own, which no other library can write to, and the list of what a span may tell.

Never here: paths, query strings, headers, bodies, statements, messages of exceptions and stack traces. Loaded only where an endpoint is set.
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

# Names, numbers and templates of our own making. An attribute that is not here is dropped.
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
LONGEST = 100
FLUSH_SECONDS = 0.2  # what the end of a stop grants to the last spans: the drain leaves no more
EXPORT_SECONDS = 5.0  # for one batch with its retries; it is another thread's time
MOST_LINKS = 100

_KINDS = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT, "consumer": SpanKind.CONSUMER}


class ExportedSpan:
    """One span under way."""

    is_settled = True

    def __init__(self, span: Span) -> None:
        self._span = span
        context = span.get_span_context()
        self.place = TraceContext(f"{context.trace_id:032x}", f"{context.span_id:016x}", context.trace_flags.sampled)

    def name(self, name: str) -> None:
        self._span.update_name(name[:LONGEST])

    def end(self, error: str | None, attributes: Mapping[str, str | int]) -> None:
        """``error``: the class or the code of what went wrong."""
        given = attributes if error is None else {**attributes, "error.type": error}
        for name, value in given.items():
            if name in ATTRIBUTES:
                self._span.set_attribute(name, value[:LONGEST] if isinstance(value, str) else value)
        if error is not None:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class Export:
    """Spans to a collector, in batches and in a thread of their own: a queue of bounded length, from which the oldest fall when nobody takes them.

    Sampling, batching and what the collector asks for (headers, certificates) are set by the standard variables (`OTEL_TRACES_SAMPLER`,
    `OTEL_BSP_…`, `OTEL_EXPORTER_OTLP_HEADERS`, …), which the SDK reads itself.
    """

    def __init__(self, service: str, endpoint: str) -> None:
        # A failing collector is one line a batch, not one a try.
        logging.getLogger("opentelemetry").setLevel(logging.ERROR)
        session = requests.Session()
        session.trust_env = False  # as every call between programs of ours: no proxies, no .netrc
        self._exporter: SpanExporter = OTLPSpanExporter(
            f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_SECONDS, session=session
        )
        # Built by hand: the SDK's own detectors would tell the host, the process and its command line.
        told = {"service.namespace": "cleio", "service.name": f"cleio-{service}", "service.version": version("cleio")}
        self._provider = TracerProvider(
            resource=Resource({**told, "service.instance.id": uuid.uuid4().hex}), shutdown_on_exit=False
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
        """A span from now, or from ``started`` (nanoseconds since 1970) on."""
        return ExportedSpan(
            self._tracer.start_span(
                name[:LONGEST],
                context=set_span_in_context(NonRecordingSpan(_context(parent)), Context()) if parent else Context(),
                kind=_KINDS[kind],
                links=[Link(_context(one)) for one in causes[:MOST_LINKS]],
                start_time=started,
                record_exception=False,
                set_status_on_exception=False,
            )
        )

    def flush(self) -> None:
        """Send what waits now; nobody waits for it."""
        threading.Thread(target=self._provider.force_flush, daemon=True).start()

    async def close(self) -> None:
        """What waits is sent, unless the collector lets it wait: the program does not."""
        flushing = threading.Thread(target=self._provider.shutdown, daemon=True)
        flushing.start()
        await asyncio.to_thread(flushing.join, FLUSH_SECONDS)
        if flushing.is_alive():
            self._exporter.shutdown()


def _context(place: TraceContext) -> SpanContext:
    return SpanContext(
        int(place.trace, 16),
        int(place.span, 16),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED if place.sampled else 0),
    )
