"""What a POST says of being sent twice. One that writes and says nothing stops the start."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from shared.access.policy import policy_of


@dataclass(frozen=True, slots=True)
class Keyed:
    """A route that needs a key. ``shown_once``: the fields at the top of its answer that are never stored, and absent from a replay."""

    shown_once: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A route that needs none, and why a second call does no harm."""

    reason: str


def idempotent(*, shown_once: Iterable[str] = ()) -> Callable[..., Any]:
    """The route needs an `Idempotency-Key`, and takes effect once for each. Its transaction is a `Writing`: the answer is known at the commit."""
    return _mark(Keyed(tuple(shown_once)))


def repeatable(reason: str) -> Callable[..., Any]:
    """The route needs no key although it writes."""
    return _mark(Repeatable(reason))


def _mark(said: Keyed | Repeatable) -> Callable[..., Any]:
    def mark(handler: Callable[..., Any]) -> Callable[..., Any]:
        handler.__dict__["cleio_repeats"] = said
        return handler

    return mark


def keyed(endpoint: Callable[..., Any]) -> Keyed | None:
    """What an endpoint says of its key; None: it takes none."""
    said = vars(endpoint).get("cleio_repeats")
    return said if isinstance(said, Keyed) else None


class UnkeyedRouteError(RuntimeError):
    """A POST that writes says neither `idempotent` nor `repeatable`, or what it says cannot be."""


def refuse_unkeyed_routes(app: FastAPI) -> None:
    """:raises UnkeyedRouteError: called when a service starts."""
    for route in app.routes:
        if not isinstance(route, APIRoute) or "POST" not in (route.methods or ()):
            continue
        policy, said = policy_of(route.dependant), vars(route.endpoint).get("cleio_repeats")
        if policy is not None and policy[1] == "write" and said is None:
            raise UnkeyedRouteError(f"{route.path} writes and does not say what a second call does")
        if isinstance(said, Keyed):
            fields = getattr(route.response_model, "model_fields", {})
            wrong = [name for name in said.shown_once if name not in fields or fields[name].is_required()]
            if wrong:
                raise UnkeyedRouteError(f"{route.path}: its answer cannot be without {', '.join(wrong)}")
