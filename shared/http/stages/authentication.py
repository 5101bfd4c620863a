"""Identify the caller and apply the access policy and the quotas, before anything else of the request is read."""

from shared.http.auditing import RequestAudit
from shared.http.context import context_of
from shared.http.limits.quotas import Quotas, refuse_beyond_quota
from shared.http.marks import HANDLER_SECONDS
from shared.http.rules import RouteRules
from shared.http.stages.body import WITH_BODY
from shared.http.strict_request import StrictRequest
from shared.http.time_limits import within
from shared.values.problems import Problem


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
        _take(request, rules, 1)
        raise


async def take_quota(request: StrictRequest, rules: RouteRules) -> None:
    """Count the call against the quota of its caller, as far as its URL shows its cost.

    :raises RateLimitedError: 429.
    """
    _take(request, rules, rules.cost.of_query(request.scope["query_string"]))


def _take(request: StrictRequest, rules: RouteRules, cost: int) -> None:
    if rules.guard is None:
        return
    context, quotas = context_of(request), request.app.state.quotas
    assert isinstance(quotas, Quotas)
    context.quota = quotas.take(request, rules.guard.resource, rules.guard.action, context.principal, cost)
    refuse_beyond_quota(context.quota)


async def take_body_quota(request: StrictRequest, rules: RouteRules) -> None:
    """Count what the size of the body adds to the cost, before the body is parsed.

    :raises RateLimitedError: 429.
    """
    context = context_of(request)
    if (taken := context.quota) is None or request.method not in WITH_BODY:
        return
    units = rules.cost.of_body(await request.body())
    # One request never costs more than a whole quota.
    if units := min(units, taken.account.quota.requests - taken.cost):
        context.quota = taken.account.take(units)
        refuse_beyond_quota(context.quota)
