"""Versions of organisations, clients and members, under optimistic concurrency control."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, Self, TypeVar

from shared.values.problems import StaleVersionError


class Versioned(Protocol):
    """An immutable model with a ``version`` and an ``updated_at``."""

    @property
    def version(self) -> int: ...

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self: ...


T = TypeVar("T", bound=Versioned)


def check_version(current: Versioned, expected: int | None) -> None:
    """Compare the version that a caller names with the current one; ``expected`` None accepts any.

    :raises StaleVersionError: 412, another change came first.
    """
    if expected not in {None, current.version}:
        raise StaleVersionError


def next_version(current: T, now: datetime, **changes: Any) -> T:
    """Return ``current`` with ``changes``, one version later."""
    return current.model_copy(update={**changes, "version": current.version + 1, "updated_at": now})
