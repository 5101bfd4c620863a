"""Imports a source's records: valid parts are stored, faults are reported, unchanged records write nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.registry.model.trial import Origin, ScopeAnswer, ScopeVerdict, TrialInput
from services.registry.records.repository import QUARANTINED, WAITING, SourceRecord, SourceRepository
from services.registry.scope import NO_SIGN
from services.registry.sources.assigning import find_assignment
from services.registry.sources.folding import Folded, fold
from services.registry.sources.identity import Assignment
from services.registry.sources.preparing import Draft, Line, LinePreparer
from services.registry.sources.schemas import LineResult, Result
from services.registry.trials.assignments.model import Entry
from services.registry.trials.assignments.repository import AssignmentRepository
from services.registry.trials.drafts import changed_fields
from services.registry.trials.model import Head, StoredTrial
from services.registry.trials.routing import ReviewStep, change_of_review
from services.registry.trials.service import TrialService
from shared.values.language import Language
from shared.values.problems import Fault, FieldError, Problem
from shared.values.wire import Label
from shared.vocabulary.identifiers import alias_of

# Results that an unchanged record has again.
REPEATED: Final[Mapping[str, Result]] = {"refused": "refused", "obsolete": "obsolete", QUARANTINED: "quarantined"}
# Those that the scope gate gave: its reasons are not stored.
JUDGED: Final = frozenset({"refused", QUARANTINED})
SHARED_NUMBER: Final = Label(
    fr="ce numéro est déjà celui d'un autre essai", en="this number already belongs to another trial"
)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a record: its trial, if any, and what to report.

    ``part``: the trial to which it is assigned, which may be merged into ``stored``. ``proposed``: the shared numbers
    that assigned it.
    """

    result: Result
    stored: StoredTrial | None = None
    part: str | None = None
    proposed: frozenset[str] = frozenset()
    errors: tuple[FieldError, ...] = ()
    reasons: tuple[FieldError, ...] = ()
    changed: tuple[str, ...] = ()


