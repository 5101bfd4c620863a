"""Answers to anonymous callers without the work of a route: from a cache, or by a `PublicRead`.

`PublicAnswers` stands in front of the router. Quota, concurrency limit and telemetry apply as to every request, and
public reads are not audited. A request with credentials, or unusual in any way, goes to its route. Rows are read
through the public database role.

A cached answer belongs to one revision of the data (`shared.persistence.revision`). It is stored and served only while
that revision is the current one, so a process that has acknowledged a change never serves what was before it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.access import Principal
from shared.http.context import context_of
from shared.http.limits.concurrency import ANONYMOUS
from shared.http.limits.quotas import kind_of, occupant_of, refuse_beyond_quota
from shared.http.problem_responses import respond
from shared.http.rules import RouteRules
from shared.http.stages.head import MAX_HEADERS
from shared.http.versions import names_version
from shared.values.problems import OverloadedError, Problem

MAX_BYTES = 64 * 1024 * 1024
MAX_ANSWERS = 20_000
MAX_TARGET = 1024
JSON = b"application/json"
PUBLIC = Principal("public")
_READS = ("GET", "HEAD")
# Headers of an answer that its 304 has too (RFC 9110, section 15.4.5).
_OF_UNCHANGED = frozenset({b"etag", b"cache-control", b"vary", b"content-location", b"date", b"expires"})

Key = tuple[str, bytes]
Headers = list[tuple[bytes, bytes]]
# The present revision of the data; None: not known for sure, so nothing may be served from the cache.
Revision = Callable[[], int | None]


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """One answer with status 200, and the route it came from."""

    route: APIRoute
    rules: RouteRules
    headers: Headers
    body: bytes
    etag: bytes | None


class AnswerCache:
    """The answers of one revision. A new revision empties it; so does the limit of its size."""

    def __init__(self, max_bytes: int = MAX_BYTES, max_answers: int = MAX_ANSWERS) -> None:
        self.revision: Revision = lambda: 0
        self._max_bytes, self._max_answers = max_bytes, max_answers
        self._answers: dict[Key, CachedAnswer] = {}
        self._of: int | None = None
        self._bytes = 0

    def find(self, key: Key) -> CachedAnswer | None:
        """Return the answer of the present revision; None: there is none."""
        return self._answers.get(key) if self._is_current() else None

    def keep(self, key: Key, revision: int, answer: CachedAnswer) -> None:
        """Keep an answer that was read at ``revision``, unless the data have changed since."""
        if not self._is_current() or revision != self._of or key in self._answers:
            return
        if len(answer.body) > self._max_bytes:
            return
        self._bytes += len(answer.body)
        if self._bytes > self._max_bytes or len(self._answers) >= self._max_answers:
            self._answers, self._bytes = {}, len(answer.body)
        self._answers[key] = answer

    def _is_current(self) -> bool:
        revision = self.revision()
        if revision is None:
            return False
        if revision != self._of:
            self._answers, self._bytes, self._of = {}, 0, revision
        return True


def key_of(scope: Scope) -> Key:
    """Return path and query of a request, the query in a fixed order."""
    query: bytes = scope["query_string"]
    return scope["path"], b"&".join(sorted(query.split(b"&"))) if b"&" in query else query


def may_be_cached(request: Request, rules: RouteRules) -> bool:
    """Return whether the answer to this identified request may be kept: an anonymous read of a marked route."""
    principal = context_of(request).principal
    return (
        rules.cached
        and request.method == "GET"
        and principal is not None
        and principal.kind == "public"
        and len(request.scope["query_string"]) + len(request.scope["path"]) <= MAX_TARGET
    )


def answer_to_keep(request: Request, rules: RouteRules, response: Response) -> CachedAnswer | None:
    """Return what to keep of a response; None: it is not a whole answer with status 200."""
    body = getattr(response, "body", None)
    if response.status_code != 200 or not isinstance(body, bytes):
        return None
    headers = [(name, value) for name, value in response.raw_headers if name != b"content-length"]
    etag = response.headers.get("etag")
    return CachedAnswer(request.scope["route"], rules, headers, body, etag.encode() if etag else None)


@dataclass(frozen=True, slots=True)
class PublicRead:
    """How one route is answered to anonymous callers without its handler: the same answer at a fraction of the cost.

    ``parse`` returns what the request asks for; None: the request is unusual or wrong, and the route itself answers it.
    ``read`` returns headers and body; None: only the route can answer. It raises a problem where the handler would.
    """

    path: str
    parse: Callable[[Request], Any]
    read: Callable[[Request, Any], Awaitable[tuple[Headers, bytes] | None]]


@dataclass(frozen=True, slots=True)
class _Route:
    """A route and its public read."""

    route: APIRoute
    rules: RouteRules
    public: PublicRead


class PublicAnswers:
    """Middleware inside `Telemetry`: answers from the cache or by a `PublicRead`, and passes on all other requests."""

    def __init__(self, app: ASGIApp, service: FastAPI) -> None:
        self._app = app
        self._service = service
        self._routes: list[_Route] = []
        self._known: Sequence[PublicRead] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in _READS or (headers := _plain_headers(scope)) is None:
            await self._app(scope, receive, send)
            return
        cache: AnswerCache = self._service.state.answers
        key = key_of(scope)
        answer = cache.find(key)
        request = Request(scope)
        try:
            if answer is not None:
                self._begin(request, answer.route, answer.rules)
            else:
                found = self._find(request)
                if found is None:
                    await self._app(scope, receive, send)
                    return
                answer = await self._read(request, found, key, cache)
                if answer is None:
                    await self._app(scope, receive, send)
                    return
        except Problem as problem:
            response = respond(request, problem)
            response.raw_headers.extend(context_of(scope).quota_headers)
            await response(scope, receive, send)
            return
        await _send(answer, scope, headers, send)

    def _find(self, request: Request) -> tuple[_Route, Any] | None:
        """Return the route that answers this request by a public read, and what is asked for."""
        reads: Sequence[PublicRead] = self._service.state.public_reads
        if reads is not self._known:
            self._known, self._routes = reads, [self._routed(one) for one in reads]
        path = request.scope["path"]
        for one in self._routes:
            if match := one.route.path_regex.match(path):
                request.scope["path_params"] = match.groupdict()
                asked = one.public.parse(request)
                return None if asked is None else (one, asked)
        return None

    def _routed(self, public: PublicRead) -> _Route:
        (route,) = [
            one
            for one in self._service.routes
            if isinstance(one, APIRoute) and one.path == public.path and "GET" in (one.methods or ())
        ]
        return _Route(route, RouteRules.of(route), public)

    async def _read(
        self, request: Request, found: tuple[_Route, Any], key: Key, cache: AnswerCache
    ) -> CachedAnswer | None:
        one, asked = found
        self._begin(request, one.route, one.rules)
        permit = self._service.state.load.permit(occupant_of(request, PUBLIC))
        permit.take("working")
        try:
            revision = cache.revision()  # before anything is read
            found_answer = await one.public.read(request, asked)
        finally:
            permit.leave()
        if found_answer is None:
            return None
        headers, body = found_answer
        etag = next((value for name, value in headers if name == b"etag"), None)
        answer = CachedAnswer(one.route, one.rules, headers, body, etag)
        if revision is not None and len(key[0]) + len(key[1]) <= MAX_TARGET:
            cache.keep(key, revision, answer)
        return answer

    def _begin(self, request: Request, route: APIRoute, rules: RouteRules) -> None:
        """Name the route for telemetry, and count the call as the stages of a route do.

        :raises RateLimitedError: 429.
        :raises OverloadedError: 503.
        """
        assert rules.guard is not None  # only guarded routes are answered here
        context = context_of(request)
        request.scope["route"], context.principal = route, PUBLIC
        resource, action = rules.guard.resource, rules.guard.action
        cost = rules.cost.of_query(request.scope["query_string"])
        context.quota = self._service.state.quotas.take(request, resource, action, PUBLIC, cost)
        refuse_beyond_quota(context.quota)
        if kind_of(resource, action) and self._service.state.load.is_full("working", ANONYMOUS):
            raise OverloadedError


async def _send(answer: CachedAnswer, scope: Scope, headers: Mapping[bytes, bytes], send: Send) -> None:
    quota = context_of(scope).quota_headers
    if answer.etag is not None and names_version(headers.get(b"if-none-match", b""), answer.etag):
        kept = [one for one in answer.headers if one[0] in _OF_UNCHANGED]
        await send({"type": "http.response.start", "status": 304, "headers": [*kept, *quota]})
        await send({"type": "http.response.body"})
        return
    length = (b"content-length", b"%d" % len(answer.body))
    await send({"type": "http.response.start", "status": 200, "headers": [length, *answer.headers, *quota]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})


def _plain_headers(scope: Scope) -> dict[bytes, bytes] | None:
    """Return the headers by name; None: they need the route (credentials, another media type, a repeated header)."""
    found: dict[bytes, bytes] = {}
    size = 0
    for name, value in scope["headers"]:
        size += len(name) + len(value) + 4
        if name in found:
            return None
        found[name] = value
    accept = found.get(b"accept", b"*/*")
    is_plain = b"authorization" not in found and size <= MAX_HEADERS and (accept == b"*/*" or _takes_json(accept))
    return found if is_plain else None


def _takes_json(accept: bytes) -> bool:
    return any(part.strip() in {JSON, b"*/*"} for part in accept.split(b","))
