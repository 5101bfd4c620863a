"""Guards: the access policy of a route, written as a dependency of its handler."""

from fastapi import Request
from fastapi.dependencies.models import Dependant

from shared.access.callers import Callers
from shared.access.policy import TABLE, Access, Action, authorize
from shared.http.context import context_of


class Guard:
    """The policy of one route.

    `shared.http.stages.authentication` applies it before the body is read and before a database connection is taken;
    as a dependency it then only hands the decision to the handler.
    """

    def __init__(self, resource: str, action: Action, *, signed_by_client: bool = False) -> None:
        self.resource = resource
        self.action = action
        self.signed_by_client = signed_by_client

    async def authorize(self, request: Request) -> Access:
        """Identify the caller and decide.

        :raises Problem: 401, 403, 404 or 503, as `Callers.identify` and `authorize` say.
        """
        callers: Callers = request.app.state.callers
        context = context_of(request)
        context.principal = principal = await callers.identify(request, signed_by_client=self.signed_by_client)
        access = authorize(principal, self.action, self.resource)
        context.decision = (self, access)
        return access

    async def __call__(self, request: Request) -> Access:
        decision = context_of(request).decision
        return decision[1] if decision is not None and decision[0] is self else await self.authorize(request)


def allow(resource: str, action: Action, *, signed_by_client: bool = False) -> Guard:
    """Guard a route: ``access: Annotated[Access, Depends(allow("trial", "read"))]``.

    ``signed_by_client``: see `Callers.identify`.

    :raises LookupError: the policy table has no such row.
    """
    if (resource, action) not in TABLE:
        raise LookupError(f"no policy for {action} on {resource}")
    return Guard(resource, action, signed_by_client=signed_by_client)


def guard_of(dependant: Dependant) -> Guard | None:
    """Return the guard of a route: the first among its dependencies; None: it has none."""
    return next((one.call for one in _dependencies(dependant) if isinstance(one.call, Guard)), None)


def policy_of(dependant: Dependant) -> tuple[str, Action] | None:
    """Return resource and action of a route's guard; None: it has none."""
    guard = guard_of(dependant)
    return (guard.resource, guard.action) if guard else None


def _dependencies(dependant: Dependant) -> list[Dependant]:
    found = []
    for one in dependant.dependencies:
        found += [one, *_dependencies(one)]
    return found
