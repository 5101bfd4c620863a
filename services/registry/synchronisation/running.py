"""Runs the synchronisation of one source: claim it, fetch its pages, import each, and store how far it came."""

import asyncio
import hashlib
import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from services.registry.schema import FEED
from services.registry.sources.importing import ImportService
from services.registry.sources.reading_processes import ReadingProcesses
from services.registry.sources.schemas import LineResult
from services.registry.synchronisation.events import change_of_record, change_of_source
from services.registry.synchronisation.model import UNKNOWN, Connector, Item, Listing, Page, Run, SourceError, SyncState
from services.registry.synchronisation.plan import SyncPlan
from services.registry.synchronisation.repository import SyncRepository, listed_before, no_fault, one_of
from services.registry.trials.rules import TrialRules
from shared.persistence import Database
from shared.values.problems import Problem
from shared.values.wire import write_instant

logger = logging.getLogger(__name__)

# Longer than a page takes, with all time limits of its requests.
CLAIM: Final = timedelta(minutes=5)
LONGEST_WAIT: Final = timedelta(hours=1)
# After so many faults at one page its records are asked for one by one.
FAULTS_BEFORE_SINGLES: Final = 3
# A listing of fewer records than the source says is repeated: records move between pages while it is read.
MOST_BEGINS: Final = 3
# A complete listing with fewer than half of the records known before is not believed.
PLAUSIBLE_SHARE: Final = 0.5
FEW_RECORDS: Final = 10
RETRIED_AT_ONCE: Final = 50
FIRST_QUARANTINE: Final = timedelta(hours=1)
LONGEST_QUARANTINE: Final = timedelta(days=7)


class ClaimLostError(Exception):
    """Another replica works on the source, or a person cancelled the run."""


