"""Builds one export: a header, the centres, the trials and an end line, written to a file in short slices.

The header's feed cursor is taken before anything is read, so a copy that loads the export and then follows the feed
misses nothing. A file without its end line is incomplete.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic, thread_time
from typing import TypeVar

from services.registry.export.files import ExportFile
from services.registry.export.model import ExportBuild, ExportScope
from services.registry.export.repository import ExportRepository, Page
from shared.feed.log import Position
from shared.persistence import Database
from shared.persistence.engine import STATEMENT_SECONDS
from shared.persistence.request_scope import RequestScope, inside_request
from shared.persistence.rls_sessions import RlsContext
from shared.values.problems import DatabaseBusyError, DatabaseUnavailableError, Problem, TimedOutError

logger = logging.getLogger(__name__)
T = TypeVar("T")

# A slice reads as many rows as take at most about this long on the event loop: other requests wait for it.
SLICE_SECONDS = 0.008
FIRST_ROWS = 10
# Fewer rows save little: each slice costs three statements.
MIN_ROWS = 5
MAX_ROWS = 200
# After each slice other requests get at least as long as it took: a build uses at most half a processor.
PAUSE_SHARE = 1.0
# A server that is not there is reported soon; a broken connection is replaced.
RETRY_SECONDS: dict[type[Problem], float] = {
    DatabaseBusyError: 30.0,
    TimedOutError: 30.0,
    DatabaseUnavailableError: 3.0,
}
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0


@dataclass(slots=True, kw_only=True)
class _BuildScope(RequestScope):
    """Runs a build with the rights of its readers: on PostgreSQL the database hides what they may not see."""

    context: RlsContext

    @property
    def rls_context(self) -> RlsContext:
        return self.context


def _rls_context(scope: ExportScope) -> RlsContext:
    return RlsContext(frozenset({"trial.read.all"})) if scope.rows == "all" else RlsContext(public=True)


class ExportBuilder:
    """Builds exports of one database.

    ``feed_path``: returns the path of the feed after a position. ``terminology``: returns its version. ``rows``: the
    rows of the first slice and, for tests, ``max_rows`` of every one.
    """

    def __init__(
        self,
        database: Database,
        feed_path: Callable[[Position], str],
        terminology: Callable[[], str],
        *,
        rows: int = FIRST_ROWS,
        max_rows: int = MAX_ROWS,
    ) -> None:
        self._database = database
        self._feed_path = feed_path
        self._terminology = terminology
        self._rows = rows
        self._max_rows = max_rows

    async def position(self, scope: ExportScope) -> Position:
        """Return the position of the feed.

        :raises Problem: the database was busy for half a minute, or is away.
        """
        return await self._read(scope, lambda repository: repository.position())

    async def build(self, scope: ExportScope, position: Position, folder: Path) -> ExportBuild:
        """Build an export into a file of ``folder``. ``position``: of the feed, as of now or earlier.

        :raises Problem: the database was busy for half a minute, or is away.
        :raises OSError: the file cannot be written.
        """
        started = monotonic()
        file = ExportFile(folder)
        header = {"kind": "header", "following": self._feed_path(position), "terminology": self._terminology()}
        await file.append(_line(header))
        now = datetime.now(UTC)
        count = await self._write(file, scope, ExportRepository.centres)
        count += await self._write(file, scope, partial(ExportRepository.trials, now=now))
        await file.append(_line({"kind": "end", "count": count}))
        logger.info("export_built", extra={"count": count, "ms": round((monotonic() - started) * 1000)})
        return ExportBuild(position, started, started, file)

    async def _write(self, file: ExportFile, scope: ExportScope, page: Callable[..., Awaitable[Page]]) -> int:
        count, after, limit = 0, "", self._rows
        while True:
            started = thread_time()
            lines, after = await self._read(scope, partial(page, after=after, limit=limit))
            if not lines:
                return count
            count += len(lines)
            content = "".join(lines)
            spent = thread_time() - started
            await file.append(content)
            limit = self._next_limit(limit, spent)
            await asyncio.sleep(PAUSE_SHARE * spent)

    def _next_limit(self, limit: int, spent: float) -> int:
        """Return the rows of the next slice. ``spent``: seconds that this one took."""
        wanted = limit * 2 if spent < SLICE_SECONDS / 2 else limit // 2 if spent > SLICE_SECONDS else limit
        return min(max(wanted, MIN_ROWS), self._max_rows)

    async def _read(self, scope: ExportScope, read: Callable[[ExportRepository], Awaitable[T]]) -> T:
        started, pause = monotonic(), FIRST_PAUSE_SECONDS
        request = _BuildScope(statement_seconds=STATEMENT_SECONDS, context=_rls_context(scope))
        while True:
            try:
                with inside_request(request):
                    async with self._database.read() as connection:
                        return await read(ExportRepository(connection, scope))
            except (DatabaseBusyError, DatabaseUnavailableError, TimedOutError) as problem:
                if monotonic() - started > RETRY_SECONDS[type(problem)]:
                    raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _line(value: object) -> str:
    return json.dumps(value) + "\n"
