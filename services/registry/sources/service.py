"""Imports a source's records: valid parts are stored, faults are reported, unchanged records write nothing."""

from collections.abc import Sequence

from services.registry.model.trial import Origin, ScopeAnswer, ScopeVerdict, TrialInput
from services.registry.sources.preparing import Draft, Line
from services.registry.sources.repository import SourceRecord, SourceRepository
from services.registry.sources.schemas import LineResult, Result
from services.registry.trials.drafts import draft_of, public_numbers
from services.registry.trials.model import StoredTrial
from services.registry.trials.problems import OutOfScopeError
from services.registry.trials.service import TrialService
from shared.values.language import Language
from shared.values.problems import FieldError, Problem
from shared.vocabulary.recruitment import CLOSED_STATUSES, STOPPED_STATUSES


class SourceService:
    """One source's records in one transaction."""

    def __init__(self, source: str, trials: TrialService, records: SourceRepository, language: Language) -> None:
        self.source = source
        self.trials = trials
        self.records = records
        self.language = language

    async def stored(self, lines: Sequence[Line]) -> dict[str, SourceRecord]:
        """Return what is stored of the records of some lines, by source id."""
        return await self.records.find(self.source, [line.source_id for line in lines if line.source_id is not None])

    async def report_unchanged(self, line: Line, known: SourceRecord | None, draft: Draft | None) -> LineResult:
        """Report a line that is invalid, or whose record is stored in this form. ``draft``: of a refused record."""
        if line.problem is not None or known is None:
            errors = self._errors(line.problem) if line.problem is not None else []
            return LineResult(line=line.number, source_id=line.source_id, result="invalid", errors=errors)
        stored = await self.trials.repository.get(known.trial_key) if known.trial_key else None
        if known.result != "refused":
            return self._report(line, "unchanged", stored, [])
        return self._report(line, "refused", stored, self._reasons(draft.scope) if draft else [])

    async def import_line(self, line: Line, draft: Draft) -> LineResult:
        """Import a record that is new or changed; a line that fails writes nothing."""
        source_id = draft.reading.source_id
        known = (await self.stored([line])).get(source_id)
        if known is not None and known.hash == line.digest:
            # An earlier line of this request, or another import, stored the same record meanwhile.
            return await self.report_unchanged(line, known, draft)
        try:
            async with self.trials.repository.connection.begin_nested():
                result, stored, errors = await self._apply(draft, known)
        except Problem as problem:
            errors = self._errors(problem)
            return LineResult(line=line.number, source_id=source_id, result="invalid", errors=errors)
        record = SourceRecord(line.digest, result, stored.key if stored else None)
        await self.records.save(self.source, source_id, record, known=known is not None)
        return self._report(line, result, stored, errors)

    async def _apply(
        self, draft: Draft, known: SourceRecord | None
    ) -> tuple[Result, StoredTrial | None, list[FieldError]]:
        reading, scope = draft.reading, draft.scope
        if scope.answer == "out_of_scope":
            stored = await self._linked(reading.trial, known)
            if stored is not None and self._leaves_scope(stored, reading.source_id, known):
                kept = draft_of(stored.trial) if stored.curated else reading.trial
                stored = await self.trials.withdraw(stored, kept, scope)
            return "refused", stored, self._reasons(scope)
        warnings = [fault.render(self.language) for fault in reading.warnings]
        owners = await self.trials.repository.owners(public_numbers(reading.trial))
        if len(owners) != 1:
            # None: a new trial. Several: `create` refuses, because a person must decide whether they are one trial.
            origin = Origin(source=self.source, source_id=reading.source_id)
            return "created", await self.trials.create(reading.trial, origin, curated=False, scope=scope), warnings
        stored = await self.trials.repository.get(owners.pop())
        if stored.curated:
            return *await self._apply_to_curated(stored, reading.trial), warnings
        written = await self.trials.update(stored, reading.trial, None, curated=False, scope=scope)
        return ("unchanged" if written is stored else "updated"), written, warnings

    async def _apply_to_curated(self, stored: StoredTrial, draft: TrialInput) -> tuple[Result, StoredTrial]:
        """Keep a person's edits, apply a stop of recruitment, and judge the content by today's scope rules."""
        kept = draft_of(stored.trial)
        if _stops(stored, draft):
            stop = {name: getattr(draft, name) for name in ("status", "source_status", "why_stopped")}
            kept = kept.model_copy(update=stop)
        try:
            written = await self.trials.update(stored, kept, None, curated=True)
        except OutOfScopeError:
            written = await self.trials.withdraw(stored, kept, self.trials.scope_of(kept))
        return ("kept_curated" if written is stored else "updated"), written

    async def _linked(self, draft: TrialInput, known: SourceRecord | None) -> StoredTrial | None:
        """Return the trial of a record: the one it is linked to, else the only one that has one of its numbers."""
        if known is not None and known.trial_key is not None:
            return await self.trials.repository.get(known.trial_key)
        owners = await self.trials.repository.owners(public_numbers(draft))
        return await self.trials.repository.get(owners.pop()) if len(owners) == 1 else None

    def _leaves_scope(self, stored: StoredTrial, source_id: str, known: SourceRecord | None) -> bool:
        """Return whether a record that is out of scope withdraws its trial.

        A record does if it was in scope before, or if the trial consists of nothing but this record.
        """
        was_in_scope = known is not None and known.result != "refused"
        own = not stored.curated and stored.trial.origin == Origin(source=self.source, source_id=source_id)
        return was_in_scope or own

    def _report(self, line: Line, result: Result, stored: StoredTrial | None, errors: list[FieldError]) -> LineResult:
        trial = stored.trial if stored else None
        scope: ScopeVerdict | None = "out_of_scope" if result == "refused" else trial.scope.answer if trial else None
        return LineResult(
            line=line.number,
            source_id=line.source_id,
            result=result,
            trial=trial.id if trial else None,
            scope=scope,
            errors=errors,
            reasons=self._reasons(trial.scope) if trial and scope == "scope_unclear" else [],
        )

    def _errors(self, problem: Problem) -> list[FieldError]:
        found = [fault.render(self.language) for fault in problem.faults]
        return found or [FieldError(pointer="", code=problem.code, detail=getattr(problem.explanation, self.language))]

    def _reasons(self, scope: ScopeAnswer) -> list[FieldError]:
        return [
            FieldError(pointer=reason.pointer, code=reason.code, detail=getattr(reason.detail, self.language))
            for reason in scope.reasons
        ]


def _stops(stored: StoredTrial, draft: TrialInput) -> bool:
    """Return whether the source reports a stop of recruitment that the stored trial has not taken over yet.

    A source status that was taken over before does not overrule what a person wrote since.
    """
    stopped = draft.status in STOPPED_STATUSES or (draft.status in CLOSED_STATUSES and draft.why_stopped is not None)
    was = stored.trial
    return stopped and (was.source_status, was.why_stopped) != (draft.source_status, draft.why_stopped)
