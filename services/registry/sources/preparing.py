"""The pure part of an import: parse lines, identify and hash records, read them as trials. Runs in a thread."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.registry.model.trial import ScopeAnswer
from services.registry.sources.canonical import canonical_hash
from services.registry.sources.ctgov import READER_VERSION, StudyReading, read_parts, read_study, study_number
from services.registry.sources.places import CentreRule
from services.registry.sources.problems import InvalidStudyError, LineTooLongError
from services.registry.trials.rules import TrialRules
from shared.values.problems import MalformedJsonError, Problem
from shared.values.strict_json import Limits, loads

MAX_LINE_BYTES: Final = 1024 * 1024
# Bounds of one record: registry records are long, and deep in places.
RECORD: Final = Limits(string=200_000, array=20_000, nodes=200_000)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an import, numbered from 1: its record with id and hash, or the problem that it is."""

    number: int
    source_id: str | None = None
    digest: str = ""
    record: Mapping[str, Any] | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A record as read, and the scope of its trial."""

    reading: StudyReading
    scope: ScopeAnswer


class LinePreparer:
    """Parses and reads lines by one set of rules. Has no state, so threads can share it."""

    def __init__(self, rules: TrialRules, scope_version: Callable[[], str], centres: Sequence[CentreRule]) -> None:
        self._rules = rules
        self._scope_version = scope_version
        self._centres = centres

    def parse(self, lines: Sequence[tuple[int, bytes]]) -> list[Line]:
        """Parse, identify and hash the records of some lines. Only what is read counts (`read_parts`)."""
        versions = [READER_VERSION, self._scope_version(), self._rules.terminology.version]
        return [self._parse(number, line, versions) for number, line in lines]

    def read(self, lines: Sequence[Line]) -> dict[int, Draft]:
        """Read the records of some lines as trials and judge them, by line number."""
        drafts = {}
        for line in lines:
            reading = read_study(line.record, self._rules.terminology, self._centres)
            scope = self._rules.scope(reading.trial, self._rules.terminology)
            drafts[line.number] = Draft(reading, scope)
        return drafts

    @staticmethod
    def _parse(number: int, line: bytes, versions: list[Any]) -> Line:
        if len(line) > MAX_LINE_BYTES:
            return Line(number, problem=LineTooLongError())
        try:
            given = loads(line, RECORD)
            source_id = study_number(given)
        except (MalformedJsonError, InvalidStudyError) as problem:
            return Line(number, problem=problem)
        record = read_parts(given)
        return Line(number, source_id, canonical_hash([*versions, record]), record)
