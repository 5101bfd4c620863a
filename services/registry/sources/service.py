"""Imports a source's records: valid parts are stored, faults are reported, unchanged records write nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.registry.model.trial import Origin, ScopeAnswer, ScopeVerdict, TrialInput
from services.registry.sources.assigning import find_assignment, without_numbers
from services.registry.sources.identity import Assignment
from services.registry.sources.preparing import Draft, Line
from services.registry.sources.repository import SourceRecord, SourceRepository
from services.registry.sources.schemas import LineResult, Result
from services.registry.trials.drafts import changed_fields, draft_of
from services.registry.trials.model import StoredTrial
from services.registry.trials.problems import OutOfScopeError
from services.registry.trials.service import TrialService
from shared.values.language import Language
from shared.values.problems import Fault, FieldError, Problem
from shared.values.wire import Label
from shared.vocabulary.identifiers import alias_of
from shared.vocabulary.recruitment import CLOSED_STATUSES, STOPPED_STATUSES

# Results that an unchanged record has again.
REPEATED: Final[Mapping[str, Result]] = {"refused": "refused", "obsolete": "obsolete"}
SHARED_NUMBER: Final = Label(
    fr="ce numéro est déjà celui d'un autre essai", en="this number already belongs to another trial"
)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a record: its trial, if any, and what to report."""

    result: Result
    stored: StoredTrial | None = None
    errors: tuple[FieldError, ...] = ()
    reasons: tuple[FieldError, ...] = ()
    changed: tuple[str, ...] = ()
    replaces: frozenset[str] = frozenset()


