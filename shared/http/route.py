"""The strict edge: every route of every service is an `ApiRoute`, which checks a request before any model or handler sees it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from shared.access.policy import Access, Action, guard_of, policy_of
from shared.access.views import view_of
from shared.audit.acts import CURRENT, Act, Auditor
from shared.http.limits import ConcurrencyLimiter, Quotas
from shared.http.limits.concurrency import Permit
from shared.http.limits.quotas import kind_of
from shared.idempotency.keys import Attempt, IdempotencyKeys
from shared.idempotency.marks import Keyed, keyed
from shared.persistence.engine import STATEMENT_SECONDS
from shared.persistence.inline_sqlite import STATEMENT_LIMIT
from shared.persistence.rls_sessions import RLS_CONTEXT
from shared.values.problems import (
    BodyTimedOutError,
    Fault,
    HeadersTooLargeError,
    InvalidParameterError,
    MalformedJsonError,
    NotAcceptableError,
    Problem,
    TimedOutError,
    TooLargeError,
    UnsupportedMediaTypeError,
    UriTooLongError,
    respond,
)
from shared.values.strict_json import ORDINARY, Limits, loads
from shared.values.wire import Label

logger = logging.getLogger(__name__)
T = TypeVar("T")

MAX_URI = 8 * 1024
MAX_HEADERS = 16 * 1024
MAX_BODY = 1024 * 1024
BODY_SECONDS = 15.0
HANDLER_SECONDS = 10.0
JSON_TYPES = ("application/json",)
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a handler takes. ``seconds`` None: a stream or a long poll, which has no end of its own; ``body_seconds`` is for the body to arrive,
    and between two of its parts no more than `BODY_SECONDS` pass.
    """

    media_types: tuple[str, ...] = JSON_TYPES
    body_bytes: int = MAX_BODY
    limits: Limits = ORDINARY
    seconds: float | None = HANDLER_SECONDS
    body_seconds: float = BODY_SECONDS


def accepts(
    *media_types: str,
    body_bytes: int = MAX_BODY,
    limits: Limits = ORDINARY,
    seconds: float | None = HANDLER_SECONDS,
    body_seconds: float = BODY_SECONDS,
) -> Callable[..., Any]:
    """Say what a handler takes: media types, bytes, shape of the JSON and time. Put under the route's own decorator."""

    def mark(handler: Callable[..., Any]) -> Callable[..., Any]:
        handler.__dict__["cleio_edge"] = Accepted(media_types or JSON_TYPES, body_bytes, limits, seconds, body_seconds)
        return handler

    return mark


def accepted(endpoint: Callable[..., Any]) -> Accepted:
    """What an endpoint said with `accepts`."""
    said: Accepted = vars(endpoint).get("cleio_edge", Accepted())
    return said


def produced(endpoint: Callable[..., Any]) -> tuple[str, ...]:
    """What an endpoint said with `produces`."""
    said: tuple[str, ...] = vars(endpoint).get("cleio_produces", JSON_TYPES)
    return said


class StrictRequest(Request):
    """A request whose JSON is read strictly and whose body is counted while it arrives."""

    def __init__(self, request: Request, body_bytes: int, limits: Limits) -> None:
        super().__init__(request.scope, request.receive)
        self._body_bytes = body_bytes
        self._limits = limits

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            declared = self.headers.get("content-length", "0")
            if not declared.isdecimal() or int(declared[:20]) > self._body_bytes:
                raise TooLargeError
            try:
                self._body = b"".join([chunk async for chunk in self._counted()])
            except ClientDisconnect:
                raise MalformedJsonError from None  # for nobody: who was sending has left
        return self._body

    async def _counted(self) -> AsyncIterator[bytes]:
        size, chunks = 0, aiter(self.stream())
        while True:
            async with asyncio.timeout(BODY_SECONDS):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            size += len(chunk)
            if size > self._body_bytes:
                raise TooLargeError
            yield chunk

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = loads(await self.body(), self._limits)
        return self._json


