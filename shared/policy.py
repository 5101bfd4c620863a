"""Who may do what: one pure function over one reviewed table, deny by default. A route without a policy stops the start."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from shared.identity import Principal, identify
from shared.problems import ForbiddenError, NotFoundError, UnauthenticatedError

Action = Literal["read", "write", "execute"]
Rows = Literal["all", "published", "own"]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a principal may do with a kind of resource: which rows, and whether only from this machine."""

    rows: Rows
    loopback_only: bool = False


# (resource, action) → {principal kind: grant}. What is not here is denied.
TABLE: dict[tuple[str, Action], dict[str, Grant]] = {
    ("health", "read"): {kind: Grant("all") for kind in ("public", "coordination", "service")},
    # A whole copy is for the installation's own programs, which could read the file anyway.
    ("backup", "read"): {"service": Grant("all", loopback_only=True)},
    ("trial", "read"): {"public": Grant("published"), "coordination": Grant("all"), "service": Grant("all")},
    ("trial", "write"): {"coordination": Grant("all", loopback_only=True)},
    ("centre", "read"): {kind: Grant("all") for kind in ("public", "coordination", "service")},
    ("centre", "write"): {"coordination": Grant("all", loopback_only=True)},
    ("source", "write"): {"coordination": Grant("all", loopback_only=True)},
    ("terminology", "read"): {kind: Grant("all") for kind in ("public", "coordination", "service")},
    ("feed", "read"): {"public": Grant("published"), "coordination": Grant("all"), "service": Grant("all")},
    ("criteria", "execute"): {kind: Grant("all") for kind in ("public", "coordination", "service")},
    ("match", "execute"): {"public": Grant("published", loopback_only=True), "coordination": Grant("published", loopback_only=True)},
    ("subscription", "read"): {"coordination": Grant("own", loopback_only=True)},
    ("subscription", "write"): {"coordination": Grant("own", loopback_only=True)},
}


@dataclass(frozen=True, slots=True)
class Access:
    """An allowed call: who, and the rows it may touch."""

    principal: Principal
    rows: Rows


def decide(principal: Principal, action: Action, resource: str) -> Grant | None:
    """The grant, or None: denied."""
    grant = TABLE.get((resource, action), {}).get(principal.kind)
    if grant is None or (grant.loopback_only and not principal.on_loopback):
        return None
    return grant


def allow(resource: str, action: Action) -> Callable[[Request], Coroutine[Any, Any, Access]]:
    """The dependency that guards a route: ``access: Annotated[Access, Depends(allow("trial", "read"))]``.

    :raises LookupError: when the table has no such row.
    """
    if (resource, action) not in TABLE:
        raise LookupError(f"no policy for {action} on {resource}")

    async def check(request: Request) -> Access:
        asked_by, held = request.scope.get("cleio_access", (None, None))
        if asked_by is check and isinstance(held, Access):
            return held  # the edge has asked before it read the body
        principal = identify(request, request.app.state.settings)
        request.scope["cleio_principal"] = principal.kind
        request.scope["cleio_caller"] = principal
        grant = decide(principal, action, resource)
        if grant is not None:
            request.scope["cleio_access"] = check, (access := Access(principal, grant.rows))
            return access
        if principal.kind == "public":
            raise UnauthenticatedError
        if decide(principal, "read", resource) is None:
            raise NotFoundError
        raise ForbiddenError

    check.__dict__["cleio_policy"] = (resource, action)
    return check


class UnguardedRouteError(RuntimeError):
    """A route was declared without a policy."""


def guard_of(dependant: Dependant) -> Callable[[Request], Coroutine[Any, Any, Access]] | None:
    """What `allow` made for a route, or None."""
    return next((one.call for one in _dependencies(dependant) if one.call and "cleio_policy" in vars(one.call)), None)


def policy_of(dependant: Dependant) -> tuple[str, Action] | None:
    """The policy a route declares, or None."""
    guard = guard_of(dependant)
    return vars(guard)["cleio_policy"] if guard else None


def _dependencies(dependant: Dependant) -> list[Dependant]:
    found = []
    for one in dependant.dependencies:
        found += [one, *_dependencies(one)]
    return found


def refuse_unguarded_routes(app: FastAPI) -> None:
    """:raises UnguardedRouteError: when a route has no policy; called when a service starts."""
    for route in app.routes:
        if not isinstance(route, APIRoute) or policy_of(route.dependant) is None:
            raise UnguardedRouteError(getattr(route, "path", repr(route)))
