"""SQL for jobs, their lines and results."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, delete, func, insert, literal, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.jobs.model import ACTIVE, Job, JobState, LineOutcome, Message, NewJob, unpacked, written
from services.registry.jobs.problems import LostJobError
from services.registry.jobs.tables import job_inputs, job_results, jobs
from services.registry.sources.partner.files import Item
from shared.access.policy import Rows

# Jobs are numbered in the order of their commits, so that a later one never runs before an earlier one.
_NUMBERING_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('cleio job numbers', 0))")


@dataclass(frozen=True, slots=True)
class JobNarrowing:
    """Which jobs to list. ``organisation``: None: of all."""

    organisation: str | None
    source: str | None = None
    state: JobState | None = None


class JobRepository:
    """Jobs in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def lock_numbers(self) -> None:
        """Let no other transaction add a job before this one ends. On SQLite there is one writer anyway."""
        if self.connection.dialect.name == "postgresql":
            await self.connection.execute(_NUMBERING_LOCK)

    async def add(self, new: NewJob, now: datetime) -> Job:
        """Store a job that waits. Call `lock_numbers` before."""
        greatest = (await self.connection.execute(select(func.max(jobs.c.number)))).scalar_one()
        number = (greatest or 0) + 1
        await self.connection.execute(
            insert(jobs).values(number=number, state="waiting", created_at=now, **written(new))
        )
        found = await self.get(number)
        assert found is not None
        return found

    async def add_lines(self, number: int, first: int, count: int, content: bytes) -> None:
        """Store lines, as `packed`. ``first``: the place of the first one."""
        await self.connection.execute(insert(job_inputs).values(job=number, first=first, count=count, content=content))

    async def get(self, number: int) -> Job | None:
        row = (await self.connection.execute(select(jobs).where(jobs.c.number == number))).one_or_none()
        return None if row is None else _job(row)

    async def active(self, source: str) -> list[Job]:
        """Return the jobs of a source that wait or run, in their order."""
        statement = select(jobs).where(jobs.c.source == source, jobs.c.state.in_(ACTIVE)).order_by(jobs.c.number)
        return [_job(row) for row in await self.connection.execute(statement)]

    async def page(self, narrowing: JobNarrowing, before: int | None, limit: int) -> list[Job]:
        """Return jobs, newest first, those with numbers below ``before``."""
        statement = select(jobs).order_by(jobs.c.number.desc()).limit(limit)
        for column, value in (
            (jobs.c.organisation, narrowing.organisation),
            (jobs.c.source, narrowing.source),
            (jobs.c.state, narrowing.state),
        ):
            if value is not None:
                statement = statement.where(column == value)
        if before is not None:
            statement = statement.where(jobs.c.number < before)
        return [_job(row) for row in await self.connection.execute(statement)]

    async def any_active(self) -> bool:
        """Return whether a job waits or runs."""
        found = await self.connection.execute(select(jobs.c.number).where(jobs.c.state.in_(ACTIVE)).limit(1))
        return found.first() is not None

    async def release_claims(self) -> None:
        """Let every job be claimed: no other process is alive."""
        await self.connection.execute(update(jobs).where(jobs.c.claimed_until.is_not(None)).values(claimed_until=None))

    async def claim(self, worker: str, now: datetime, lease: timedelta) -> Job | None:
        """Claim the first job whose turn it is and which no living process runs.

        Of each source only the oldest job that has not ended has its turn.
        """
        turns = select(func.min(jobs.c.number)).where(jobs.c.state.in_(ACTIVE)).group_by(jobs.c.source)
        free = or_(jobs.c.claimed_until.is_(None), jobs.c.claimed_until < now, jobs.c.claimed_by == worker)
        statement = select(jobs.c.number).where(jobs.c.number.in_(turns), free).order_by(jobs.c.number).limit(1)
        number = (await self.connection.execute(statement)).scalar_one_or_none()
        if number is None:
            return None
        claimed = await self.connection.execute(
            update(jobs)
            .where(jobs.c.number == number, jobs.c.state.in_(ACTIVE), free)
            .values(
                state="running",
                claimed_by=worker,
                claimed_until=now + lease,
                started_at=func.coalesce(jobs.c.started_at, literal(now, jobs.c.started_at.type)),
            )
        )
        return await self.get(number) if claimed.rowcount == 1 else None

    async def lines(self, number: int, place: int) -> tuple[int, list[Item]] | None:
        """Return the stored part with the line at a place, and the place of its first line; None: there is none."""
        statement = (
            select(job_inputs.c.first, job_inputs.c.content)
            .where(job_inputs.c.job == number, job_inputs.c.first <= place)
            .order_by(job_inputs.c.first.desc())
            .limit(1)
        )
        row = (await self.connection.execute(statement)).one_or_none()
        if row is None:
            return None
        items = unpacked(row.content)
        return (row.first, items) if place < row.first + len(items) else None

    async def commit_lines(
        self, job: Job, worker: str, outcomes: Sequence[LineOutcome], *, until: datetime, lines: int | None = None
    ) -> Job:
        """Store the results of the next lines in the transaction of their effects. Return the job as it is then.

        ``lines``: how many lines of the file are done with them; None: as many.

        :raises LostJobError: another process has taken the job over: nothing of this transaction may be committed.
        """
        counts = dict(job.counts)
        for one in outcomes:
            counts[one.result] = counts.get(one.result, 0) + 1
        place = sum(job.counts.values())
        if outcomes:
            await self.connection.execute(
                insert(job_results),
                [
                    {
                        "job": job.number,
                        "place": place + offset,
                        "line": one.line,
                        "source_id": one.source_id,
                        "result": one.result,
                        "trial_id": one.trial_id,
                        "detail": one.detail,
                        "before": one.before,
                    }
                    for offset, one in enumerate(outcomes)
                ],
            )
        done = job.done + (len(outcomes) if lines is None else lines)
        return await self._write(job, worker, done=done, counts=json.dumps(counts), claimed_until=until)

    async def finish(self, job: Job, worker: str, state: JobState, note: str | None, now: datetime) -> Job:
        """End a job; its lines are not needed any more.

        :raises LostJobError: another process has taken it over.
        """
        ended = await self._write(job, worker, state=state, note=note, ended_at=now, claimed_until=None)
        await self.connection.execute(delete(job_inputs).where(job_inputs.c.job == job.number))
        return ended

    async def _write(self, job: Job, worker: str, **values: Any) -> Job:
        written_rows = await self.connection.execute(
            update(jobs)
            .where(jobs.c.number == job.number, jobs.c.claimed_by == worker, jobs.c.done == job.done)
            .values(**values)
        )
        if written_rows.rowcount != 1:
            raise LostJobError
        found = await self.get(job.number)
        assert found is not None
        return found

    async def cancel(self, number: int, now: datetime) -> None:
        """Cancel a job that waits; ask the process that runs it to stop."""
        await self.connection.execute(
            update(jobs).where(jobs.c.number == number, jobs.c.state == "running").values(cancel_requested=True)
        )
        waiting = await self.connection.execute(
            update(jobs)
            .where(jobs.c.number == number, jobs.c.state == "waiting")
            .values(state="cancelled", cancel_requested=True, ended_at=now)
        )
        if waiting.rowcount == 1:
            await self.connection.execute(delete(job_inputs).where(job_inputs.c.job == number))

    async def set_undone(self, number: int, by: int) -> None:
        """Record which job undoes another one."""
        await self.connection.execute(update(jobs).where(jobs.c.number == number).values(undone_by=by))

    async def results(self, number: int, after: int, limit: int, result: str | None) -> list[tuple[int, LineOutcome]]:
        """Return results with their places, in the order of the file, those after a place."""
        statement = _RESULTS.where(job_results.c.job == number, job_results.c.place > after).limit(limit)
        if result is not None:
            statement = statement.where(job_results.c.result == result)
        rows = await self.connection.execute(statement.order_by(job_results.c.place))
        return [(row.place, _outcome(row)) for row in rows]

    async def changes(self, number: int, offset: int, limit: int) -> list[LineOutcome]:
        """Return results that changed what is stored, the last one first."""
        statement = (
            select(job_results)
            .where(job_results.c.job == number, job_results.c.before.is_not(None))
            .order_by(job_results.c.place.desc())
            .offset(offset)
            .limit(limit)
        )
        return [_outcome(row, row.before) for row in await self.connection.execute(statement)]

    async def count_changes(self, number: int) -> int:
        """Return how many results changed what is stored."""
        statement = select(func.count()).where(job_results.c.job == number, job_results.c.before.is_not(None))
        return int((await self.connection.execute(statement)).scalar_one())

    async def sent_ids(self, number: int) -> frozenset[str]:
        """Return the ids of the records in a file."""
        statement = select(job_results.c.source_id).where(job_results.c.job == number, job_results.c.line > 0)
        return frozenset(row.source_id for row in await self.connection.execute(statement) if row.source_id)

    async def last_missing(self, number: int) -> str:
        """Return the greatest id of a record that the job has reported as missing; empty: none."""
        statement = select(func.max(job_results.c.source_id)).where(
            job_results.c.job == number, job_results.c.line == 0, job_results.c.result == "source_missing"
        )
        return (await self.connection.execute(statement)).scalar_one() or ""

    async def is_complete(self, number: int) -> bool:
        """Return whether the number of every line of a file could be read."""
        unread = and_(job_results.c.job == number, job_results.c.line > 0, job_results.c.source_id.is_(None))
        return (await self.connection.execute(select(job_results.c.place).where(unread).limit(1))).first() is None

    async def delete_ended(self, before: datetime, limit: int = 20) -> None:
        """Delete jobs that ended before a time, with their results. The highest number stays: none is used twice."""
        kept = select(func.max(jobs.c.number)).scalar_subquery()
        old = (
            select(jobs.c.number)
            .where(jobs.c.ended_at < before, jobs.c.number < kept)
            .order_by(jobs.c.number)
            .limit(limit)
        )
        await self.connection.execute(delete(jobs).where(jobs.c.number.in_(old)))


_RESULTS: Select[Any] = select(*(column for column in job_results.c if column.name != "before"))


def narrowed(rows: Rows, organisation: str | None) -> str | None:
    """Return the organisation whose jobs a caller may see; None: all of them."""
    return None if rows == "all" else organisation or ""


def _job(row: Any) -> Job:
    what = NewJob(
        source=row.source,
        organisation=row.organisation,
        author=row.author,
        language=row.language,
        kind=row.kind,
        undoes=row.undoes,
        dry_run=row.dry_run,
        full=row.full,
        headings=json.loads(row.headings),
        unknown=json.loads(row.unknown),
        total=row.total,
        body_hash=row.body_hash,
    )
    return Job(
        row.number,
        what,
        row.state,
        row.done,
        json.loads(row.counts),
        row.created_at,
        row.started_at,
        row.ended_at,
        row.cancel_requested,
        row.note,
        row.undone_by,
    )


def _outcome(row: Any, before: str | None = None) -> LineOutcome:
    detail = json.loads(row.detail)
    return LineOutcome(
        row.line,
        row.source_id,
        row.result,
        detail["trial"],
        row.trial_id,
        detail["scope"],
        tuple(Message(*one) for one in detail["messages"]),
        tuple(detail["changed"]),
        before,
    )
