"""The rules of one route, worked out once from its marks and dependencies."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from shared.http.guards import Guard, guard_of
from shared.http.limits.costs import ORDINARY, Cost, cost_of
from shared.http.marks import Accepted, accepted, is_cached, produced
from shared.idempotency.marks import Keyed, keyed


@dataclass(frozen=True, slots=True)
class RouteRules:
    """``status``: of a successful answer. ``key``: how the route uses an idempotency key; None: not at all.

    ``cost``: what a request takes of its caller's quota.
    """

    path: str
    status: int
    accepted: Accepted
    produced: tuple[str, ...]
    query_names: frozenset[str]
    key: Keyed | None
    guard: Guard | None
    cached: bool = False
    cost: Cost = ORDINARY

    @property
    def is_page(self) -> bool:
        """Return whether the route is a page or a file of one: browsers call it, people share its address."""
        return self.guard is not None and self.guard.resource == "page"

    @classmethod
    def of(cls, route: APIRoute) -> Self:
        return cls(
            route.path,
            route.status_code or 200,
            accepted(route.endpoint),
            produced(route.endpoint),
            frozenset(_query_names(route.dependant)),
            keyed(route.endpoint),
            guard_of(route.dependant),
            is_cached(route.endpoint),
            cost_of(route.methods or (), route.path),
        )


def _query_names(dependant: Dependant) -> Iterator[str]:
    yield from (parameter.alias for parameter in dependant.query_params)
    for one in dependant.dependencies:
        yield from _query_names(one)
