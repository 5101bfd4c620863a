"""Imports many lines in slices: records are parsed and read in a thread, and each slice is committed on its own.

Between two lines other requests get their turn, and the write lock is never kept for longer than one slice. If a slice
fails, the slices before it stay: a repeated import finds their records unchanged.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from services.registry.centres.repository import CentreRepository
from services.registry.scope import rules_version
from services.registry.sources.places import centre_rules
from services.registry.sources.preparing import Draft, Line, LinePreparer
from services.registry.sources.repository import SourceRecord, SourceRepository
from services.registry.sources.schemas import LineResult
from services.registry.sources.service import SourceService
from services.registry.trials.repository import TrialRepository
from services.registry.trials.rules import TrialRules
from services.registry.trials.service import TrialService
from shared.persistence import Database, Writing
from shared.values.language import Language

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
        preparer = await self._preparer()
        numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
        results: list[LineResult] = []
        for start in range(0, len(numbered), SLICE_LINES):
            part = numbered[start : start + SLICE_LINES]
            results += await self._import_slice(preparer, part, dry_run=dry_run)
        return results

    async def _preparer(self) -> LinePreparer:
        async with self.database.read() as connection:
            centres = await CentreRepository(connection).page(None, 200)
        # Illustrative centres stand in for members whose names are not public: no location is theirs.
        members = [centre for centre in centres if centre.member and not centre.illustrative]
        rules = centre_rules((centre.id, centre.name, centre.city) for centre in members)
        return LinePreparer(self.rules, rules_version, rules)

    async def _import_slice(
        self, preparer: LinePreparer, part: Sequence[tuple[int, bytes]], *, dry_run: bool
    ) -> list[LineResult]:
        parsed = await asyncio.to_thread(preparer.parse, part)
        async with self.database.read() as connection:
            known = await self._service(connection).stored(parsed)
        to_read = [line for line in parsed if line.record is not None and _needs_reading(line, known)]
        drafts = await asyncio.to_thread(preparer.read, to_read) if to_read else {}
        changed = [line for line in to_read if not _is_stored(line, known)]
        results = await self._write(changed, drafts, dry_run=dry_run) if changed else {}
        async with self.database.read() as connection:
            service = self._service(connection)
            for line in parsed:
                if line.number not in results:
                    stored = known.get(line.source_id or "")
                    results[line.number] = await service.report_unchanged(line, stored, drafts.get(line.number))
        return [results[number] for number in sorted(results)]

    async def _write(self, lines: Sequence[Line], drafts: dict[int, Draft], *, dry_run: bool) -> dict[int, LineResult]:
        results = {}
        async with self.database.transaction() as connection:
            savepoint = await connection.begin_nested()
            service = self._service(connection)
            for line in lines:
                started = perf_counter()
                results[line.number] = await service.import_line(line, drafts[line.number])
                await asyncio.sleep(PAUSE_SHARE * (perf_counter() - started))
            await (savepoint.rollback() if dry_run else savepoint.commit())
        return results

    def _service(self, connection: Writing) -> SourceService:
        trials = TrialService(TrialRepository(connection), CentreRepository(connection), self.rules)
        return SourceService(self.source, trials, SourceRepository(connection), self.language)


def _is_stored(line: Line, known: dict[str, SourceRecord]) -> bool:
    """Return whether the record of a line is stored in this form."""
    stored = known.get(line.source_id or "")
    return stored is not None and stored.hash == line.digest


def _needs_reading(line: Line, known: dict[str, SourceRecord]) -> bool:
    """Return whether a record must be read: it is new or changed, or the reasons of its refusal are to be reported."""
    return not _is_stored(line, known) or known[line.source_id or ""].result == "refused"
