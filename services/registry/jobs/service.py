"""Accepts pushes of partner networks, and reads, cancels and undoes jobs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import IO, Final

from services.registry.identity.organisations.repository import OrganisationRepository
from services.registry.jobs.intake import Intake
from services.registry.jobs.model import ACTIVE, Job, JobState, LineOutcome, NewJob, job_number
from services.registry.jobs.problems import NotOwnSourceError, NotUndoableError, TooManyJobsError
from services.registry.jobs.repository import JobNarrowing, JobRepository, narrowed
from services.registry.jobs.worker import JobWorker
from services.registry.sources.partner.reader import PREFIX
from services.registry.trials.service import author_of
from shared.access.policy import Access
from shared.http.heavy_work import HeavyWork
from shared.persistence import Database
from shared.values.language import Language
from shared.values.problems import NotFoundError

# Jobs of one source that may wait or run.
MAX_ACTIVE: Final = 10


class JobService:
    """Jobs for one caller. Opens its own transactions: a job is accepted as a whole before it is announced."""

    def __init__(self, database: Database, worker: JobWorker, access: Access, language: Language) -> None:
        self._database = database
        self._worker = worker
        self._access = access
        self._language = language

    async def submit(
        self,
        network: str,
        file: IO[bytes],
        kind: tuple[str, str],
        intake: Intake,
        heavy: HeavyWork,
        *,
        dry_run: bool,
        full: bool,
    ) -> Job:
        """Accept a file. A file that waits or runs already, sent again with the same options, is the same job.

        ``kind``: its media type and its encoding.

        :raises Problem: 403, it is another network's source; 404, there is no such network; 409, too many wait; 413 or
            422, the file as a whole cannot be read.
        """
        if self._access.rows != "all" and network != self._access.principal.organisation:
            raise NotOwnSourceError
        await heavy.run(intake.read, file, *kind, long=True)
        # As the service: the number of a job depends on the jobs of all sources.
        async with self._database.transaction(as_service=True) as connection:
            organisation = await OrganisationRepository(connection).get(network)
            if organisation is None or organisation.kind != "network":
                raise NotFoundError
            jobs = JobRepository(connection)
            await jobs.lock_numbers()
            new = NewJob(
                source=f"{PREFIX}{network}",
                organisation=network,
                author=author_of(self._access.principal).name,
                language=self._language,
                dry_run=dry_run,
                full=full,
                headings=intake.headings,
                unknown=intake.unknown,
                total=intake.total,
                body_hash=intake.body_hash,
            )
            active = await jobs.active(new.source)
            for one in active:
                if one.what.body_hash == new.body_hash and (one.what.dry_run, one.what.full) == (dry_run, full):
                    return one
            _check_room(active)
            job = await jobs.add(new, datetime.now(UTC))
            for part in intake.parts:
                await jobs.add_lines(job.number, part.first, part.count, intake.content(part))
        self._worker.wake()
        return job

    async def page(self, source: str | None, state: JobState | None, before: int | None, limit: int) -> list[Job]:
        """Return the jobs that the caller may see, newest first."""
        narrowing = JobNarrowing(narrowed(self._access.rows, self._access.principal.organisation), source, state)
        async with self._database.read() as connection:
            return await JobRepository(connection).page(narrowing, before, limit)

    async def read(self, name: str) -> Job:
        """:raises NotFoundError: 404."""
        async with self._database.read() as connection:
            return await self._visible(JobRepository(connection), name)

    async def results(self, job: Job, after: int, limit: int, result: str | None) -> Sequence[tuple[int, LineOutcome]]:
        """Return results of a job that the caller may see, those after a place."""
        async with self._database.read() as connection:
            return await JobRepository(connection).results(job.number, after, limit, result)

    async def cancel(self, name: str) -> Job:
        """Cancel a job. One that runs ends after its present slice; what it did stays.

        :raises NotFoundError: 404.
        """
        async with self._database.transaction(as_service=True) as connection:
            jobs = JobRepository(connection)
            job = await self._visible(jobs, name)
            await jobs.cancel(job.number, datetime.now(UTC))
            return await self._visible(jobs, name)

    async def undo(self, name: str) -> Job:
        """Add the job that undoes another one, or return it if it was added before.

        :raises NotFoundError: 404.
        :raises NotUndoableError: 409, it has not ended, it is a dry run, or it undoes something itself.
        """
        async with self._database.transaction(as_service=True) as connection:
            jobs = JobRepository(connection)
            await jobs.lock_numbers()
            job = await self._visible(jobs, name)
            before = await jobs.get(job.undone_by) if job.undone_by is not None else None
            if before is not None and before.state not in {"cancelled", "failed"}:
                return before
            if job.state in ACTIVE or job.what.dry_run or job.what.kind != "push":
                raise NotUndoableError
            _check_room(await jobs.active(job.what.source))
            new = NewJob(
                source=job.what.source,
                organisation=job.what.organisation,
                author=author_of(self._access.principal).name,
                language=self._language,
                kind="undo",
                undoes=job.number,
                headings=job.what.headings,
                total=await jobs.count_changes(job.number),
            )
            undoing = await jobs.add(new, datetime.now(UTC))
            await jobs.set_undone(job.number, undoing.number)
        self._worker.wake()
        return undoing

    async def _visible(self, jobs: JobRepository, name: str) -> Job:
        number = job_number(name)
        job = None if number is None else await jobs.get(number)
        if job is None or (self._access.rows != "all" and job.what.organisation != self._access.principal.organisation):
            raise NotFoundError
        return job


def _check_room(active: Sequence[Job]) -> None:
    """:raises TooManyJobsError: 409."""
    if len(active) >= MAX_ACTIVE:
        raise TooManyJobsError
