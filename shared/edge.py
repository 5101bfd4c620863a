"""The strict edge: every route of every service is an `EdgeRoute`, which checks a request before any model or handler sees it."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.types import Message, Receive, Scope, Send

from shared.audit.acts import CURRENT, Act, Auditor
from shared.database.wall import VIEWER
from shared.policy import policy_of
from shared.problems import Fault, InvalidParameterError, NotAcceptableError, TimedOutError, TooLargeError, UnsupportedMediaTypeError, UriTooLongError
from shared.strict_json import ORDINARY, Limits, loads
from shared.views import view_of
from shared.wire import Label

logger = logging.getLogger(__name__)

MAX_URI = 8 * 1024
HANDLER_SECONDS = 10.0
JSON_TYPES = ("application/json",)


def accepts(
    *media_types: str, body_bytes: int = 1024 * 1024, limits: Limits = ORDINARY, seconds: float | None = HANDLER_SECONDS
) -> Callable[..., Any]:
    """Say what a handler takes: media types, bytes, shape of the JSON and time. Put under the route's own decorator."""

    def mark(handler: Callable[..., Any]) -> Callable[..., Any]:
        handler.__dict__["cleio_edge"] = (media_types or JSON_TYPES, body_bytes, limits, seconds)
        return handler

    return mark


class StrictRequest(Request):
    """A request whose JSON is read strictly and whose body is counted while it arrives."""

    def __init__(self, request: Request, body_bytes: int, limits: Limits) -> None:
        super().__init__(request.scope, request.receive)
        self._body_bytes = body_bytes
        self._limits = limits

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            if int(self.headers.get("content-length", "0")) > self._body_bytes:
                raise TooLargeError
            chunks, size = [], 0
            async for chunk in self.stream():
                size += len(chunk)
                if size > self._body_bytes:
                    raise TooLargeError
                chunks.append(chunk)
            self._body = b"".join(chunks)
        return self._body

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = loads(await self.body(), self._limits)
        return self._json


class EdgeRoute(APIRoute):
    """One route behind the strict edge."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The transaction of a handler is committed after it has returned, and takes the record of the act with it: the act lasts until here.
        outside = CURRENT.set(None)
        # Whatever the request does in a database, it does as its caller: as nobody until the policy has asked who that is.
        unseen = VIEWER.set(lambda: view_of(scope.get("cleio_caller")))
        auditor: Auditor | None = getattr(scope["app"].state, "audit", None)

        async def recorded(message: Message) -> None:
            act = scope.get("cleio_act")
            if message["type"] == "http.response.start" and act is not None and auditor is not None:
                # Before the answer leaves, and after its transaction has ended: what cannot be recorded is not told.
                await _record(act, auditor, message["status"])
            await send(message)

        try:
            await super().handle(scope, receive, recorded)
        finally:
            VIEWER.reset(unseen)
            CURRENT.reset(outside)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        # The policy is asked first, wherever the handler names it: who is refused takes no connection and no writer's place.
        self.dependant.dependencies.sort(key=lambda one: "cleio_policy" not in getattr(one.call, "__dict__", {}))
        handle = super().get_route_handler()
        media_types, body_bytes, limits, seconds = getattr(self.endpoint, "cleio_edge", (JSON_TYPES, 1024 * 1024, ORDINARY, HANDLER_SECONDS))
        known = set(_query_names(self.dependant))
        guarded = policy_of(self.dependant)
        declared = self.status_code or 200
        produces = getattr(self.endpoint, "cleio_produces", ("application/json",))

        async def strict(request: Request) -> Response:
            if len(request.scope.get("raw_path", b"")) + len(request.scope["query_string"]) > MAX_URI:
                raise UriTooLongError
            _check_query(request, known)
            _check_accept(request, produces)
            if request.method in {"POST", "PUT", "PATCH"}:
                _check_media_type(request, media_types)
            if guarded is not None:
                request.scope["cleio_act"] = act = Act(request, *guarded, declared)
                CURRENT.set(act)
            try:
                async with asyncio.timeout(seconds):
                    return await handle(StrictRequest(request, body_bytes, limits))
            except TimeoutError:
                raise TimedOutError from None

        return strict


async def _record(act: Act, auditor: Auditor, status: int) -> None:
    """Record what the policy says is to be recorded. A write has recorded itself in its transaction (`shared.audit.recording`)."""
    if act.is_denial(status):
        entry = act.entry("denied", status)
        if act.caller is None or act.caller.kind == "public":
            auditor.note(entry)
            return
        try:
            await auditor.record(entry)
        except Exception:
            # The door stays shut, recorded or not.
            logger.exception("denial_not_recorded")
    elif status < 400 and act.is_read_of_what_is_not_public():
        await auditor.record(act.entry("read", status))


def _query_names(dependant: Dependant) -> Iterator[str]:
    yield from (parameter.alias for parameter in dependant.query_params)
    for one in dependant.dependencies:
        yield from _query_names(one)


def produces(*media_types: str) -> Callable[..., Any]:
    """Say what a handler answers, where it is not plain JSON."""

    def mark(handler: Callable[..., Any]) -> Callable[..., Any]:
        handler.__dict__["cleio_produces"] = media_types
        return handler

    return mark


def _check_query(request: Request, known: set[str]) -> None:
    names = [name for name, _ in request.query_params.multi_items()]
    found = []
    for name in dict.fromkeys(names):
        if name not in known:
            # The unknown name itself is not repeated: it could be data.
            found.append(Fault(pointer="/query", code="unknown_parameter", detail=Label(fr="paramètre inconnu", en="unknown parameter")))
        elif names.count(name) > 1:
            found.append(Fault(pointer=f"/query/{name}", code="repeated_parameter", detail=Label(fr="paramètre répété", en="repeated parameter")))
        elif "\x00" in "".join(request.query_params.getlist(name)):
            found.append(_nul(f"/query/{name}"))
    # PostgreSQL knows no NUL: it is refused before any database sees it.
    found += [_nul(f"/path/{name}") for name, value in request.path_params.items() if "\x00" in value]
    if found:
        raise InvalidParameterError(errors=found[:10])


def _nul(pointer: str) -> Fault:
    return Fault(pointer=pointer, code="control_character", detail=Label(fr="caractère nul interdit", en="NUL is not allowed"))


def _check_accept(request: Request, offered: tuple[str, ...]) -> None:
    accept = request.headers.get("accept") or "*/*"
    ranges = [part.partition(";")[0].strip().lower() for part in accept.split(",") if "q=0" not in part.replace(" ", "").split(";")]
    for one in ranges:
        kind, _, _subtype = one.partition("/")
        if one in {"*/*", ""} or one in offered or (one.endswith("/*") and any(media.startswith(kind + "/") for media in offered)):
            return
    raise NotAcceptableError


def _check_media_type(request: Request, media_types: tuple[str, ...]) -> None:
    given, _, parameters = request.headers.get("content-type", "").partition(";")
    if given.strip().lower() not in media_types:
        if not given and request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers:
            return
        raise UnsupportedMediaTypeError
    charset = parameters.lower().replace(" ", "").replace('"', "")
    if charset.startswith("charset=") and charset != "charset=utf-8":
        raise UnsupportedMediaTypeError
