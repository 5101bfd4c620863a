"""Logs, metrics and request ids. Only fields of an allow-list are ever written: no bodies, no query strings, nothing of a patient."""

import asyncio
import json
import logging
import os
import platform
import re
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from fastapi import Request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest

from shared.http.context import KEY, RequestContext
from shared.http.problem_responses import respond
from shared.operations.request_log import RequestLog
from shared.persistence.request_scope import current_request
from shared.tracing import Request as TracedRequest
from shared.tracing import decided
from shared.values.problems import Problem
from shared.values.wire import write_instant

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# What a log line may hold beside its time, level, service and event name.
FIELDS = frozenset(
    {
        "request_id", "trace_id", "method", "route", "status", "ms", "principal", "error_class", "failures", "step", "seq", "generation",
        "count", "version", "trials", "port", "pid", "subscription", "delivery", "attempt", "next_in_seconds", "source", "code",
    }
)  # fmt: skip
_REQUEST_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")
_NOSNIFF = (b"x-content-type-options", b"nosniff")
# Anything else is one word, whatever the server lets through.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
LOOP_SECONDS = 0.5
_OFTEN_ASKED = ("/livez", "/readyz", "/metrics")


class _JsonLines(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": write_instant(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "service": self.service,
            # A message of another library may quote data: only our own, constant, event names are written.
            "event": record.msg if record.name.startswith(("shared", "services")) else record.name,
        }
        line.update({name: value for name, value in vars(record).items() if name in FIELDS and value is not None})
        if "request_id" not in line and isinstance(request := current_request(), RequestContext):
            line["request_id"] = request.request_id
        if "trace_id" not in line and (place := decided()):
            line["trace_id"] = place.trace
        if record.exc_info and record.exc_info[0]:
            # The class and the places, never the message nor the values.
            line["error_class"] = record.exc_info[0].__name__
            line["frames"] = _frames(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False, default=str)


def _frames(trace: Any) -> list[str]:
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rpartition('site-packages/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return frames[-12:]


def configure_logging(service: str, level: str) -> None:
    """One JSON line per event on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("shared", "services"):
        logging.getLogger(name).setLevel(level)


class Metrics:
    """One service's Prometheus metrics."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._told: set[Gauge] = set()
        # Looking a metric up by its labels costs more than counting.
        self._counted: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        labels = ("method", "route", "status")
        self.requests = Counter("cleio_requests", "Requests answered.", labels, registry=self.registry)
        self.seconds = Histogram(
            "cleio_request_seconds", "Time to answer.", ("method", "route"), registry=self.registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )  # fmt: skip
        self.snapshot_age = self._gauge(
            "cleio_snapshot_age_seconds", "Time since the snapshot was known to be current."
        )
        self.snapshot_trials = self._gauge("cleio_snapshot_trials", "Trials in the snapshot.")
        self.snapshot_unwritten = self._gauge(
            "cleio_snapshot_unwritten_seconds", "How long the disk has not taken the snapshot; 0 where it does."
        )
        self.queue_depth = self._gauge(
            "cleio_queue_depth", "Deliveries that wait for active subscriptions, counted up to 10,000."
        )
        self.oldest_unsent = self._gauge(
            "cleio_oldest_unsent_seconds", "How long the oldest delivery that is due has waited; 0 where none is."
        )
        self.feed_position = self._gauge("cleio_feed_position", "Number of the newest entry of the service's own feed.")
        self.feed_read = Gauge(
            "cleio_feed_read_seconds", "Time since a consumed feed last answered.", ("feed",), registry=self.registry
        )
        self.lag = Gauge(
            "cleio_feed_lag_seconds",
            "Age of the newest entry of a consumed feed when it was applied.",
            ("feed",),
            registry=self.registry,
        )
        self.loop_delay = Histogram(
            "cleio_event_loop_delay_seconds", "How much later than asked the event loop came back.", registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
        )  # fmt: skip
        build = Info("cleio_build", "The program that runs.", registry=self.registry)
        build.info({"version": version("cleio"), "python": platform.python_version()})
        ProcessCollector(registry=self.registry)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        """Of the service that has such a thing; absent from the others, where 0 would be a lie."""
        return Gauge(name, meaning, registry=None)

    def tell(self, gauge: Gauge, value: float) -> None:
        """Set a gauge, and from now on expose it."""
        gauge.set(value)
        if gauge not in self._told:
            self._told.add(gauge)
            self.registry.register(gauge)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request, and how long it took."""
        found = self._counted.get((method, route, status))
        if found is None:
            counter, histogram = self.requests.labels(method, route, str(status)), self.seconds.labels(method, route)
            found = self._counted[method, route, status] = counter, histogram
        found[0].inc()
        found[1].observe(seconds)

    def exposition(self) -> bytes:
        return generate_latest(self.registry)

    async def watch_loop(self) -> None:
        """Measure once, over half a second, how late the event loop runs a callback that is due."""
        due = time.perf_counter() + LOOP_SECONDS
        await asyncio.sleep(LOOP_SECONDS)
        self.loop_delay.observe(max(0.0, time.perf_counter() - due))


class Telemetry:
    """Outermost middleware: gives each request an id, times it, logs one line, and turns an unexpected exception into a bare 500."""

    def __init__(
        self, app: Callable[[Scope, Receive, Send], Awaitable[None]], metrics: Metrics, requests: RequestLog
    ) -> None:
        self.app = app
        self.metrics = metrics
        self.requests = requests
        self.logger = logging.getLogger("shared.requests")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = traceparent = b""
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                given = value
            elif name == b"traceparent":
                traceparent = value
        request_id = given.decode("latin-1") if _REQUEST_ID.fullmatch(given) else os.urandom(16).hex()
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        trace = TracedRequest(lambda: context.is_identified, traceparent.decode("latin-1"))
        context = scope[KEY] = RequestContext(request_id=request_id, trace=trace)
        own_headers = ((b"x-request-id", request_id.encode()), _NOSNIFF)
        status = 0
        failure: type[BaseException] | None = None
        started = time.perf_counter()

        async def answer(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *own_headers]
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except Exception as error:
            failure = type(error)
            fields = {
                "request_id": request_id,
                "trace_id": trace.context.trace,
                "method": method,
                "route": _route(scope),
            }
            self.logger.exception("request_broken", extra=fields)
            if not status:
                await respond(Request(scope), Problem())(scope, receive, answer)
        finally:
            seconds = time.perf_counter() - started
            route = _route(scope)
            self.metrics.count(method, route, status, seconds)
            # Health is asked every second: it has no span, and its line is only for debugging.
            is_health = route.endswith(_OFTEN_ASKED)
            level = logging.DEBUG if is_health and status < 500 else logging.INFO
            if self.logger.isEnabledFor(level):
                self.requests.add(
                    time.time(),
                    "debug" if level == logging.DEBUG else "info",
                    request_id,
                    None if is_health else trace.context.trace,
                    method,
                    route,
                    status,
                    seconds,
                    context.principal.kind if context.principal else None,
                )
            trace.end(method, route, status, failure, exported=not is_health)


def _route(scope: Scope) -> str:
    """The route's template, never the path itself: an identifier in a path may be a reference to a person."""
    return getattr(scope.get("route"), "path", "unknown")
