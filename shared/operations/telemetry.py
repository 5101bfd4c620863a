"""The outermost middleware of a service: request ids, request logs, metrics, and the answer to unexpected errors."""

import logging
import os
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import Request, Response

from shared.http.context import KEY, RequestContext
from shared.http.problem_responses import respond
from shared.operations.metrics import Metrics
from shared.operations.request_log import AnsweredRequest, RequestLog
from shared.tracing import Request as TracedRequest
from shared.values.problems import Problem

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_REQUEST_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")
_NOSNIFF = (b"x-content-type-options", b"nosniff")
# Other methods are one label, so that callers cannot create labels.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Called every second: no spans, and logged at debug level, as are answered calls of the installation's own services.
_HEALTH_ROUTES = ("/livez", "/readyz", "/metrics")


class Telemetry:
    """Gives each request its id and context, measures and logs it, and answers unexpected errors with a bare 500."""

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
            self.logger.exception("request_failed", extra=fields)
            if not status:
                response = await _unexpected(Request(scope))
                await response(scope, receive, answer)
        finally:
            seconds = time.perf_counter() - started
            route = _route(scope)
            self.metrics.count(method, route, status, seconds)
            is_health = route.endswith(_HEALTH_ROUTES)
            principal = context.principal.kind if context.principal else None
            is_routine = is_health or (principal == "service" and status < 400)
            level = logging.DEBUG if is_routine else logging.INFO
            if self.logger.isEnabledFor(level):
                trace_id = None if is_health else trace.context.trace
                self.requests.add(
                    AnsweredRequest(time.time(), level, request_id, trace_id, method, route, status, seconds, principal)
                )
            trace.end(method, route, status, failure, exported=not is_health)


async def _unexpected(request: Request) -> Response:
    """Return the answer to an unexpected error as the service answers any other, where that is possible."""
    try:
        found = request.app.exception_handlers[Problem](request, Problem())
        return await found  # type: ignore[no-any-return]
    except Exception:  # noqa: BLE001 - the form of the answer may be what failed
        return respond(request, Problem())


def _route(scope: Scope) -> str:
    """Return the template of the route, never the path: an identifier in it could be the reference of a person."""
    return getattr(scope.get("route"), "path", "unknown")