@dataclass(frozen=True, slots=True)
class Synchroniser:
    """Synchronises one source. Opens its own transactions, as the service itself.

    ``rules``: returns the present rules of reading. ``processes``: for large pages.
    """

    source: str
    plan: SyncPlan
    connector: Connector
    database: Database
    rules: Callable[[], TrialRules]
    processes: ReadingProcesses | None = None

    async def work(self) -> bool:
        """Do one run, or go on with one, to its end or to a fault. Return False if there is nothing to do."""
        async with self.database.read() as connection:
            if not await SyncRepository(connection).is_due(self.source, _now()):
                return False
        async with self.database.transaction() as connection:
            state = await SyncRepository(connection).claim(self.source, _now(), _now() + CLAIM)
        if state is None:
            return False
        try:
            await self._continue(state)
        except ClaimLostError:
            logger.info("sync_claim_lost", extra={"source": self.source})
        except asyncio.CancelledError:
            # The service stops: another replica, or its next start, goes on at once.
            async with self.database.transaction() as connection:
                await SyncRepository(connection).unclaim(state)
            raise
        return True

    async def _continue(self, state: SyncState) -> None:
        run = state.run or await self._begin(state)
        try:
            while (following := await self._next_page(state, run)) is not None:
                run, state = following, replace(state, failures=0, failing_since=None)
        except SourceError as fault:
            await self._fail(state, run, fault)
        except Problem as problem:
            await self._fail(state, run, SourceError(problem.code))
        except ClaimLostError:
            raise
        except Exception:
            logger.exception("sync_broken", extra={"source": self.source})
            await self._fail(state, run, SourceError("failed", "see the log of the registry"))

    async def _next_page(self, state: SyncState, before: Run) -> Run | None:
        """Fetch and store the next page of a run; return the run after it, or None at its end.

        :raises SourceError: the source did not answer as it should; nothing of the page counts as fetched.
        :raises ClaimLostError: nothing more may be stored.
        """
        page = await self.connector.fetch(before.position, singly=state.failures >= FAULTS_BEFORE_SINGLES)
        passed = [*before.passed, _hash(before.position)]
        if page.following is not None and _hash(page.following) in passed:
            raise SourceError("repeated_page", restarts=True)
        results, listings = await self._import(page.items, dry_run=before.dry_run, run=before.number)
        run = replace(
            before,
            position=page.following or before.position,
            whole=self.connector.listed(before.position),
            pages=before.pages + 1,
            records=before.records + len(page.items),
            total=page.total if page.total is not None else before.total,
            counts=dict(sorted((Counter(before.counts) + results).items())),
            passed=passed,
        )
        if page.following is not None:
            await self._store(state, run, page, listings)
            return run
        await self._retry_quarantine(run)
        await self._end(state, run, page, listings)
        return None

    async def _begin(self, state: SyncState) -> Run:
        """Begin a run: what was asked for, else a complete listing when it is time for one, else what changed."""
        asked, now = state.requested, _now()
        is_listed = state.listed_at is not None and now - state.listed_at < timedelta(days=self.plan.full_days)
        cursor = state.cursor if is_listed or asked is not None else None
        if asked is not None and asked.full:
            cursor = None
        elif asked is not None and asked.since is not None:
            # Never later than what was fetched before: nothing in between is passed over.
            cursor = min(asked.since, cursor or asked.since)
        position = self.connector.first(cursor, now.date())
        is_whole, is_dry = self.connector.listed(position), asked is not None and asked.dry_run
        run = Run(state.runs + 1, write_instant(now), cursor, position, is_whole, dry_run=is_dry)
        async with self.database.transaction() as connection:
            # What is asked for from now on is another run.
            if not await SyncRepository(connection).keep(state, run, now + CLAIM, requested=None, runs=run.number):
                raise ClaimLostError
        return run

    async def _import(self, items: Sequence[Item], run: int, *, dry_run: bool) -> tuple[Counter[str], list[Listing]]:
        """Import records, each slice in its own transaction; return the results and how each is listed from now on."""
        lines = [item.record for item in items if item.record is not None]
        service = ImportService(self.source, self.database, self.rules(), "en", self.processes)
        results = await service.run(lines, dry_run=dry_run) if lines else []
        left = iter(results)
        found = [_listing(item, next(left) if item.record is not None else None, run) for item in items]
        counts: Counter[str] = Counter(one.result for one in results)
        counts.update("quarantined" for one in found if one.fault is not None)
        return counts, list({one.source_id: one for one in found}.values())

    async def _store(self, state: SyncState, run: Run, page: Page, listings: Sequence[Listing]) -> None:
        """Store how far a run came: after this the page is not fetched again."""
        async with self.database.transaction() as connection:
            repository = SyncRepository(connection)
            if not await repository.keep(state, run, _now() + CLAIM, **no_fault()):
                raise ClaimLostError
            if not run.dry_run:
                await self._save(repository, run, page, listings)

    async def _save(self, repository: SyncRepository, run: Run, page: Page, listings: Sequence[Listing]) -> None:
        known = await repository.listed(self.source, [one.source_id for one in listings])
        saved = [_after(known[one.source_id], one) if one.source_id in known else one for one in listings]
        await repository.save(self.source, saved, known)
        back = [one.source_id for one in listings if one.source_id in known and known[one.source_id].missing_since]
        gone = await repository.mark_missing(self.source, _now(), one_of(page.gone)) if page.gone else []
        await self._record_events(repository, run, gone, back)

    async def _end(self, state: SyncState, run: Run, page: Page, listings: Sequence[Listing]) -> None:
        """End a run, or list again what was incomplete.

        :raises SourceError: the listing cannot be believed yet.
        """
        async with self.database.transaction() as connection:
            repository = SyncRepository(connection)
            if not await repository.keep(state, run, _now() + CLAIM):
                raise ClaimLostError
            missing: list[str] = []
            fault: SourceError | None = None
            if not run.dry_run:
                before = await repository.count(self.source)
                await self._save(repository, run, page, listings)
                fault = await self._doubt(repository, run, before)
                if fault is not None and run.begins < MOST_BEGINS:
                    raise fault
                if run.whole and fault is None:
                    missing = await repository.mark_missing(self.source, _now(), listed_before(run.number))
                    await self._record_events(repository, run, missing, [])
                if run.records or missing:
                    FEED.record(connection, change_of_source(self.source, run.number))
            await repository.keep(state, None, None, **self._ended(run, page.cursor, len(missing), fault))
        logger.info("sync_ended", extra={"source": self.source, "records": run.records})

    async def _doubt(self, repository: SyncRepository, run: Run, before: int) -> SourceError | None:
        """Return why a listing cannot be complete. ``before``: how many records were listed before its last page."""
        found = await repository.count(self.source, run=run.number)
        if run.total is not None and found < run.total:
            return SourceError("incomplete_listing", f"{found} of {run.total} records", restarts=True)
        if run.whole and before >= FEW_RECORDS and found < PLAUSIBLE_SHARE * before:
            return SourceError("implausible_listing", f"{found} records, {before} before", restarts=True)
        return None

    async def _record_events(
        self, repository: SyncRepository, run: Run, gone: Sequence[str], back: Sequence[str]
    ) -> None:
        """Record the events of records that are missing, or that came back."""
        of = await repository.trials(self.source, [*gone, *back]) if gone or back else {}
        for one in gone:
            FEED.record(repository.connection, change_of_record("source.missing", self.source, one, run.number, of))
        for one in back:
            FEED.record(repository.connection, change_of_record("source.found", self.source, one, run.number, of))

    def _ended(self, run: Run, cursor: str | None, missing: int, fault: SourceError | None) -> dict[str, object]:
        """Return the values of a source after a run. With a fault nothing counts as fetched completely."""
        now = _now()
        summary = {
            "number": run.number,
            "began_at": run.began_at,
            "ended_at": write_instant(now),
            "whole": run.whole,
            "dry_run": run.dry_run,
            "pages": run.pages,
            "records": run.records,
            "counts": run.counts,
            "missing": missing,
            "fault": fault.code if fault is not None else None,
        }
        due = None if self.plan.hours is None else max(run.began + timedelta(hours=self.plan.hours), now)
        ended = {**no_fault(), "last_run": json.dumps(summary)}
        if fault is not None:
            return {**ended, "due_at": due, "fault": fault.code, "fault_detail": fault.detail, "failing_since": now}
        if run.dry_run:
            return ended
        listed = {"listed_at": run.began} if run.whole else {}
        return {**ended, "due_at": due, "cursor": cursor, "cursor_at": run.began, **listed}

    async def _retry_quarantine(self, run: Run) -> None:
        """Fetch records in quarantine again, each on its own."""
        if run.dry_run:
            return
        async with self.database.read() as connection:
            waiting = await SyncRepository(connection).faulty(self.source, _now(), RETRIED_AT_ONCE)
        for one in waiting:
            try:
                item = await self.connector.record(one.source_id)
            except SourceError as fault:
                item = Item(one.source_id, None, fault.code)
            if item is None:
                continue
            _, (listing,) = await self._import([item], one.run, dry_run=False)
            kept = replace(listing, source_id=one.source_id)
            async with self.database.transaction() as connection:
                await SyncRepository(connection).save(self.source, [_after(one, kept)], [one.source_id])

    async def _fail(self, state: SyncState, run: Run, fault: SourceError) -> None:
        """Store a fault and when to try again; the run stays where it was, or begins its listing again."""
        now, failures = _now(), state.failures + 1
        wait = min(timedelta(seconds=self.plan.retry_seconds) * 2 ** min(failures - 1, 12), LONGEST_WAIT)
        # Not a secret: spreads the retries of several sources.
        wait = max(wait * random.uniform(0.8, 1.2), timedelta(seconds=min(fault.retry_after or 0, 86_400)))  # noqa: S311
        if fault.restarts:
            run.position = self.connector.first(run.cursor, run.began.date())
            run.passed, run.begins = [], run.begins + 1
        values = {
            "failures": failures,
            "fault": fault.code,
            "fault_detail": fault.detail or None,
            "failing_since": state.failing_since or now,
            "retry_at": now + wait,
        }
        async with self.database.transaction() as connection:
            await SyncRepository(connection).keep(state, run, None, **values)
        logger.warning("sync_failed", extra={"source": self.source, "error_class": fault.code, "failures": failures})


