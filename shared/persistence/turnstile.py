"""Readers and commits of one process that may not meet: what SQLite's journal asks where there is no write-ahead log.

Without one a commit waits until nobody reads. Here both share one event loop, so a commit that waited inside SQLite would keep its readers from
ever ending: it waits here instead, where they go on.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from shared.values.problems import DatabaseBusyError


class Turnstile:
    """Any number of readers, or one commit. A commit that waits lets no new reader in."""

    def __init__(self) -> None:
        self._readers = 0
        self._nobody_reads = asyncio.Event()
        self._nobody_reads.set()
        self._open = asyncio.Event()
        self._open.set()

    @asynccontextmanager
    async def reading(self, patience: float) -> AsyncIterator[None]:
        """:raises DatabaseBusyError: a commit took longer than ``patience`` seconds."""
        while not self._open.is_set():
            await _in_time(self._open, patience)
        with self._counted():
            yield

    @asynccontextmanager
    async def committing(self, patience: float) -> AsyncIterator[None]:
        """:raises DatabaseBusyError: somebody read longer than ``patience`` seconds."""
        self._open.clear()
        try:
            await _in_time(self._nobody_reads, patience)
            yield
        finally:
            self._open.set()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._readers += 1
        self._nobody_reads.clear()
        try:
            yield
        finally:
            self._readers -= 1
            if not self._readers:
                self._nobody_reads.set()


async def _in_time(event: asyncio.Event, patience: float) -> None:
    try:
        async with asyncio.timeout(patience):
            await event.wait()
    except TimeoutError:
        raise DatabaseBusyError from None
