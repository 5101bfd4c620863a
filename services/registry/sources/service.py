"""Imports a source's records.

Valid parts are stored, faults are reported by line and field, unchanged records write nothing.
"""

from collections.abc import Sequence

from services.registry.model.trial import Origin, ScopeAnswer, ScopeVerdict, TrialInput
from services.registry.scope import rules_version
from services.registry.sources.canonical import canonical_hash
from services.registry.sources.ctgov import READER_VERSION, StudyReading, read_study, study_number
from services.registry.sources.places import CentreRule, centre_rules
from services.registry.sources.problems import InvalidStudyError
from services.registry.sources.repository import SourceRecord, SourceRepository
from services.registry.sources.schemas import LineResult, Result
from services.registry.trials.drafts import draft_of, public_numbers
from services.registry.trials.model import StoredTrial
from services.registry.trials.problems import OutOfScopeError
from services.registry.trials.service import TrialService
from shared.values.language import Language
from shared.values.problems import FieldError, MalformedJsonError, Problem
from shared.values.strict_json import Limits, loads
from shared.vocabulary.recruitment import CLOSED_STATUSES, STOPPED_STATUSES

# Bounds of one record: registry records are long, and deep in places.
RECORD = Limits(string=200_000, array=20_000, nodes=200_000)


class SourceService:
    """One source's records in one transaction."""

    def __init__(self, source: str, trials: TrialService, records: SourceRepository, language: Language) -> None:
        self.source = source
        self.trials = trials
        self.records = records
        self.language = language
        self._rules: tuple[CentreRule, ...] = ()

    async def run(self, lines: Sequence[bytes], *, dry_run: bool) -> list[LineResult]:
        """Import the lines, or only report what would become of them."""
        savepoint = await self.trials.repository.connection.begin_nested()
        results = await self.import_lines(lines)
        await (savepoint.rollback() if dry_run else savepoint.commit())
        return results

    async def import_lines(self, lines: Sequence[bytes]) -> list[LineResult]:
        """Import every line in turn; a line that fails writes nothing."""
        # Illustrative centres stand in for members whose names are not public: no location is theirs.
        members = [
            centre for centre in await self.trials.centres.page(None, 200) if centre.member and not centre.illustrative
        ]
        self._rules = centre_rules((centre.id, centre.name, centre.city) for centre in members)
        return [await self._import_line(number, line) for number, line in enumerate(lines, start=1) if line.strip()]

    async def _import_line(self, number: int, line: bytes) -> LineResult:
        try:
            record = loads(line, RECORD)
            source_id = study_number(record)
        except (MalformedJsonError, InvalidStudyError) as problem:
            return LineResult(line=number, source_id=None, result="invalid", errors=self._errors(problem))
        digest = canonical_hash([READER_VERSION, rules_version(), self.trials.terminology.version, record])
        known = (await self.records.find(self.source, [source_id])).get(source_id)
        if known is not None and known.hash == digest:
            return await self._unchanged(number, record, source_id, known)
        reading = read_study(record, self.trials.terminology, self._rules)
        try:
            async with self.trials.repository.connection.begin_nested():
                result, key, errors = await self._apply(reading, known)
        except Problem as problem:
            return LineResult(line=number, source_id=source_id, result="invalid", errors=self._errors(problem))
        await self.records.save(self.source, source_id, SourceRecord(digest, result, key), known=known is not None)
        return await self._line(number, source_id, result, key, errors)

    async def _unchanged(self, number: int, record: object, source_id: str, known: SourceRecord) -> LineResult:
        if known.result != "refused":
            return await self._line(number, source_id, "unchanged", known.trial_key, [])
        draft = read_study(record, self.trials.terminology, self._rules).trial
        reasons = self._reasons(self.trials.scope_of(draft))
        return await self._line(number, source_id, "refused", known.trial_key, reasons)

    async def _apply(
        self, reading: StudyReading, known: SourceRecord | None
    ) -> tuple[Result, str | None, list[FieldError]]:
        scope = self.trials.scope_of(reading.trial)
        if scope.answer == "out_of_scope":
            stored = await self._linked(reading, known)
            if stored is not None and self._leaves_scope(stored, reading.source_id, known):
                await self.trials.withdraw(stored, draft_of(stored.trial) if stored.curated else reading.trial, scope)
            return "refused", stored.key if stored else None, self._reasons(scope)
        warnings = [fault.render(self.language) for fault in reading.warnings]
        owners = await self.trials.repository.owners(public_numbers(reading.trial))
        if len(owners) != 1:
            # None: a new trial. Several: `create` refuses, because a person must decide whether they are one trial.
            origin = Origin(source=self.source, source_id=reading.source_id)
            return "created", (await self.trials.create(reading.trial, origin, curated=False)).key, warnings
        stored = await self.trials.repository.get(owners.pop())
        if stored.curated:
            return await self._apply_to_curated(stored, reading.trial), stored.key, warnings
        written = await self.trials.update(stored, reading.trial, None, curated=False)
        return ("unchanged" if written is stored else "updated"), stored.key, warnings

    async def _apply_to_curated(self, stored: StoredTrial, draft: TrialInput) -> Result:
        """Keep a person's edits, apply a stop of recruitment, and judge the content by today's scope rules."""
        kept = draft_of(stored.trial)
        if _stops(stored, draft):
            stop = {name: getattr(draft, name) for name in ("status", "source_status", "why_stopped")}
            kept = kept.model_copy(update=stop)
        try:
            written = await self.trials.update(stored, kept, None, curated=True)
        except OutOfScopeError:
            written = await self.trials.withdraw(stored, kept, self.trials.scope_of(kept))
        return "kept_curated" if written is stored else "updated"

    async def _linked(self, reading: StudyReading, known: SourceRecord | None) -> StoredTrial | None:
        """Return the trial of a record: the one it is linked to, else the only one that has one of its numbers."""
        if known is not None and known.trial_key is not None:
            return await self.trials.repository.get(known.trial_key)
        owners = await self.trials.repository.owners(public_numbers(reading.trial))
        return await self.trials.repository.get(owners.pop()) if len(owners) == 1 else None

    def _leaves_scope(self, stored: StoredTrial, source_id: str, known: SourceRecord | None) -> bool:
        """Return whether a record that is out of scope withdraws its trial.

        A record does if it was in scope before, or if the trial consists of nothing but this record.
        """
        was_in_scope = known is not None and known.result != "refused"
        own = not stored.curated and stored.trial.origin == Origin(source=self.source, source_id=source_id)
        return was_in_scope or own

    async def _line(
        self, number: int, source_id: str, result: Result, key: str | None, errors: list[FieldError]
    ) -> LineResult:
        trial = (await self.trials.repository.get(key)).trial if key else None
        scope: ScopeVerdict | None = "out_of_scope" if result == "refused" else trial.scope.answer if trial else None
        return LineResult(
            line=number,
            source_id=source_id,
            result=result,
            trial=trial.id if trial else None,
            scope=scope,
            errors=errors,
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
