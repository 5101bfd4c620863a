"""Keeps the last export of each scope, and builds a new one when a reader needs it.

One build at a time, in the background. Callers get an export of the last minute; the cursor in it makes it exact.
The installation's own services get the present state: their export is not older than their request, by a second at
most. An export stays the present state until the feed moves on, so nothing is built twice without a change.
"""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from services.registry.export.building import ExportBuilder
from services.registry.export.model import ExportBuild, ExportScope
from services.registry.export.problems import ExportNotReadyError
from shared.feed.log import Position
from shared.tasks import BackgroundTasks
from shared.values.problems import Problem, StorageFailedError, storage_problem

logger = logging.getLogger(__name__)

FRESH_SECONDS = 60.0
SERVICE_FRESH_SECONDS = 1.0
# Without a change in the feed only the age of confirmations changes, by days.
REUSED_SECONDS = 600.0
# An older export is served while the new one is not ready, unless it is older than this.
KEPT_SECONDS = 3600.0
# How long a reader waits for a new export when there is an older one, and when there is none.
WAIT_SECONDS = 8.0
FIRST_WAIT_SECONDS = 60.0


class ExportService:
    """The exports of one process.

    ``folders``: where their files are written; the second one serves if the first one is full or read-only.
    ``fresh_seconds``: how old an export may be that callers get. ``wait_seconds``: as `WAIT_SECONDS`.
    """

    def __init__(
        self,
        builder: ExportBuilder,
        folders: Sequence[Path],
        *,
        fresh_seconds: float = FRESH_SECONDS,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._builder = builder
        self._folders = folders
        self._fresh_seconds = fresh_seconds
        self._wait_seconds = wait_seconds
        self._builds: dict[ExportScope, ExportBuild] = {}
        # In the order in which they were first asked for; a dict, because a scope is built once for all its readers.
        self._wanted: dict[ExportScope, None] = {}
        self._wake = asyncio.Event()
        self._ended = asyncio.Event()
        # Why the last attempt for a scope failed.
        self._failures: dict[ExportScope, Problem] = {}

    def start(self, tasks: BackgroundTasks) -> None:
        tasks.repeat(self.step, "build_exports")

    async def get(self, scope: ExportScope, *, present: bool) -> ExportBuild:
        """Return an export of the last minute, or with ``present`` of the present state.

        If the database is busy or away, it is an older one.

        :raises Problem: 503 or 507, there is none and none could be built.
        """
        asked_at = monotonic()
        since = asked_at - (SERVICE_FRESH_SECONDS if present else self._fresh_seconds)
        while (build := self._builds.get(scope)) is None or build.current_at < since:
            older = None if present or build is None or asked_at - build.current_at > KEPT_SECONDS else build
            ended = self._request(scope)
            try:
                async with asyncio.timeout(
                    asked_at + (self._wait_seconds if older else FIRST_WAIT_SECONDS) - monotonic()
                ):
                    await ended.wait()
            except TimeoutError:
                if older is None:
                    raise self._failures.get(scope, ExportNotReadyError()) from None
                return older
            if scope in self._failures and older is not None:
                return older
        return build

    def _request(self, scope: ExportScope) -> asyncio.Event:
        """Ask for a build; returns what is set at the end of the next one."""
        self._wanted[scope] = None
        self._wake.set()
        return self._ended

    async def step(self) -> None:
        """Wait until an export is wanted, and bring it up to date.

        :raises Problem: it cannot be built. For `shared.tasks`, which tries again after a pause.
        """
        await self._wake.wait()
        for scope in list(self._wanted):
            del self._wanted[scope]
            try:
                await self._refresh(scope)
                self._failures.pop(scope, None)
            except Problem as problem:
                self._failures[scope] = problem
                raise
            finally:
                self._ended.set()
                self._ended = asyncio.Event()
        if not self._wanted:
            self._wake.clear()

    async def _refresh(self, scope: ExportScope) -> None:
        now = monotonic()
        for old in [one for one, build in self._builds.items() if now - build.current_at > KEPT_SECONDS]:
            del self._builds[old]
        position, build = await self._builder.position(scope), self._builds.get(scope)
        if build is not None and build.position == position and now - build.built_at < REUSED_SECONDS:
            build.current_at = now
            return
        self._builds[scope] = await self._build(scope, position)

    async def _build(self, scope: ExportScope, position: Position) -> ExportBuild:
        failure: Problem = StorageFailedError()
        for folder in self._folders:
            try:
                return await self._builder.build(scope, position, folder)
            except OSError as error:
                failure = storage_problem(error)
                logger.warning("export_unwritten", extra={"code": failure.code})
        raise failure
