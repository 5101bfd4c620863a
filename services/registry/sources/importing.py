"""Imports many lines in slices: records are parsed and read in a thread, and each slice is committed on its own.

Between two lines other requests get their turn, and the write lock is never kept for longer than one slice. If a slice
fails, the slices before it stay: a repeated import finds their records unchanged.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from time import perf_counter

from services.registry.centres.repository import CentreRepository
from services.registry.centres.schemas import Centre
from services.registry.records.originals import MAX_BYTES
from services.registry.records.repository import SourceRecord, SourceRepository
from services.registry.scope import rules_version
from services.registry.sources.places import centre_rules
from services.registry.sources.preparing import MAX_LINE_BYTES, Draft, Line, LinePreparer
from services.registry.sources.problems import DamagedRecordError
from services.registry.sources.reader import SourceReader
from services.registry.sources.readers import reader_of
from services.registry.sources.reading_lines import LineReading
from services.registry.sources.reading_processes import FEWEST, ReadingProcesses
from services.registry.sources.schemas import LineResult, RereadResult
from services.registry.sources.seen import Seen
from services.registry.sources.service import JUDGED, SourceService
from services.registry.terminology.repository import TerminologyRepository
from services.registry.trials.repository import TrialRepository
from services.registry.trials.rules import TrialRules
from services.registry.trials.service import TrialService
from shared.persistence import Database, Writing
from shared.values.language import Language
from shared.values.problems import NotFoundError, Problem

SLICE_LINES = 5
# Parsed and looked up at once.
PARSED_LINES = 50
# After each line other requests get at least this share of the time that the line took.
PAUSE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class ImportService:
    """Imports of one source. Opens its own transactions. ``processes``: for the records of large imports."""

    source: str
    database: Database
    rules: TrialRules
    language: Language
    processes: ReadingProcesses | None = None

    async def run(self, lines: Sequence[bytes], *, dry_run: bool) -> list[LineResult]:
        """Import the lines that are not blank, or only report what would become of them.

        A dry run rolls each slice back, so lines of different slices do not see each other.
        """
        numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
        return await self._import(await self.preparer(), numbered, MAX_LINE_BYTES, dry_run=dry_run)

    async def reread(self, after: str, limit: int, *, dry_run: bool) -> RereadResult:
        """Read stored records again that other rules have read, or that wait for something else to change.

        Those with ids after ``after``, in the order of ids, at most ``limit``.
        """
        preparer = await self.preparer()
        async with self.database.read() as connection:
            records = SourceRepository(connection, self.source)
            left = await records.count_outdated(preparer.version, after)
            found = await records.outdated(preparer.version, after, limit)
        numbered = list(enumerate(found, start=1))
        lines = [(number, content) for number, (_, content) in numbered if content is not None]
        results = await self._import(preparer, lines, MAX_BYTES, dry_run=dry_run)
        damaged = [
            Line(number, seen=Seen(name, ""), problem=DamagedRecordError())
            for number, (name, content) in numbered
            if content is None
        ]
        async with self.database.read() as connection:
            service = self.service(connection, preparer)
            results += [await service.report_unchanged(line, None) for line in damaged]
        return RereadResult(
            results=[one for one in results if one.result != "unchanged"],
            counts=dict(sorted(Counter(one.result for one in results).items())),
            left=left - len(found),
            next=found[-1][0] if left > len(found) else None,
        )

    async def _import(
        self, preparer: LinePreparer, lines: Sequence[tuple[int, bytes]], most: int, *, dry_run: bool
    ) -> list[LineResult]:
        """Report the unchanged records of many lines at once; read and write the others in slices."""
        results: list[LineResult] = []
        reading = await self.reading(preparer, lines)
        for start in range(0, len(lines), PARSED_LINES):
            parsed = await reading.parse(lines[start : start + PARSED_LINES], most)
            async with self.database.read() as connection:
                service = self.service(connection, preparer)
                known = await service.stored(parsed)
                unchanged, others = _sorted_out(parsed, known, preparer.version)
                results += await service.report_all_unchanged(unchanged, known)
            for line in unchanged:
                preparer.remember(line)
            async with aclosing(reading.read(others, SLICE_LINES)) as slices:
                async for slice_lines, read in slices:
                    results += await self._import_slice(preparer, slice_lines, read, known, dry_run=dry_run)
        return sorted(results, key=lambda one: one.line)

    async def reading(self, preparer: LinePreparer, lines: Sequence[tuple[int, bytes]]) -> LineReading:
        """Return how these lines are read: in processes if they are many, else in a thread."""
        if self.processes is None or preparer.count_new(lines) < FEWEST:
            return LineReading(preparer)
        async with self.database.read(as_service=True) as connection:
            contents = await TerminologyRepository(connection).contents()
        return LineReading(preparer, self.processes.of(self.rules.terminology.version, contents))

    async def preparer(self) -> LinePreparer:
        """Return the rules by which records are read now.

        :raises NotFoundError: 404, there is no reader of the source.
        """
        reader = reader_of(self.source)
        if reader is None:
            raise NotFoundError
        async with self.database.read() as connection:
            centres = await CentreRepository(connection).page(None, 200)
        return preparer_of(reader, self.rules, centres)

    async def _import_slice(
        self,
        preparer: LinePreparer,
        lines: Sequence[Line],
        read: Mapping[int, Draft | Problem],
        known: dict[str, SourceRecord],
        *,
        dry_run: bool,
    ) -> list[LineResult]:
        """Write those of some lines that are not stored in this form."""
        drafts = {number: draft for number, draft in read.items() if isinstance(draft, Draft)}
        failed = {number: problem for number, problem in read.items() if isinstance(problem, Problem)}
        changed = [line for line in lines if line.number in drafts and not _is_read(line, known, preparer.version)]
        results = await self._write(preparer, changed, drafts, dry_run=dry_run) if changed else {}
        async with self.database.read() as connection:
            service = self.service(connection, preparer)
            for line in lines:
                if line.number not in results:
                    reported = replace(line, problem=failed.get(line.number))
                    stored = known.get(line.source_id or "")
                    results[line.number] = await service.report_unchanged(reported, stored, drafts.get(line.number))
        return [results[line.number] for line in lines]

    async def _write(
        self, preparer: LinePreparer, lines: Sequence[Line], drafts: dict[int, Draft], *, dry_run: bool
    ) -> dict[int, LineResult]:
        results = {}
        async with self.database.transaction() as connection:
            savepoint = await connection.begin_nested()
            service = self.service(connection, preparer)
            stored = await service.stored(lines)
            for line in lines:
                started = perf_counter()
                results[line.number] = await service.import_line(line, drafts[line.number], stored)
                await asyncio.sleep(PAUSE_SHARE * (perf_counter() - started))
            await (savepoint.rollback() if dry_run else savepoint.commit())
        return results

    def service(self, connection: Writing, preparer: LinePreparer) -> SourceService:
        """Return the import of single records in a transaction."""
        trials = TrialService(TrialRepository(connection), CentreRepository(connection), self.rules)
        return SourceService(trials, SourceRepository(connection, self.source), preparer, self.language)


def preparer_of(reader: SourceReader, rules: TrialRules, centres: Sequence[Centre]) -> LinePreparer:
    """Return the rules by which the records of a source are read now. ``centres``: all centres of the registry."""
    # Illustrative centres stand in for members whose names are not public: no location is theirs.
    members = [centre for centre in centres if centre.member and not centre.illustrative]
    return LinePreparer(
        reader, rules, rules_version, centre_rules((centre.id, centre.name, centre.city) for centre in members)
    )


def _sorted_out(lines: Sequence[Line], known: dict[str, SourceRecord], rules: str) -> tuple[list[Line], list[Line]]:
    """Return the lines of which nothing is to be read, and the others.

    The reasons of refusals are not stored: unless they are remembered, they are found again to be reported.
    """
    unchanged: list[Line] = []
    others: list[Line] = []
    for line in lines:
        seen, stored = line.seen, known.get(line.source_id or "")
        is_done = seen is None or (
            stored is not None
            and _is_read(line, known, rules)
            and (stored.result not in JUDGED or seen.scope is not None)
        )
        (unchanged if is_done else others).append(line)
    return unchanged, others


def _is_read(line: Line, known: dict[str, SourceRecord], rules: str) -> bool:
    """Return whether the record of a line is stored in this form and read by these rules."""
    stored = known.get(line.source_id or "")
    return stored is not None and line.seen is not None and stored.is_read(line.seen.canonical_hash, rules)
