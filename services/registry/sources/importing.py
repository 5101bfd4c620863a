"""Imports many lines in slices: records are parsed and read in a thread, and each slice is committed on its own.

Between two lines other requests get their turn, and the write lock is never kept for longer than one slice. If a slice
fails, the slices before it stay: a repeated import finds their records unchanged.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter

from services.registry.centres.repository import CentreRepository
from services.registry.records.originals import MAX_BYTES
from services.registry.records.repository import SourceRecord, SourceRepository
from services.registry.scope import rules_version
from services.registry.sources.places import centre_rules
from services.registry.sources.preparing import MAX_LINE_BYTES, Draft, Line, LinePreparer
from services.registry.sources.problems import DamagedRecordError
from services.registry.sources.readers import reader_of
from services.registry.sources.schemas import LineResult, RereadResult
from services.registry.sources.service import SourceService
from services.registry.trials.repository import TrialRepository
from services.registry.trials.rules import TrialRules
from services.registry.trials.service import TrialService
from shared.persistence import Database, Writing
from shared.values.language import Language
from shared.values.problems import NotFoundError, Problem

SLICE_LINES = 5
# After each line other requests get at least this share of the time that the line took.
PAUSE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class ImportService:
    """Imports of one source. Opens its own transactions."""

    source: str
    database: Database
    rules: TrialRules
    language: Language

    async def run(self, lines: Sequence[bytes], *, dry_run: bool) -> list[LineResult]:
        """Import the lines that are not blank, or only report what would become of them.

        A dry run rolls each slice back, so lines of different slices do not see each other.
        """
        numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
        return await self._import(await self._preparer(), numbered, MAX_LINE_BYTES, dry_run=dry_run)

    async def reread(self, after: str, limit: int, *, dry_run: bool) -> RereadResult:
        """Read stored records again that other rules have read, or that wait for something else to change.

        Those with ids after ``after``, in the order of ids, at most ``limit``.
        """
        preparer = await self._preparer()
        async with self.database.read() as connection:
            records = SourceRepository(connection, self.source)
            left = await records.count_outdated(preparer.version, after)
            found = await records.outdated(preparer.version, after, limit)
        numbered = list(enumerate(found, start=1))
        lines = [(number, content) for number, (_, content) in numbered if content is not None]
        results = await self._import(preparer, lines, MAX_BYTES, dry_run=dry_run)
        damaged = [
            Line(number, name, problem=DamagedRecordError()) for number, (name, content) in numbered if content is None
        ]
        async with self.database.read() as connection:
            service = self._service(connection, preparer)
            results += [await service.report_unchanged(line, None, None) for line in damaged]
        return RereadResult(
            results=[one for one in results if one.result != "unchanged"],
            counts=dict(sorted(Counter(one.result for one in results).items())),
            left=left - len(found),
            next=found[-1][0] if left > len(found) else None,
        )

    async def _import(
        self, preparer: LinePreparer, lines: Sequence[tuple[int, bytes]], most: int, *, dry_run: bool
    ) -> list[LineResult]:
        results: list[LineResult] = []
        for start in range(0, len(lines), SLICE_LINES):
            parsed = await asyncio.to_thread(preparer.parse, lines[start : start + SLICE_LINES], most)
            results += await self._import_slice(preparer, parsed, dry_run=dry_run)
        return results

    async def _preparer(self) -> LinePreparer:
        async with self.database.read() as connection:
            centres = await CentreRepository(connection).page(None, 200)
        # Illustrative centres stand in for members whose names are not public: no location is theirs.
        members = [centre for centre in centres if centre.member and not centre.illustrative]
        rules = centre_rules((centre.id, centre.name, centre.city) for centre in members)
        reader = reader_of(self.source)
        if reader is None:
            raise NotFoundError
        return LinePreparer(reader, self.rules, rules_version, rules)

    async def _import_slice(self, preparer: LinePreparer, parsed: Sequence[Line], *, dry_run: bool) -> list[LineResult]:
        async with self.database.read() as connection:
            known = await self._service(connection, preparer).stored(parsed)
        changed = [line for line in parsed if line.record is not None and not _is_read(line, known, preparer.version)]
        # The reasons of refusals are not stored: they are found again to be reported.
        refused = [line for line in parsed if line not in changed and _was_refused(line, known)]
        to_read = [*changed, *refused]
        read = await asyncio.to_thread(preparer.read, to_read) if to_read else {}
        drafts = {number: draft for number, draft in read.items() if isinstance(draft, Draft)}
        failed = {number: problem for number, problem in read.items() if isinstance(problem, Problem)}
        parsed = [replace(line, problem=failed.get(line.number, line.problem)) for line in parsed]
        changed = [line for line in changed if line.number in drafts]
        results = await self._write(preparer, changed, drafts, dry_run=dry_run) if changed else {}
        async with self.database.read() as connection:
            service = self._service(connection, preparer)
            for line in parsed:
                if line.number not in results:
                    stored = known.get(line.source_id or "")
                    results[line.number] = await service.report_unchanged(line, stored, drafts.get(line.number))
        return [results[number] for number in sorted(results)]

    async def _write(
        self, preparer: LinePreparer, lines: Sequence[Line], drafts: dict[int, Draft], *, dry_run: bool
    ) -> dict[int, LineResult]:
        results = {}
        async with self.database.transaction() as connection:
            savepoint = await connection.begin_nested()
            service = self._service(connection, preparer)
            for line in lines:
                started = perf_counter()
                results[line.number] = await service.import_line(line, drafts[line.number])
                await asyncio.sleep(PAUSE_SHARE * (perf_counter() - started))
            await (savepoint.rollback() if dry_run else savepoint.commit())
        return results

    def _service(self, connection: Writing, preparer: LinePreparer) -> SourceService:
        trials = TrialService(TrialRepository(connection), CentreRepository(connection), self.rules)
        return SourceService(trials, SourceRepository(connection, self.source), preparer, self.language)


def _is_read(line: Line, known: dict[str, SourceRecord], rules: str) -> bool:
    """Return whether the record of a line is stored in this form and read by these rules."""
    stored = known.get(line.source_id or "")
    return stored is not None and line.original is not None and stored.is_read(line.original.canonical_hash, rules)


def _was_refused(line: Line, known: dict[str, SourceRecord]) -> bool:
    stored = known.get(line.source_id or "")
    return line.record is not None and stored is not None and stored.result == "refused"
