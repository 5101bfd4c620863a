"""Runs jobs in the background, one at a time in each process. Any process continues the job of one that has died."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from services.registry.jobs.lines import LEASE, LineRunner
from services.registry.jobs.model import Job, JobState
from services.registry.jobs.problems import LostJobError
from services.registry.jobs.repository import JobRepository
from services.registry.records.states.repository import RecordStates
from services.registry.sources.importing import ImportService
from services.registry.sources.reading_processes import ReadingProcesses
from services.registry.trials.rules import TrialRules
from shared.persistence import Database
from shared.tasks import BackgroundTasks
from shared.values.problems import Problem

logger = logging.getLogger(__name__)

# How often a process looks for jobs that another one has taken, or left.
POLL_SECONDS: Final = 2.0
KEPT: Final = timedelta(days=90)
_PAGE: Final = 200
_CLEAN_UP_SECONDS: Final = 3600.0


class JobWorker:
    """The jobs that one process runs. ``rules``: returns those by which records are read now.

    ``processes``: for the records of large files.
    """

    def __init__(
        self, database: Database, rules: Callable[[], TrialRules], processes: ReadingProcesses | None = None
    ) -> None:
        self._database = database
        self._rules = rules
        self._processes = processes
        self._name = secrets.token_hex(16)
        self._lines = LineRunner(database, self._name)
        self._wake = asyncio.Event()
        self._is_first = True

    def start(self, tasks: BackgroundTasks) -> None:
        tasks.repeat(self.step, "run_jobs")
        tasks.repeat(self._clean_up, "delete_ended_jobs")

    def wake(self) -> None:
        """Look for jobs at once: one was added."""
        self._wake.set()

    async def step(self) -> None:
        """Run the job whose turn it is to its end; without one, wait for a while.

        :raises Problem: the database is not available. What was committed stays, and the next step continues.
        """
        self._wake.clear()
        job = await self._claim()
        if job is None:
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            return
        try:
            await self._run(job)
        except LostJobError:
            logger.warning("another process has taken over the job %s", job.number)
        except (Problem, OSError):
            raise
        except Exception:
            logger.exception("the job %s failed", job.number)
            await self._fail(job.number)

    async def _claim(self) -> Job | None:
        if self._is_first and self._database.is_sqlite:
            # The file belongs to this process alone: no process that claimed a job before is alive.
            async with self._database.transaction() as connection:
                await JobRepository(connection).release_claims()
        self._is_first = False
        async with self._database.read() as connection:
            if not await JobRepository(connection).any_active():
                return None
        async with self._database.transaction() as connection:
            return await JobRepository(connection).claim(self._name, datetime.now(UTC), LEASE)

    async def _run(self, job: Job) -> None:
        imports = ImportService(job.what.source, self._database, self._rules(), job.what.language, self._processes)
        note = None
        if job.what.kind == "undo":
            job = await self._undo(job, imports)
        else:
            job = await self._push(job, imports)
            if job.what.full and not job.cancel_requested:
                job, note = await self._mark_missing(job)
        state: JobState = "cancelled" if job.cancel_requested else "done"
        async with self._database.transaction() as connection:
            await JobRepository(connection).finish(job, self._name, state, note, datetime.now(UTC))

    async def _fail(self, number: int) -> None:
        """End a job that cannot be run, so that others of its source get their turn."""
        async with self._database.transaction() as connection:
            job = await JobRepository(connection).get(number)
            if job is not None:
                await JobRepository(connection).finish(job, self._name, "failed", "internal", datetime.now(UTC))

    async def _push(self, job: Job, imports: ImportService) -> Job:
        preparer = await imports.preparer()
        while job.done < job.what.total and not job.cancel_requested:
            async with self._database.read() as connection:
                part = await JobRepository(connection).lines(job.number, job.done)
            assert part is not None, "the lines of a job that has not ended are stored"
            first, items = part
            job = await self._lines.run(job, imports, preparer, items[job.done - first :])
        return job

    async def _undo(self, job: Job, imports: ImportService) -> Job:
        assert job.what.undoes is not None
        preparer = await imports.preparer()
        while job.done < job.what.total and not job.cancel_requested:
            async with self._database.read() as connection:
                changes = await JobRepository(connection).changes(job.what.undoes, job.done, _PAGE // 10)
            job = await self._lines.put_back(job, imports, preparer, changes)
        return job

    async def _mark_missing(self, job: Job) -> tuple[Job, str | None]:
        """Mark the records of the source that the file does not have. A file with unread numbers may have them."""
        async with self._database.read() as connection:
            jobs = JobRepository(connection)
            if not await jobs.is_complete(job.number):
                return job, "full_not_applied"
            sent, after = await jobs.sent_ids(job.number), await jobs.last_missing(job.number)
        while not job.cancel_requested:
            async with self._database.read() as connection:
                ids = await RecordStates(connection, job.what.source).present(after, _PAGE)
            if not ids:
                break
            after = ids[-1]
            absent = [one for one in ids if one not in sent]
            if absent:
                job = await self._lines.mark_missing(job, absent)
        return job, None

    async def _clean_up(self) -> None:
        """Delete jobs that ended long ago, with their results."""
        async with self._database.transaction() as connection:
            await JobRepository(connection).delete_ended(datetime.now(UTC) - KEPT)
        await asyncio.sleep(_CLEAN_UP_SECONDS)
