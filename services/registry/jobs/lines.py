"""Imports the lines of a push in slices, each committed with its results."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from time import perf_counter
from typing import Final

from services.registry.jobs.messages import changed_since, line_messages, not_put_back, seen_again, unreadable
from services.registry.jobs.model import Job, LineOutcome
from services.registry.jobs.repository import JobRepository
from services.registry.records.repository import UNSETTLED, WAITING, SourceRecord
from services.registry.records.states.model import Change, RecordState
from services.registry.records.states.repository import Newest, RecordStates
from services.registry.sources.importing import PAUSE_SHARE, ImportService
from services.registry.sources.partner.files import Item
from services.registry.sources.preparing import MAX_LINE_BYTES, Draft, Line, LinePreparer
from services.registry.sources.service import REPEATED, SourceService
from services.registry.trials.assignments.model import Entry
from services.registry.trials.model import Head
from services.registry.trials.repository import TrialRepository
from services.registry.trials.routing import change_of_review
from shared.persistence import Database, Writing
from shared.values.problems import Problem

logger = logging.getLogger(__name__)

# Lines that are read at once before they are written.
READ_LINES: Final = 10
# A slice ends after this time, so that other writers wait no longer, and after 200 lines.
SLICE_SECONDS: Final = 0.2
# Another process takes a job over when the one that runs it has not committed anything for so long.
LEASE: Final = timedelta(seconds=30)


def lease() -> datetime:
    """Return until when a claim holds that is renewed now."""
    return datetime.now(UTC) + LEASE


@dataclass(frozen=True, slots=True)
class _Part:
    """Lines, and what is known of them: of records by id, of trials by key; and what was read, by place."""

    items: Sequence[Item]
    known: Mapping[str, Newest]
    heads: Mapping[str, Head]
    lines: Mapping[int, Line]
    drafts: Mapping[int, Draft | Problem]


class LineRunner:
    """Runs the lines of pushes. ``worker``: the name under which this process claims jobs."""

    def __init__(self, database: Database, worker: str) -> None:
        self.database = database
        self.worker = worker

    async def run(self, job: Job, imports: ImportService, preparer: LinePreparer, items: Sequence[Item]) -> Job:
        """Import lines and commit them with their results, until they are done or the job is to be cancelled.

        :raises Problem: 409, another process has taken over the job; or the database is not available.
        """
        async with self.database.read() as connection:
            ids = [one.source_id for one in items if one.source_id is not None]
            known = await RecordStates(connection, job.what.source).newest(ids)
            keys = {one.record.trial_key for one in known.values() if one.record.trial_key is not None}
            heads = await TrialRepository(connection).heads(keys)
        to_read = [
            (place, one.content)
            for place, one in enumerate(items)
            if one.content is not None and not _is_settled(one, known, preparer.version)
        ]
        reading = await imports.reading(preparer, to_read)
        lines = {line.number: line for line in await reading.parse(to_read, MAX_LINE_BYTES)} if to_read else {}
        part = _Part(items, known, heads, lines, {})
        at = 0
        readable = [line for line in lines.values() if line.problem is None]
        async with aclosing(reading.read(readable, READ_LINES)) as slices:
            async for read, drafts in slices:
                last = read[-1].number + 1
                job, at = await self._commit_all(job, imports, preparer, replace(part, drafts=drafts), at, last)
                if job.cancel_requested:
                    return job
        job, _ = await self._commit_all(job, imports, preparer, part, at, len(items))
        return job

    async def _commit_all(
        self, job: Job, imports: ImportService, preparer: LinePreparer, part: _Part, at: int, end: int
    ) -> tuple[Job, int]:
        while at < end and not job.cancel_requested:
            job, at = await self._commit_safely(job, imports, preparer, part, at, end)
        return job, at

    async def _commit_safely(
        self, job: Job, imports: ImportService, preparer: LinePreparer, part: _Part, at: int, end: int
    ) -> tuple[Job, int]:
        """Commit a slice. A line that fails in an unexpected way costs only itself."""
        for until, skip in ((end, False), (at + 1, False), (at + 1, True)):
            try:
                return await self._commit(job, imports, preparer, part, at, until, skip=skip)
            except (Problem, OSError):
                raise
            except Exception:
                logger.exception("a slice of the job %s failed at line %s", job.number, part.items[at].line)
        raise AssertionError("a slice without lines failed")

    async def _commit(
        self,
        job: Job,
        imports: ImportService,
        preparer: LinePreparer,
        part: _Part,
        at: int,
        end: int,
        *,
        skip: bool,
    ) -> tuple[Job, int]:
        outcomes: list[LineOutcome] = []
        started = perf_counter()
        async with self.database.transaction() as connection:
            savepoint = await connection.begin_nested()
            service = imports.service(connection, preparer)
            stored = await service.stored([part.lines[place] for place in range(at, end) if place in part.lines])
            while at < end and perf_counter() - started < SLICE_SECONDS:
                begun = perf_counter()
                item = part.items[at]
                outcomes.append(
                    LineOutcome(item.line, item.source_id, "invalid", messages=(unreadable(job.what.language),))
                    if skip
                    else await self._line(job, service, part, at, stored)
                )
                if at in part.lines:
                    await asyncio.sleep(PAUSE_SHARE * (perf_counter() - begun))
                at += 1
            await (savepoint.rollback() if job.what.dry_run else savepoint.commit())
            job = await JobRepository(connection).commit_lines(job, self.worker, outcomes, until=lease())
        await asyncio.sleep(PAUSE_SHARE * (perf_counter() - started) if part.lines else 0)
        return job, at

    async def _line(
        self, job: Job, service: SourceService, part: _Part, at: int, stored: dict[str, SourceRecord]
    ) -> LineOutcome:
        item, line, draft = part.items[at], part.lines.get(at), part.drafts.get(at)
        language = job.what.language
        if item.source_id is None or item.content is None:
            return LineOutcome(item.line, item.source_id, "invalid", messages=line_messages(item, None, language))
        if line is None:
            return await self._settled(job, service, part, item)
        problem = line.problem or (draft if isinstance(draft, Problem) else None)
        if problem is not None or not isinstance(draft, Draft):
            result = await service.report_unchanged(Line(item.line, problem=problem), None)
            return LineOutcome(item.line, item.source_id, "invalid", messages=line_messages(item, result, language))
        connection = service.records.connection
        states = RecordStates(connection, job.what.source)
        before = await states.get(item.source_id)
        numbers = await self._numbers(connection, before)
        result = await service.import_line(line, draft, stored)
        if before is not None and before.is_missing:
            await states.mark([item.source_id], None)
        after = await states.get(item.source_id)
        tried = job.what.dry_run and result.result == "created"  # such an id goes to another trial
        return LineOutcome(
            item.line,
            item.source_id,
            result.result,
            result.trial,
            None if tried else result.trial_id,
            result.scope,
            line_messages(item, result, language),
            tuple(result.changed),
            None if job.what.dry_run else _change(before, after, numbers),
        )

    async def _settled(self, job: Job, service: SourceService, part: _Part, item: Item) -> LineOutcome:
        """Report a record that is stored in this form."""
        assert item.source_id is not None
        newest = part.known[item.source_id]
        key = newest.record.trial_key
        head = part.heads.get(key) if key is not None else None
        messages = line_messages(item, None, job.what.language)
        before = None
        if newest.is_missing:
            states = RecordStates(service.records.connection, job.what.source)
            was = await states.get(item.source_id)
            await states.mark([item.source_id], None)
            before = _change(was, await states.get(item.source_id), ())
            messages = (*messages, seen_again(job.what.language))
        scope = None if head is None else "in_scope" if head.scope is None else head.scope.answer
        trial = None if head is None else head.identifier
        present = None if head is None else head.key
        return LineOutcome(item.line, item.source_id, "unchanged", trial, present, scope, messages, (), before)

    @staticmethod
    async def _numbers(connection: Writing, before: RecordState | None) -> tuple[str, ...]:
        """Return the names that the trial of a record has before the record changes."""
        if before is None or before.trial_key is None:
            return ()
        return tuple(sorted((await TrialRepository(connection).get(before.trial_key)).aliases))

    async def mark_missing(self, job: Job, source_ids: Sequence[str]) -> Job:
        """Mark records as missing from their source, and commit that."""
        outcomes = []
        now = datetime.now(UTC)
        async with self.database.transaction() as connection:
            states = RecordStates(connection, job.what.source)
            savepoint = await connection.begin_nested()
            for source_id in source_ids:
                before = await states.get(source_id)
                await states.mark([source_id], now)
                after = await states.get(source_id)
                key = None if after is None else after.trial_key
                change = None if job.what.dry_run else _change(before, after, ())
                outcomes.append(LineOutcome(0, source_id, "source_missing", trial_id=key, before=change))
            await (savepoint.rollback() if job.what.dry_run else savepoint.commit())
            return await JobRepository(connection).commit_lines(job, self.worker, outcomes, until=lease(), lines=0)

    async def put_back(
        self, job: Job, imports: ImportService, preparer: LinePreparer, changes: Sequence[LineOutcome]
    ) -> Job:
        """Put records back to what they were before some lines, and commit that."""
        outcomes: list[LineOutcome] = []
        started = perf_counter()
        async with self.database.transaction() as connection:
            service = imports.service(connection, preparer)
            for one in changes:
                if outcomes and perf_counter() - started > SLICE_SECONDS:
                    break
                begun = perf_counter()
                outcomes.append(await self._put_back(job, service, one))
                await asyncio.sleep(PAUSE_SHARE * (perf_counter() - begun))
            return await JobRepository(connection).commit_lines(job, self.worker, outcomes, until=lease())

    async def _put_back(self, job: Job, service: SourceService, one: LineOutcome) -> LineOutcome:
        assert one.source_id is not None
        assert one.before is not None
        connection = service.records.connection
        change = Change.load(one.before)
        states = RecordStates(connection, job.what.source)
        present = await states.get(one.source_id)
        if present is None or not present.is_same(change.after):
            messages = (changed_since(job.what.language),)
            return LineOutcome(one.line, one.source_id, "kept", one.trial, one.trial_id, messages=messages)
        before = change.before
        had_trial = before.trial_key if before is not None else None
        try:
            async with connection.begin_nested():
                await states.put_back(one.source_id, before, datetime.now(UTC))
                await self._record_release(job, service, one.source_id, change)
                if before is None or before.values["reading"] != change.after.values["reading"]:
                    for key in sorted({change.after.trial_key, had_trial} - {None}, key=str):
                        assert key is not None
                        numbers = change.numbers if key == had_trial else None
                        await service.trials.merger.merge_present(key, numbers, job.what.source)
        except Problem as problem:
            if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            messages = (not_put_back(problem, job.what.language),)
            return LineOutcome(one.line, one.source_id, "kept", one.trial, one.trial_id, messages=messages)
        return LineOutcome(one.line, one.source_id, "restored", one.trial, one.trial_id)

    async def _record_release(self, job: Job, service: SourceService, source_id: str, change: Change) -> None:
        """Record what followers of the queue and of the log of assignments must know of a record that was put back."""
        source, result = job.what.source, change.after.values["result"]
        if result in WAITING:
            service.trials.writer.record(change_of_review("closed", f"{result}:{source}:{source_id}", None))
        trial = change.after.trial_key
        if trial is not None and change.before is not None and change.before.trial_key is None:
            entry = Entry(
                "released", trial, None, source, source_id, job.what.author, f"{job.id} undoes {job.what.undoes}"
            )
            await service.assignments.add(entry, datetime.now(UTC))


def _is_settled(item: Item, known: Mapping[str, Newest], rules: str) -> bool:
    """Return whether the record of a line is stored in this form and read by these rules, and nothing is to be said."""
    newest = known.get(item.source_id or "")
    return (
        newest is not None
        and newest.bytes_hash == item.bytes_hash
        and newest.record.rules == rules
        and newest.record.result not in UNSETTLED
        and newest.record.result not in REPEATED
    )


def _change(before: RecordState | None, after: RecordState | None, numbers: tuple[str, ...]) -> str | None:
    """Return how to put a record back; None if it did not change."""
    if after is None or (before is not None and before.is_same(after)):
        return None
    return Change(before, after, numbers).dump()
