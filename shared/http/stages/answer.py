"""Send the answer: release or store its idempotency key and write its audit entry first."""

from fastapi import Request
from starlette.types import Message, Receive, Scope, Send

from shared.http.context import RequestContext, context_of
from shared.http.problem_responses import respond
from shared.values.problems import Problem


class AuditedSend:
    """An ASGI ``send`` that audits the request first: an answer that cannot be recorded is not sent."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._replaced = False

    async def __call__(self, message: Message) -> None:
        if self._replaced:
            return
        if message["type"] == "http.response.start":
            context = context_of(self._scope)
            try:
                await _finish(context, message["status"])
            except Problem as problem:
                self._replaced = True
                await respond(Request(self._scope), problem)(self._scope, self._receive, self._send)
                return
            message["headers"] = [*message.get("headers", ()), *context.quota_headers]
        await self._send(message)


async def _finish(context: RequestContext, status: int) -> None:
    """:raises Problem: the audit entry could not be written."""
    attempt = context.attempt
    if attempt is not None:
        await attempt.settle(status)
    if context.audit is not None:
        await context.audit.finish(status, is_replay=attempt is not None and attempt.is_replay)


async def release(context: RequestContext) -> None:
    """Give back what the request still has: an unused idempotency key, its permit and its file."""
    if context.attempt is not None:
        await context.attempt.settle(500)
    if context.permit is not None:
        context.permit.leave()
    if context.spooled is not None:
        context.spooled.close()
