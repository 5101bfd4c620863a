"""`ApiRoute`: the stages that every request of every service passes before its handler sees it, and on its way out."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from shared.http.answer_cache import AnswerCache, answer_to_keep, key_of, may_be_cached
from shared.http.context import context_of
from shared.http.marks import Accepted, accepted, accepts, produced, produces
from shared.http.rules import RouteRules
from shared.http.stages.answer import AuditedSend, release
from shared.http.stages.authentication import authenticate, take_body_quota, take_quota
from shared.http.stages.body import prepare_permit, read_body
from shared.http.stages.handler import run_handler, start_work
from shared.http.stages.head import check_accept, check_parameters, check_size
from shared.http.strict_request import StrictRequest
from shared.persistence.request_scope import inside_request

__all__ = ["STAGES", "Accepted", "ApiRoute", "accepted", "accepts", "produced", "produces"]

Stage = Callable[[StrictRequest, RouteRules], Awaitable[None]]

STAGES: tuple[Stage, ...] = (
    authenticate,
    take_quota,
    check_size,
    check_parameters,
    check_accept,
    prepare_permit,
    read_body,
    take_body_quota,
    start_work,
)


class ApiRoute(APIRoute):
    """A route behind these stages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle, rules = super().get_route_handler(), RouteRules.of(self)

        async def serve(request: Request) -> Response:
            strict = StrictRequest(request, rules.accepted)
            for stage in STAGES:
                await stage(strict, rules)
            if not may_be_cached(strict, rules):
                return await run_handler(strict, rules, handle)
            cache: AnswerCache = request.app.state.answers
            revision = cache.revision()  # before anything is read
            response = await run_handler(strict, rules, handle)
            if revision is not None and (answer := answer_to_keep(strict, rules, response)) is not None:
                cache.keep(key_of(request.scope), revision, answer)
            return response

        return serve

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The transaction of a handler is committed after the handler returns: the request ends here, not there.
        context = context_of(scope)
        with inside_request(context):
            try:
                await super().handle(scope, receive, AuditedSend(scope, receive, send))
            finally:
                await release(context)
