"""Marks of POST handlers: what happens when a request is sent twice. The start fails if a POST that writes has none."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

_MARK = "cleio_repeats"


@dataclass(frozen=True, slots=True)
class Keyed:
    """The route requires an idempotency key.

    ``shown_once``: top-level fields of the answer that are never stored, so a replay lacks them.
    """

    shown_once: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Repeatable:
    """The route takes no key; ``reason`` says why a second call does no harm."""

    reason: str


def idempotent(*, shown_once: Iterable[str] = ()) -> Callable[..., Any]:
    """Require an `Idempotency-Key` and take effect once for each key.

    The handler's transaction must be a `Writing`, so that the answer is known at the commit.
    """
    return _mark(Keyed(tuple(shown_once)))


def repeatable(reason: str) -> Callable[..., Any]:
    """Take no key although the handler writes."""
    return _mark(Repeatable(reason))


def _mark(value: Keyed | Repeatable) -> Callable[..., Any]:
    def mark(handler: Callable[..., Any]) -> Callable[..., Any]:
        handler.__dict__[_MARK] = value
        return handler

    return mark


def mark_of(endpoint: Callable[..., Any]) -> Keyed | Repeatable | None:
    """Return the mark of an endpoint, if it has one."""
    found: Keyed | Repeatable | None = vars(endpoint).get(_MARK)
    return found


def keyed(endpoint: Callable[..., Any]) -> Keyed | None:
    """Return how an endpoint uses its key; None: it takes no key."""
    found = mark_of(endpoint)
    return found if isinstance(found, Keyed) else None
