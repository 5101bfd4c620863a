"""Charge the quota of a caller for work whose size is known only later (`shared.http.limits.costs`)."""

from fastapi import Request

from shared.http.context import context_of
from shared.http.limits.quotas import refuse_beyond_quota


def charge(request: Request, units: int) -> None:
    """Count further units of a request. They may be more than are left: the next requests of the caller then wait."""
    context = context_of(request)
    if context.quota is not None and units > 0:
        context.quota = context.quota.account.charge(units)


def refuse_beyond(request: Request, units: int) -> None:
    """Count one part of a request that has not been worked on yet.

    :raises RateLimitedError: 429, the part is more than its caller has left.
    """
    context = context_of(request)
    if context.quota is not None:
        context.quota = context.quota.account.take(units)
        refuse_beyond_quota(context.quota)
