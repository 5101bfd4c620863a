"""An OpenTelemetry collector for tests: an OTLP/HTTP receiver on loopback that stores every body and span."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

KINDS = {Span.SPAN_KIND_SERVER: "server", Span.SPAN_KIND_CLIENT: "client", Span.SPAN_KIND_CONSUMER: "consumer"}


@dataclass(frozen=True)
class Received:
    """One received span."""

    service: str
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    links: tuple[tuple[str, str], ...]
    attributes: dict[str, Any]
    failed: bool
    events: int


class Collector:
    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.resources: list[dict[str, Any]] = []
        self._spans: list[Received] = []
        self._lock = threading.Lock()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                known = self.path == "/v1/traces"
                if known:
                    collector._take(body)
                self.send_response(200 if known else 404)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def _take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        spans = []
        for group in request.resource_spans:
            resource = {one.key: _value(one.value) for one in group.resource.attributes}
            self.resources.append(resource)
            spans += [_read(resource["service.name"], span) for scope in group.scope_spans for span in scope.spans]
        with self._lock:
            self.bodies.append(body)
            self._spans += spans

    def spans(self, name: str | None = None, **wanted: str) -> list[Received]:
        """Return the received spans of this name whose fields have these values."""
        with self._lock:
            return [
                span
                for span in self._spans
                if name in {None, span.name} and all(getattr(span, field) == value for field, value in wanted.items())
            ]


@contextmanager
def running_collector() -> Iterator[Collector]:
    collector = Collector()
    try:
        yield collector
    finally:
        collector.server.shutdown()
        collector.server.server_close()


def _read(service: str, span: Span) -> Received:
    return Received(
        service.removeprefix("cleio-"),
        span.name,
        KINDS.get(span.kind, "other"),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
        {one.key: _value(one.value) for one in span.attributes},
        span.status.code == Status.STATUS_CODE_ERROR,
        len(span.events),
    )


def _value(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value"))
