"""The spans of requests, of calls to other services and of background steps. Without an export only their ids exist."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, ClassVar, Protocol

from shared.tracing.trace_context import TraceContext

if TYPE_CHECKING:
    from shared.tracing.export import Export, ExportedSpan

# Upper bound of remembered causes: a few megabytes.
REMEMBERED = 10_000


class _Process:
    """The state of this process: its export, if any, and the spans that caused recent events."""

    export: ClassVar["Export | None"] = None
    causes: ClassVar[OrderedDict[str, TraceContext]] = OrderedDict()


class _Active(Protocol):
    """A request or span that has not ended."""

    @property
    def context(self) -> TraceContext: ...

    @property
    def is_decided(self) -> bool: ...


_CURRENT: ContextVar[_Active | None] = ContextVar("cleio_trace", default=None)


def start_export(service: str, endpoint: str) -> None:
    """Export the spans of this process to an OTLP/HTTP collector; ``endpoint`` is its base URL, empty for no export."""
    if endpoint:
        from shared.tracing.export import Export

        _Process.export = Export(service, endpoint)


def flush_export() -> None:
    """Send the queued spans while a stopping service drains its requests."""
    if _Process.export is not None:
        _Process.export.flush()


async def stop_export() -> None:
    """Send the last spans and stop the export; give up after a moment."""
    export, _Process.export = _Process.export, None
    if export is not None:
        await export.close()


def current() -> TraceContext | None:
    """The context of the current request or step."""
    active = _CURRENT.get()
    return active.context if active is not None else None


def decided() -> TraceContext | None:
    """The same as `current`; None for a request whose caller is not known yet."""
    active = _CURRENT.get()
    return active.context if active is not None and active.is_decided else None


def remember(key: str, cause: TraceContext | None = None) -> None:
    """Remember the span that made something (a feed entry, a delivery): ``cause``, or the current span.

    Only in memory: after a restart, or in another replica, the next step is not linked to its cause.
    """
    span = cause or current()
    if span is not None and span.sampled:
        _Process.causes[key] = span
        while len(_Process.causes) > REMEMBERED:
            _Process.causes.popitem(last=False)


def cause_of(key: str) -> TraceContext | None:
    """The span that made it, if it is still remembered."""
    return _Process.causes.get(key)


class Request:
    """The trace of one request. ``is_identified``: whether its caller is known by now, and not anonymous.


    Its parent is decided at the first use, when the caller is known. Only an identified caller continues its own
    trace; any other request begins a new one.
    """

    def __init__(self, is_identified: Callable[[], bool], traceparent: str) -> None:
        self._is_identified = is_identified
        self._given = traceparent
        self._started = time.time_ns()
        self._span: ExportedSpan | None = None
        self._context: TraceContext | None = None
        self._token = _CURRENT.set(self)

    @property
    def context(self) -> TraceContext:
        if self._context is None:
            parent = TraceContext.read(self._given) if self._given and self._is_identified() else None
            export = _Process.export
            self._span = export.begin("server", parent, started=self._started) if export else None
            self._context = self._span.context if self._span else TraceContext.after(parent)
        return self._context

    @property
    def is_decided(self) -> bool:
        return self._context is not None

    def end(self, method: str, route: str, status: int, error: type[BaseException] | None, *, exported: bool) -> None:
        """End the request. ``exported``: make a span for it; a request whose context was used has one anyway."""
        _CURRENT.reset(self._token)
        if exported and _Process.export:
            _ = self.context  # begins the span
        if self._span:
            failed = error.__name__ if error else str(status) if status >= 500 else None
            self._span.name(f"{method} {route}")
            self._span.end(
                failed, {"http.request.method": method, "http.route": route, "http.response.status_code": status}
            )


class Call:
    """A call to another service."""

    def __init__(self, span: "ExportedSpan | None", headers: dict[str, str]) -> None:
        self._span = span
        self.headers = headers
        self.attributes: dict[str, str | int] = {}

    def answered(self, status: int) -> None:
        self.attributes["http.response.status_code"] = status


@contextmanager
def calling(method: str, service: str) -> Iterator[Call]:
    """Trace a call to another service: send ``headers`` with it, which contain only the trace context."""
    parent, export = current(), _Process.export
    if export is None:
        yield Call(None, {"traceparent": parent.write()} if parent else {})
        return
    span = export.begin("client", parent, name=f"{method} {service}")
    call = Call(span, {"traceparent": span.context.write()})
    call.attributes = {"http.request.method": method, "peer.service": service}
    failed: str | None = None
    try:
        yield call
    except BaseException as error:
        failed = type(error).__name__
        raise
    finally:
        status = call.attributes.get("http.response.status_code", 0)
        span.end(failed or (str(status) if isinstance(status, int) and status >= 400 else None), call.attributes)


@contextmanager
def working(name: str, causes: Iterable[TraceContext | None] = ()) -> Iterator[dict[str, str | int]]:
    """Trace a background step, which sets the attributes of its span in the yielded mapping.

    With one cause it continues that trace; with several it begins a new trace that is linked to each.
    """
    attributes: dict[str, str | int] = {}
    export = _Process.export
    if export is None:
        yield attributes
        return
    known = [one for one in dict.fromkeys(causes) if one is not None]
    parent, links = (known[0], []) if len(known) == 1 else (None, known)
    span = export.begin("consumer", parent, name=name, causes=links)
    token = _CURRENT.set(span)
    failed: str | None = None
    try:
        yield attributes
    except BaseException as error:
        failed = type(error).__name__
        raise
    finally:
        _CURRENT.reset(token)
        span.end(failed or (str(attributes["error.type"]) if "error.type" in attributes else None), attributes)
