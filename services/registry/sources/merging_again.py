"""Merges trials again that other rules have merged, from what is stored: no record is read again.

It reaches every trial, also those that no source can read again: of the sample, of before sources were merged, or
written by people. Slices, turns and dry runs are those of an import.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from services.registry.centres.repository import CentreRepository
from services.registry.sources.importing import PAUSE_SHARE, SLICE_LINES
from services.registry.sources.schemas import LineResult, RereadResult
from services.registry.trials.drafts import changed_fields
from services.registry.trials.repository import TrialRepository
from services.registry.trials.rules import TrialRules
from services.registry.trials.service import TrialService
from shared.persistence import Database
from shared.values.language import Language
from shared.values.problems import FieldError, Problem


@dataclass(frozen=True, slots=True)
class MergingAgain:
    """Opens its own transactions."""

    database: Database
    rules: TrialRules
    language: Language

    async def run(self, after: str, limit: int, *, dry_run: bool) -> RereadResult:
        """Merge trials with ids after ``after`` again, in the order of ids, at most ``limit``."""
        async with self.database.read() as connection:
            repository = TrialRepository(connection)
            left = await repository.count_outdated(self.rules.version, after)
            keys = await repository.outdated(self.rules.version, after, limit)
        results: list[LineResult] = []
        for start in range(0, len(keys), SLICE_LINES):
            results += await self._slice(start, keys[start : start + SLICE_LINES], dry_run=dry_run)
        return RereadResult(
            results=[one for one in results if one.result != "unchanged"],
            counts=dict(sorted(Counter(one.result for one in results).items())),
            left=left - len(keys),
            next=keys[-1] if left > len(keys) else None,
        )

    async def _slice(self, start: int, keys: Sequence[str], *, dry_run: bool) -> list[LineResult]:
        results = []
        async with self.database.transaction() as connection:
            savepoint = await connection.begin_nested()
            for place, key in enumerate(keys, start=start + 1):
                started = perf_counter()
                trials = TrialService(TrialRepository(connection), CentreRepository(connection), self.rules)
                results.append(await self._merge(trials, place, key))
                await asyncio.sleep(PAUSE_SHARE * (perf_counter() - started))
            await (savepoint.rollback() if dry_run else savepoint.commit())
        return results

    async def _merge(self, trials: TrialService, place: int, key: str) -> LineResult:
        await trials.repository.lock(key)
        stored = await trials.repository.get(key)
        try:
            async with trials.repository.connection.begin_nested():
                written = await trials.merger.merge_stored(stored)
        except Problem as problem:
            detail = getattr(problem.explanation, self.language)
            errors = [FieldError(pointer="", code=problem.code, detail=detail)]
            number = stored.trial.identifier
            return LineResult(line=place, source_id=None, result="invalid", trial=number, trial_id=key, errors=errors)
        return LineResult(
            line=place,
            source_id=None,
            result="unchanged" if written is stored else "updated",
            trial=written.trial.identifier,
            trial_id=key,
            scope=written.trial.scope.answer,
            changed=list(changed_fields(stored.trial, written.trial)),
        )
