"""The outermost middleware of a service: request ids, request logs, metrics, and the answer to unexpected errors."""

import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import Request

from shared.http.context import KEY, RequestContext
from shared.http.problem_responses import respond
from shared.operations.metrics import Metrics
from shared.tracing import Request as TracedRequest
from shared.values.problems import Problem

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
# Other methods are one label, so that callers cannot create labels.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Called every second: no spans, and logged at debug level.
_HEALTH_ROUTES = ("/livez", "/readyz", "/metrics")


class Telemetry:
    """Gives each request its id and context, measures and logs it, and answers unexpected errors with a bare 500."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics
        self.logger = logging.getLogger("shared.requests")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        trace = TracedRequest(lambda: context.is_identified, headers.get(b"traceparent", b"").decode("latin-1"))
        context = scope[KEY] = RequestContext(request_id=request_id, trace=trace)
        status = 0
        failure: type[BaseException] | None = None
        started = time.perf_counter()

        async def answer(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except Exception as error:
            failure = type(error)
            fields = {"request_id": request_id, "trace_id": trace.place.trace, "method": method, "route": _route(scope)}
            self.logger.exception("request_failed", extra=fields)
            if not status:
                await respond(Request(scope), Problem())(scope, receive, answer)
        finally:
            seconds = time.perf_counter() - started
            route = _route(scope)
            self.metrics.requests.labels(method, route, str(status)).inc()
            self.metrics.seconds.labels(method, route).observe(seconds)
            is_health = route.endswith(_HEALTH_ROUTES)
            self.logger.log(
                logging.DEBUG if is_health else logging.INFO,
                "request",
                extra={
                    "request_id": request_id,
                    "trace_id": None if is_health else trace.place.trace,
                    "method": method,
                    "route": route,
                    "status": status,
                    "ms": round(seconds * 1000, 2),
                    "principal": context.principal.kind if context.principal else None,
                },
            )
            trace.end(method, route, status, failure, told=not is_health)


def _route(scope: Scope) -> str:
    """Return the template of the route, never the path: an identifier in it could be the reference of a person."""
    return getattr(scope.get("route"), "path", "unknown")