class SourceService:
    """One source's records in one transaction. ``preparer``: the rules by which they are read."""

    def __init__(
        self, trials: TrialService, records: SourceRepository, preparer: LinePreparer, language: Language
    ) -> None:
        self.source = records.source
        self.trials = trials
        self.records = records
        self.assignments = AssignmentRepository(records.connection)
        self.preparer = preparer
        self.language = language

    async def stored(self, lines: Sequence[Line]) -> dict[str, SourceRecord]:
        """Return what is stored of the records of some lines, by source id."""
        return await self.records.find([line.source_id for line in lines if line.source_id is not None])

    async def report_all_unchanged(self, lines: Sequence[Line], known: Mapping[str, SourceRecord]) -> list[LineResult]:
        """Report lines that are invalid or whose records are stored in this form, without reading their trials."""
        stored = {line.number: known.get(line.source_id or "") for line in lines}
        heads = await self.trials.repository.heads({one.trial_key for one in stored.values() if one and one.trial_key})
        results = []
        for line in lines:
            one = stored[line.number]
            head = heads.get(one.trial_key or "") if one is not None else None
            if line.problem is not None or one is None or one.result in REPEATED:
                results.append(await self.report_unchanged(line, one))
            else:
                results.append(self._unchanged(line, head))
        return results

    def _unchanged(self, line: Line, head: Head | None) -> LineResult:
        scope = head.scope if head is not None else None
        reasons = self._reasons(scope) if scope is not None and scope.answer == "scope_unclear" else ()
        return LineResult(
            line=line.number,
            source_id=line.source_id,
            result="unchanged",
            trial=head.identifier if head is not None else None,
            trial_id=head.key if head is not None else None,
            scope=None if head is None else "in_scope" if scope is None else scope.answer,
            reasons=list(reasons),
        )

    async def report_unchanged(self, line: Line, known: SourceRecord | None, draft: Draft | None = None) -> LineResult:
        """Report a line that is invalid, or whose record is stored in this form. ``draft``: what was read of it."""
        if line.problem is not None or known is None:
            errors = self._errors(line.problem) if line.problem is not None else ()
            return self._report(line, _Outcome("invalid", errors=errors))
        stored = await self.trials.repository.present(known.trial_key) if known.trial_key else None
        if known.result not in REPEATED:
            return self._report(line, _Outcome("unchanged", stored))
        judged = draft.judged.scope if draft is not None else line.seen.scope if line.seen is not None else None
        scope = stored.trial.scope if stored is not None else judged
        found = self._reasons(scope) if scope is not None else ()
        errors = found if known.result == "refused" else ()
        reasons = found if known.result == QUARANTINED else ()
        return self._report(line, _Outcome(REPEATED[known.result], stored, errors=errors, reasons=reasons))

    async def import_line(self, line: Line, draft: Draft, stored: dict[str, SourceRecord]) -> LineResult:
        """Import a record that is new, changed, or read by other rules. One that fails changes no trial.

        ``stored``: what is stored of the records of some lines; it gets what is stored now.
        """
        source_id, form = line.source_id, draft.form
        assert source_id is not None
        known = stored.get(source_id)
        if known is not None and known.is_read(form.canonical_hash, self.preparer.version):
            # An earlier line of this request, or another import, stored the same record meanwhile.
            return await self.report_unchanged(line, known, draft)
        folded = await fold(self.records, self.preparer, source_id, known, draft)
        try:
            outcome = await self._apply(draft, known, folded)
        except Problem as problem:
            kept = await self.trials.repository.present(known.trial_key) if known and known.trial_key else None
            outcome = _Outcome("invalid", kept, errors=self._errors(problem))
        if folded.late and outcome.result == "unchanged":
            outcome = replace(outcome, result="older")
        key = known.trial_key if known is not None else None
        if key is None and outcome.stored is not None and outcome.result != "possible_duplicate":
            key = outcome.part or outcome.stored.key
        result = known.result if known is not None and outcome.result == "older" else outcome.result
        record = SourceRecord(folded.version, folded.newest_hash, self.preparer.version, result, key)
        if record != known or folded.is_new:
            await self.records.save(source_id, known, record, folded.said, form if folded.is_new else None)
            self._announce(source_id, known.result if known is not None else "", record.result)
            stored[source_id] = record
        if key is not None and (known is None or known.trial_key is None):
            numbers = tuple(sorted(outcome.proposed))
            entry = Entry("assigned", key, source=self.source, source_id=source_id, numbers=numbers)
            await self.assignments.add(entry, self.trials.now)
        return self._report(line, outcome)

    def _announce(self, source_id: str, before: str, after: str) -> None:
        """Record that a record waits for a person, or does not any more."""
        moved: tuple[tuple[ReviewStep, str], ...] = (("closed", before), ("opened", after))
        for what, result in moved:
            if before != after and result in WAITING:
                item = f"{result}:{self.source}:{source_id}"
                self.trials.writer.record(change_of_review(what, item, None))

    async def _apply(self, draft: Draft, known: SourceRecord | None, folded: Folded) -> _Outcome:
        """Write what a record says of its trial.

        :raises Problem: the trial cannot be written.
        """
        source_id, judged = folded.record.source_id, folded.judged
        place = await find_assignment(source_id, judged.draft, known, self.trials.repository, self.records)
        found, stored = place.assignment, place.stored
        if found.standing == "obsolete":
            return _Outcome("obsolete", stored, found.key, place.proposed)
        if stored is None and judged.scope.answer == "out_of_scope":
            return _Outcome("refused", errors=self._reasons(judged.scope))
        if found.standing == "undecided":
            return await self._undecided(judged.draft, found)
        if stored is None and judged.scope.answer == "scope_unclear" and _shows_no_sign(judged.scope):
            return _Outcome("quarantined", reasons=self._reasons(judged.scope))
        warnings = [fault.render(self.language) for fault in draft.warnings]
        if found.shared:
            warnings += self._shared_numbers(judged.draft, found.shared)
        async with self.trials.repository.connection.begin_nested():
            if found.replaces:
                await self.records.retire(found.replaces)
            outcome = await self._write(stored, folded, found.key, was_kept=known is not None and known.version > 0)
        outcome = replace(outcome, part=found.key, proposed=place.proposed)
        if outcome.stored is not None and outcome.stored.trial.scope.answer == "out_of_scope":
            return replace(outcome, result="refused", errors=self._reasons(outcome.stored.trial.scope))
        return replace(outcome, errors=tuple(warnings))

    async def _write(self, stored: StoredTrial | None, folded: Folded, part: str | None, *, was_kept: bool) -> _Outcome:
        """Create or merge the trial. ``was_kept``: earlier forms of the record are stored, so it is read completely."""
        merger, record = self.trials.merger, folded.record
        if stored is None or part is None:
            origin = Origin(source=self.source, source_id=record.source_id)
            created = await merger.create(record, origin, folded.judged, folded.criteria)
            return _Outcome("created", created)
        origin = (stored if part == stored.key else await self.trials.repository.get(part)).trial.origin
        if was_kept and (origin.source, origin.source_id) == (record.source, record.source_id):
            await merger.records.supersede_legacy(part)
        written = await merger.merge_record(stored, record, folded.judged, part)
        result: Result = "unchanged" if written is stored else "updated"
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

    def _report(self, line: Line, outcome: _Outcome) -> LineResult:
        trial = outcome.stored.trial if outcome.stored else None
        scope: ScopeVerdict | None = None
        if outcome.result == "refused":
            scope = "out_of_scope"
        elif outcome.result == QUARANTINED:
            scope = "scope_unclear"
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


def _shows_no_sign(scope: ScopeAnswer) -> bool:
    return any(reason.code == NO_SIGN for reason in scope.reasons)
