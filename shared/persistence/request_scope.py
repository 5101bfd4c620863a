"""Data that the request in progress passes to the database layer."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.persistence.rls_sessions import RlsContext


@dataclass(slots=True, kw_only=True)
class RequestScope:
    """Base of the request context of `shared.http`. Outside requests there is none, and the service works as itself.

    ``statement_seconds``: time limit of each SQLite statement; None: no limit. (On PostgreSQL the connection has one.)
    """

    statement_seconds: float | None = None

    @property
    def rls_context(self) -> RlsContext | None:
        """What the caller may see and change, as known now; None: everything, as the service itself."""
        return None

    async def before_commit(self, connection: AsyncConnection) -> None:
        """Write the last rows of a transaction of this request."""


_CURRENT: ContextVar[RequestScope | None] = ContextVar("cleio_request", default=None)


def current_request() -> RequestScope | None:
    """Return the request in progress; None outside requests."""
    return _CURRENT.get()


@contextmanager
def inside_request(request: RequestScope | None) -> Iterator[None]:
    """Run the block as part of this request."""
    token = _CURRENT.set(request)
    try:
        yield
    finally:
        _CURRENT.reset(token)


@contextmanager
def outside_request() -> Iterator[None]:
    """Run the block as the service itself: its transactions are not those of the request in progress."""
    with inside_request(None):
        yield