class SourceService:
    """One source's records in one transaction. ``rules``: the hash of the rules by which they are read."""

    def __init__(self, trials: TrialService, records: SourceRepository, rules: str, language: Language) -> None:
        self.source = records.source
        self.trials = trials
        self.records = records
        self.rules = rules
        self.language = language

    async def stored(self, lines: Sequence[Line]) -> dict[str, SourceRecord]:
        """Return what is stored of the records of some lines, by source id."""
        return await self.records.find([line.source_id for line in lines if line.source_id is not None])

    async def report_unchanged(self, line: Line, known: SourceRecord | None, draft: Draft | None) -> LineResult:
        """Report a line that is invalid, or whose record is stored in this form. ``draft``: of a refused record."""
        if line.problem is not None or known is None:
            errors = self._errors(line.problem) if line.problem is not None else ()
            return self._report(line, _Outcome("invalid", errors=errors))
        stored = await self.trials.repository.get(known.trial_key) if known.trial_key else None
        if known.result not in REPEATED:
            return self._report(line, _Outcome("unchanged", stored))
        errors = self._reasons(draft.scope) if draft is not None and known.result == "refused" else ()
        return self._report(line, _Outcome(REPEATED[known.result], stored, errors))

    async def import_line(self, line: Line, draft: Draft) -> LineResult:
        """Import a record that is new, changed, or read by other rules. One that fails changes no trial."""
        source_id, original = draft.reading.source_id, line.original
        assert original is not None
        known = (await self.stored([line])).get(source_id)
        if known is not None and known.is_read(original.canonical_hash, self.rules):
            # An earlier line of this request, or another import, stored the same record meanwhile.
            return await self.report_unchanged(line, known, draft)
        try:
            async with self.trials.repository.connection.begin_nested():
                outcome = await self._apply(draft, known)
        except Problem as problem:
            kept = await self.trials.repository.get(known.trial_key) if known and known.trial_key else None
            outcome = _Outcome("invalid", kept, self._errors(problem))
        key = outcome.stored.key if outcome.stored is not None and outcome.result != "possible_duplicate" else None
        record = SourceRecord(known.version if known else 0, original.canonical_hash, self.rules, outcome.result, key)
        if record != known:
            await self.records.save(source_id, known, record, original)
        if outcome.replaces:
            await self.records.retire(outcome.replaces)
        return self._report(line, outcome)

    async def _apply(self, draft: Draft, known: SourceRecord | None) -> _Outcome:
        """Write what a record says of its trial.

        :raises Problem: the trial cannot be written.
        """
        reading, scope, repository = draft.reading, draft.scope, self.trials.repository
        found, stored = await find_assignment(reading.source_id, reading.trial, known, repository, self.records)
        if found.standing == "obsolete":
            return _Outcome("obsolete", stored)
        if scope.answer == "out_of_scope":
            if stored is not None and self._leaves_scope(stored, reading.source_id, known):
                kept = draft_of(stored.trial) if stored.curated else without_numbers(reading.trial, found.shared)
                stored = await self.trials.withdraw(stored, kept, scope)
            return _Outcome("refused", stored, self._reasons(scope), replaces=found.replaces)
        if found.standing == "undecided":
            return await self._undecided(reading.trial, found)
        warnings = [fault.render(self.language) for fault in reading.warnings]
        trial = reading.trial
        if found.shared:
            trial = without_numbers(trial, found.shared)
            warnings += self._shared_numbers(reading.trial, found.shared)
        outcome = await self._write(stored, trial, reading.source_id, scope)
        return replace(outcome, errors=tuple(warnings), replaces=found.replaces)

    async def _write(
        self, stored: StoredTrial | None, trial: TrialInput, source_id: str, scope: ScopeAnswer
    ) -> _Outcome:
        if stored is None:
            origin = Origin(source=self.source, source_id=source_id)
            return _Outcome("created", await self.trials.create(trial, origin, curated=False, scope=scope))
        if stored.curated:
            result, written = await self._apply_to_curated(stored, trial)
        else:
            written = await self.trials.update(stored, trial, None, curated=False, scope=scope)
            result = "unchanged" if written is stored else "updated"
        return _Outcome(result, written, changed=changed_fields(stored.trial, written.trial))

    async def _undecided(self, draft: TrialInput, found: Assignment) -> _Outcome:
        """Report a record that may be a duplicate of another one's trial."""
        owners = await self.trials.repository.owners(found.shared)
        first = await self.trials.repository.get(min(owners.values()))
        return _Outcome("possible_duplicate", first, reasons=tuple(self._shared_numbers(draft, found.shared)))

    def _shared_numbers(self, draft: TrialInput, shared: frozenset[str]) -> list[FieldError]:
        """Return where a draft has numbers of other trials."""
        return [
            Fault(pointer=f"/identifiers/{place}", code="shared_number", detail=SHARED_NUMBER).render(self.language)
            for place, one in enumerate(draft.identifiers)
            if alias_of(one.value) in shared
        ]

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

    def _leaves_scope(self, stored: StoredTrial, source_id: str, known: SourceRecord | None) -> bool:
        """Return whether a record that is out of scope withdraws its trial.

        A record does if it was in scope before, or if the trial consists of nothing but this record.
        """
        was_in_scope = known is not None and known.trial_key == stored.key and known.result != "refused"
        own = not stored.curated and stored.trial.origin == Origin(source=self.source, source_id=source_id)
        return was_in_scope or own

    def _report(self, line: Line, outcome: _Outcome) -> LineResult:
        trial = outcome.stored.trial if outcome.stored else None
        scope: ScopeVerdict | None = None
        if outcome.result == "refused":
            scope = "out_of_scope"
        elif outcome.result not in {"possible_duplicate", "obsolete"} and trial is not None:
            scope = trial.scope.answer
        reasons = self._reasons(trial.scope) if trial and scope == "scope_unclear" else outcome.reasons
        return LineResult(
            line=line.number,
            source_id=line.source_id,
            result=outcome.result,
            trial=trial.identifier if trial else None,
            trial_id=trial.id if trial else None,
            scope=scope,
            errors=list(outcome.errors),
            reasons=list(reasons),
            changed=list(outcome.changed),
        )

    def _errors(self, problem: Problem) -> tuple[FieldError, ...]:
        found = tuple(fault.render(self.language) for fault in problem.faults)
        return found or (FieldError(pointer="", code=problem.code, detail=getattr(problem.explanation, self.language)),)

    def _reasons(self, scope: ScopeAnswer) -> tuple[FieldError, ...]:
        return tuple(
            FieldError(pointer=reason.pointer, code=reason.code, detail=getattr(reason.detail, self.language))
            for reason in scope.reasons
        )


def _stops(stored: StoredTrial, draft: TrialInput) -> bool:
    """Return whether the source reports a stop of recruitment that the stored trial has not taken over yet.

    A source status that was taken over before does not overrule what a person wrote since.
    """
    stopped = draft.status in STOPPED_STATUSES or (draft.status in CLOSED_STATUSES and draft.why_stopped is not None)
    was = stored.trial
    return stopped and (was.source_status, was.why_stopped) != (draft.source_status, draft.why_stopped)
