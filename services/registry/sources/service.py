"""Takes a source's records in: what is good is kept, what is not is reported by line and field, and a record told twice writes nothing."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from services.registry.sources.canonical import canonical_hash
from services.registry.sources.ctgov import READER_VERSION, StudyReading, read_study
from services.registry.sources.places import CentreRule, centre_rules
from services.registry.sources.problems import InvalidStudyError
from services.registry.sources.repository import SourceRecord, SourceRepository
from services.registry.trials.problems import OutOfScopeError
from services.registry.trials.schemas import Origin, ScopeVerdict
from services.registry.trials.service import TrialService, public_numbers
from shared.values.language import Language
from shared.values.problems import FieldError, MalformedJsonError, Problem
from shared.values.strict_json import Limits, loads
from shared.values.wire import ApiModel

Result = Literal["created", "updated", "unchanged", "kept_curated", "refused", "invalid"]
# Registry records are long and deep in places, and not ours to shape.
RECORD = Limits(string=200_000, array=20_000, nodes=200_000)


class LineResult(ApiModel):
    """What became of one line (numbered from 1): the trial it is now part of, its scope, and every fault with its pointer into the record."""

    line: int
    source_id: str | None
    result: Result
    trial: str | None = None
    scope: ScopeVerdict | None = None
    errors: list[FieldError] = Field(default_factory=list)


class SourceService:
    """One source's records in one transaction."""

    def __init__(self, source: str, desk: TrialService, records: SourceRepository, language: Language) -> None:
        self.source = source
        self.desk = desk
        self.records = records
        self.language = language
        self._rules: tuple[CentreRule, ...] = ()

    async def take(self, lines: Sequence[bytes]) -> list[LineResult]:
        """Every line in turn; a line that fails leaves nothing behind."""
        # Stand-ins for members that are not known take no real site.
        members = [
            centre for centre in await self.desk.centres.page(None, 200) if centre.member and not centre.illustrative
        ]
        self._rules = centre_rules((centre.id, centre.name, centre.city) for centre in members)
        results = []
        for number, line in enumerate(lines, start=1):
            if line.strip():
                results.append(await self._take(number, line))
        return results

    async def _take(self, number: int, line: bytes) -> LineResult:
        try:
            record = loads(line, RECORD)
            reading = read_study(record, self.desk.terminology, self._rules)
        except (MalformedJsonError, InvalidStudyError) as problem:
            return LineResult(line=number, source_id=None, result="invalid", errors=self._errors(problem))
        digest = canonical_hash([READER_VERSION, self.desk.terminology.version, record])
        known = (await self.records.find(self.source, [reading.source_id])).get(reading.source_id)
        if known is not None and known.hash == digest:
            return await self._again(number, reading, known)
        try:
            async with self.desk.repository.connection.begin_nested():
                result, key = await self._apply(reading)
        except OutOfScopeError as problem:
            result, key, errors = "refused", None, self._errors(problem)
        except Problem as problem:
            return LineResult(line=number, source_id=reading.source_id, result="invalid", errors=self._errors(problem))
        else:
            errors = [FieldError(pointer=one.pointer, code=one.code, detail=one.detail) for one in reading.warnings]
        await self.records.save(
            self.source, reading.source_id, SourceRecord(digest, result, key), known=known is not None
        )
        return await self._line(number, reading.source_id, result, key, errors)

    async def _again(self, number: int, reading: StudyReading, known: SourceRecord) -> LineResult:
        if known.result == "refused":
            try:
                self.desk.judge(reading.trial)
            except OutOfScopeError as problem:
                return await self._line(number, reading.source_id, "refused", None, self._errors(problem))
        return await self._line(number, reading.source_id, "unchanged", known.trial_key, [])

    async def _apply(self, reading: StudyReading) -> tuple[Result, str]:
        owners = await self.desk.repository.owners(public_numbers(reading.trial))
        if len(owners) != 1:
            # None: a new trial. Several: the desk refuses, for a person must say whether they are one.
            stored = await self.desk.create(
                reading.trial, Origin(source=self.source, source_id=reading.source_id), curated=False
            )
            return "created", stored.key
        held = await self.desk.repository.get(owners.pop())
        if held.curated:
            return "kept_curated", held.key
        written = await self.desk.update(held, reading.trial, None, curated=False)
        return ("unchanged" if written is held else "updated"), held.key

    async def _line(
        self, number: int, source_id: str, result: Result, key: str | None, errors: list[FieldError]
    ) -> LineResult:
        trial = (await self.desk.repository.get(key)).trial if key else None
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
