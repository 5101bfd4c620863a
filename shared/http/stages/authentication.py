"""Identify the caller and apply the access policy and the quotas, before anything else of the request is read."""

from shared.http.auditing import RequestAudit
from shared.http.context import context_of
from shared.http.limits.quotas import Quotas
from shared.http.marks import HANDLER_SECONDS
from shared.http.rules import RouteRules
from shared.http.strict_request import StrictRequest
from shared.http.time_limits import within
from shared.values.problems import Problem, RateLimitedError


async def authenticate(request: StrictRequest, rules: RouteRules) -> None:
    """Identify the caller and authorize the call. A denied call counts against the quota too.

    :raises Problem: 401, 403, 404, 429 or 503.
    """
    if rules.guard is None:  # such a route stops the start of its service
        return
    context = context_of(request)
    context.audit = RequestAudit(request, context, rules.guard.resource, rules.guard.action, rules.status)
    try:
        await within(HANDLER_SECONDS, rules.guard.authorize(request))
    except Problem:
        await take_quota(request, rules)
        raise


async def take_quota(request: StrictRequest, rules: RouteRules) -> None:
    """Count the call against the quota of its caller.

    :raises RateLimitedError: 429.
    """
    if rules.guard is None:
        return
    context, quotas = context_of(request), request.app.state.quotas
    assert isinstance(quotas, Quotas)
    decision = quotas.take(request, rules.guard.resource, rules.guard.action, context.principal)
    if decision is None:
        return
    context.quota_headers = decision.headers
    if decision.is_exceeded:
        raise RateLimitedError(decision.level.seconds)
