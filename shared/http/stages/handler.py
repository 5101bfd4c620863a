"""Run the handler of a request, within its time and once for each idempotency key."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response

from shared.http.context import context_of
from shared.http.marks import HANDLER_SECONDS
from shared.http.rules import RouteRules
from shared.http.strict_request import StrictRequest
from shared.http.time_limits import within
from shared.idempotency.keys import IdempotencyKeys
from shared.idempotency.marks import Keyed

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


async def start_work(request: StrictRequest, rules: RouteRules) -> None:
    """:raises OverloadedError: 503, the process works on too many requests."""
    if (permit := context_of(request).permit) is not None:
        permit.take("waiting" if rules.accepted.seconds is None else "working")


async def run_handler(request: StrictRequest, rules: RouteRules, handle: Handler) -> Response:
    """:raises TimedOutError: 503, the handler took too long."""
    answer = handle(request) if rules.key is None else _run_once(request, rules, rules.key, handle)
    return await within(rules.accepted.seconds, answer)


async def _run_once(request: StrictRequest, rules: RouteRules, key: Keyed, handle: Handler) -> Response:
    """Run the handler, or repeat the stored answer of an earlier call with the same key."""
    context, keys = context_of(request), request.app.state.idempotency
    assert isinstance(keys, IdempotencyKeys)
    assert context.principal is not None  # a route with a key has a guard
    seconds = rules.accepted.seconds or HANDLER_SECONDS
    context.attempt = attempt = await keys.begin(request, context.principal, rules.path, key, seconds)
    if attempt.replay is not None:
        return attempt.replay
    # The transaction is committed after this returns, and stores the answer.
    attempt.answer = answer = await handle(request)
    return answer
