"""Checks of all routes when a service starts."""

from fastapi import FastAPI
from fastapi.routing import APIRoute

from shared.http.guards import policy_of
from shared.idempotency.marks import Keyed, mark_of


class UnguardedRouteError(RuntimeError):
    """A route has no access policy."""


class UnkeyedRouteError(RuntimeError):
    """A POST that writes has no idempotency mark, or one that cannot work."""


def refuse_unguarded_routes(app: FastAPI) -> None:
    """:raises UnguardedRouteError: a route has no access policy."""
    for route in app.routes:
        if not isinstance(route, APIRoute) or policy_of(route.dependant) is None:
            raise UnguardedRouteError(f"{getattr(route, 'path', repr(route))} has no access policy")


def refuse_unkeyed_routes(app: FastAPI) -> None:
    """:raises UnkeyedRouteError: a POST that writes has no mark `idempotent` or `repeatable`, or a wrong one."""
    for route in app.routes:
        if not isinstance(route, APIRoute) or "POST" not in (route.methods or ()):
            continue
        policy, mark = policy_of(route.dependant), mark_of(route.endpoint)
        if policy is not None and policy[1] == "write" and mark is None:
            raise UnkeyedRouteError(f"{route.path} writes: mark its handler as idempotent or repeatable")
        if isinstance(mark, Keyed):
            fields = getattr(route.response_model, "model_fields", {})
            wrong = [name for name in mark.shown_once if name not in fields or fields[name].is_required()]
            if wrong:
                raise UnkeyedRouteError(f"{route.path}: its answer must allow {', '.join(wrong)} to be absent")