def _listing(item: Item, result: LineResult | None, run: int) -> Listing:
    """Return how a record is listed. ``result``: of its import; None: it could not be had."""
    source_id = (result.source_id if result is not None else None) or item.source_id
    if source_id is None:
        source_id = f"{UNKNOWN}{hashlib.sha256(item.record or b'').hexdigest()[:32]}"
    listing = Listing(source_id, run, _now())
    if result is None:
        return _in_quarantine(listing, item.fault, "")
    if result.result == "invalid":
        error = result.errors[0]
        return _in_quarantine(listing, error.code, f"{error.pointer} {error.detail}".strip())
    return listing


def _in_quarantine(listing: Listing, code: str, detail: str) -> Listing:
    at = listing.seen_at
    return replace(
        listing, fault=code[:40], fault_detail=detail[:500], faulty_since=at, attempts=1, retry_at=at + FIRST_QUARANTINE
    )


def _after(before: Listing, now: Listing) -> Listing:
    """Return how a record is listed now; one that stays in quarantine is tried less and less often."""
    if before.faulty_since is None or now.fault is None:
        return now
    wait = min(FIRST_QUARANTINE * 2 ** min(before.attempts, 12), LONGEST_QUARANTINE)
    return replace(now, faulty_since=before.faulty_since, attempts=before.attempts + 1, retry_at=now.seen_at + wait)


def _hash(position: object) -> str:
    return hashlib.sha256(json.dumps(position, sort_keys=True).encode()).hexdigest()[:16]


def _now() -> datetime:
    return datetime.now(UTC)
