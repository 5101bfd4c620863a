"""The spans of this process: of requests, of calls to siblings and of background steps. Without an export they are places and nothing else."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from shared.tracing.trace_context import TraceContext

if TYPE_CHECKING:
    from shared.tracing.export import Export, ExportedSpan

# So many causes are remembered at once, a few megabytes at most.
REMEMBERED = 10_000


class _Process:
    """One service runs in a process: its export, if there is one, and what its recent spans have caused."""

    export: "Export | None" = None
    causes: "OrderedDict[str, TraceContext]" = OrderedDict()


class _Standing(Protocol):
    """Something under way that has a place."""

    @property
    def place(self) -> TraceContext: ...

    @property
    def is_settled(self) -> bool: ...


_CURRENT: ContextVar[_Standing | None] = ContextVar("cleio_trace", default=None)


def start_export(service: str, endpoint: str) -> None:
    """Export this process's spans to an OTLP/HTTP collector; ``endpoint`` is its base URL. Nothing happens where it is empty."""
    if endpoint:
        from shared.tracing.export import Export

        _Process.export = Export(service, endpoint)


def flush_export() -> None:
    """A stop begins: what waits is sent while the rest is drained."""
    if _Process.export is not None:
        _Process.export.flush()


async def stop_export() -> None:
    """The end of a stop: the last spans are sent, or given up after a moment."""
    export, _Process.export = _Process.export, None
    if export is not None:
        await export.close()


def current() -> TraceContext | None:
    """Where what is under way stands."""
    under_way = _CURRENT.get()
    return under_way.place if under_way is not None else None


def settled() -> TraceContext | None:
    """The same, without deciding it for a request whose caller is not known yet."""
    under_way = _CURRENT.get()
    return under_way.place if under_way is not None and under_way.is_settled else None


def remember(key: str, cause: TraceContext | None = None) -> None:
    """Keep for a while what made something (an entry of the feed, a delivery): the current span unless another is named.

    It is kept in memory only: after a restart, and in another replica, the step that goes on is no longer linked to its cause.
    """
    made_by = cause or current()
    if made_by is not None and made_by.sampled:
        _Process.causes[key] = made_by
        while len(_Process.causes) > REMEMBERED:
            _Process.causes.popitem(last=False)


def cause_of(key: str) -> TraceContext | None:
    """What made it, where that is still known."""
    return _Process.causes.get(key)


class Request:
    """A request under way. ``is_identified``: whether its caller is known by now, and not anonymous.

    Whose trace it goes on with is decided when that is first asked: by then the policy knows the caller, or has refused it. A caller without a name
    begins a new trace, whatever it sent.
    """

    def __init__(self, is_identified: Callable[[], bool], traceparent: str) -> None:
        self._is_identified = is_identified
        self._given = traceparent
        self._started = time.time_ns()
        self._token = _CURRENT.set(self)

    @cached_property
    def _parent(self) -> TraceContext | None:
        return TraceContext.read(self._given) if self._is_identified() else None

    @cached_property
    def _span(self) -> "ExportedSpan | None":
        export = _Process.export
        return export.begin("server", self._parent, started=self._started) if export else None

    @cached_property
    def place(self) -> TraceContext:
        return self._span.place if self._span else TraceContext.after(self._parent)

    @property
    def is_settled(self) -> bool:
        return "place" in self.__dict__

    def end(self, method: str, route: str, status: int, error: type[BaseException] | None, *, told: bool) -> None:
        """``told`` is whether the request is worth a span; what has asked for its place has one anyway."""
        _CURRENT.reset(self._token)
        if (told or self.is_settled) and self._span:
            failed = error.__name__ if error else str(status) if status >= 500 else None
            self._span.name(f"{method} {route}")
            self._span.end(
                failed, {"http.request.method": method, "http.route": route, "http.response.status_code": status}
            )


class Call:
    """A call to a sibling under way."""

    def __init__(self, span: "ExportedSpan | None", headers: dict[str, str]) -> None:
        self._span = span
        self.headers = headers
        self.attributes: dict[str, str | int] = {}

    def answered(self, status: int) -> None:
        self.attributes["http.response.status_code"] = status


@contextmanager
def calling(method: str, sibling: str) -> Iterator[Call]:
    """A call to another service of ours: its ``headers`` carry the trace on, and nothing else."""
    parent, export = current(), _Process.export
    if export is None:
        yield Call(None, {"traceparent": parent.write()} if parent else {})
        return
    span = export.begin("client", parent, name=f"{method} {sibling}")
    call = Call(span, {"traceparent": span.place.write()})
    call.attributes = {"http.request.method": method, "peer.service": sibling}
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
    """A background step: it goes on with the trace of the one thing that caused it; with several causes it is a trace of its own, linked to each.

    What the step puts into the mapping are the span's attributes.
    """
    told: dict[str, str | int] = {}
    export = _Process.export
    if export is None:
        yield told
        return
    known = [one for one in dict.fromkeys(causes) if one is not None]
    parent, links = (known[0], []) if len(known) == 1 else (None, known)
    span = export.begin("consumer", parent, name=name, causes=links)
    token = _CURRENT.set(span)
    failed: str | None = None
    try:
        yield told
    except BaseException as error:
        failed = type(error).__name__
        raise
    finally:
        _CURRENT.reset(token)
        span.end(failed or (str(told["error.type"]) if "error.type" in told else None), told)