class ApiRoute(APIRoute):
    """One route behind the strict edge."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The transaction of a handler is committed after it has returned, and takes the record of the act with it: the act lasts until here.
        outside, unlimited = CURRENT.set(None), STATEMENT_LIMIT.set(STATEMENT_SECONDS)
        # Whatever the request does in a database, it does as its caller: as nobody until the policy has asked who that is.
        unseen = RLS_CONTEXT.set(lambda: view_of(scope.get("cleio_caller")))
        untold = False

        async def recorded(message: Message) -> None:
            nonlocal untold
            if message["type"] == "http.response.start" and not untold:
                try:
                    await _end_act(scope, message["status"])
                except Problem as problem:
                    untold = True
                    await respond(Request(scope), problem)(scope, receive, send)
                message["headers"] = [*message.get("headers", ()), *scope.get("cleio_quota", ())]
            if not untold:
                await send(message)

        try:
            await super().handle(scope, receive, recorded)
        finally:
            await _settle(scope, 500)
            _leave(scope)
            RLS_CONTEXT.reset(unseen)
            STATEMENT_LIMIT.reset(unlimited)
            CURRENT.reset(outside)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        takes, makes, key = accepted(self.endpoint), produced(self.endpoint), keyed(self.endpoint)
        known = set(_query_names(self.dependant))
        guard, guarded = guard_of(self.dependant), policy_of(self.dependant)
        declared = self.status_code or 200

        async def strict(request: Request) -> Response:
            if guard is not None and guarded is not None:
                request.scope["cleio_act"] = act = Act(request, *guarded, declared)
                CURRENT.set(act)
                # Who may not call, or calls too often, is told so before anything of the request is read.
                await _admit(request, guard, *guarded)
            _check_size(request.scope)
            _check_query(request, known)
            _check_accept(request, makes)
            read = StrictRequest(request, takes.body_bytes, takes.limits)
            place = _place(request, guarded)
            if request.method in WITH_BODY:
                _check_media_type(request, takes.media_types)
                place.take("arriving")
                await _in_time(read.body(), takes.body_seconds, BodyTimedOutError)
            place.take("waiting" if takes.seconds is None else "working")
            if key is None:
                return await _in_time(handle(read), takes.seconds)
            return await _in_time(_once(handle, read, self.path, key, takes.seconds or HANDLER_SECONDS), takes.seconds)

        return strict


async def _in_time(
    work: Coroutine[Any, Any, T], seconds: float | None, late: Callable[[], Problem] = TimedOutError
) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise late() from None


async def _admit(
    request: Request, guard: Callable[[Request], Coroutine[Any, Any, Access]], resource: str, action: Action
) -> None:
    quotas: Quotas = request.app.state.quotas
    try:
        await _in_time(guard(request), HANDLER_SECONDS)
    except Problem:
        quotas.take(request, resource, action, request.scope.get("cleio_caller"))
        raise
    quotas.take(request, resource, action, request.scope.get("cleio_caller"))


def _place(request: Request, guarded: tuple[str, Action] | None) -> Permit:
    """A place in hand; health has one of its own, so that a busy process is not taken for a dead one."""
    load: ConcurrencyLimiter = request.app.state.load
    place = (load if guarded is None or kind_of(*guarded) else ConcurrencyLimiter(1, 1)).place()
    request.scope["cleio_place"] = place
    return place


def _leave(scope: Scope) -> None:
    place: Permit | None = scope.get("cleio_place")
    if place is not None:
        place.leave()


async def _once(
    handle: Callable[[Request], Coroutine[Any, Any, Response]], request: Request, route: str, key: Keyed, seconds: float
) -> Response:
    keys: IdempotencyKeys = request.app.state.idempotency
    request.scope["cleio_attempt"] = attempt = await keys.begin(request, route, key, seconds)
    if attempt.replay is not None:
        return attempt.replay
    # The transaction of the effect is committed after this, and takes the answer with it.
    attempt.answer = answer = await handle(request)
    return answer


async def _settle(scope: Scope, status: int) -> None:
    attempt: Attempt | None = scope.get("cleio_attempt")
    if attempt is not None:
        await scope["app"].state.idempotency.settle(attempt, status)


async def _end_act(scope: Scope, status: int) -> None:
    """Before the answer leaves, and after its transaction has ended: what cannot be recorded is not told.

    :raises Problem: the answer that is told instead.
    """
    await _settle(scope, status)
    act: Act | None = scope.get("cleio_act")
    auditor: Auditor | None = getattr(scope["app"].state, "audit", None)
    if act is not None and auditor is not None:
        await _record(act, auditor, status)


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
    elif status < 400 and (act.is_read_of_what_is_not_public() or _is_replay(act)):
        await auditor.record(act.entry("read", status))


def _is_replay(act: Act) -> bool:
    """What was recorded as a write is told again."""
    attempt: Attempt | None = act.request.scope.get("cleio_attempt")
    return attempt is not None and attempt.replay is not None


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


def _check_size(scope: Scope) -> None:
    if len(scope.get("raw_path", b"")) + len(scope["query_string"]) > MAX_URI:
        raise UriTooLongError
    if sum(len(name) + len(value) + 4 for name, value in scope["headers"]) > MAX_HEADERS:
        raise HeadersTooLargeError


def _check_query(request: Request, known: set[str]) -> None:
    names = [name for name, _ in request.query_params.multi_items()]
    found = []
    for name in dict.fromkeys(names):
        if name not in known:
            # The unknown name itself is not repeated: it could be data.
            found.append(
                Fault(
                    pointer="/query",
                    code="unknown_parameter",
                    detail=Label(fr="paramètre inconnu", en="unknown parameter"),
                )
            )
        elif names.count(name) > 1:
            found.append(
                Fault(
                    pointer=f"/query/{name}",
                    code="repeated_parameter",
                    detail=Label(fr="paramètre répété", en="repeated parameter"),
                )
            )
        elif "\x00" in "".join(request.query_params.getlist(name)):
            found.append(_nul(f"/query/{name}"))
    # PostgreSQL knows no NUL: it is refused before any database sees it.
    found += [_nul(f"/path/{name}") for name, value in request.path_params.items() if "\x00" in value]
    if found:
        raise InvalidParameterError(errors=found[:10])


def _nul(pointer: str) -> Fault:
    return Fault(
        pointer=pointer, code="control_character", detail=Label(fr="caractère nul interdit", en="NUL is not allowed")
    )


def _check_accept(request: Request, offered: tuple[str, ...]) -> None:
    accept = request.headers.get("accept") or "*/*"
    ranges = [
        part.partition(";")[0].strip().lower()
        for part in accept.split(",")
        if "q=0" not in part.replace(" ", "").split(";")
    ]
    for one in ranges:
        kind, _, _subtype = one.partition("/")
        if (
            one in {"*/*", ""}
            or one in offered
            or (one.endswith("/*") and any(media.startswith(kind + "/") for media in offered))
        ):
            return
    raise NotAcceptableError


def _check_media_type(request: Request, media_types: tuple[str, ...]) -> None:
    given, _, parameters = request.headers.get("content-type", "").partition(";")
    if given.strip().lower() not in media_types:
        if (
            not given
            and request.headers.get("content-length", "0") == "0"
            and "transfer-encoding" not in request.headers
        ):
            return
        raise UnsupportedMediaTypeError
    told = parameters.lower().replace(" ", "").replace('"', "").split(";")
    if any(one.startswith("charset=") and one != "charset=utf-8" for one in told):
        raise UnsupportedMediaTypeError
    if request.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise UnsupportedMediaTypeError
