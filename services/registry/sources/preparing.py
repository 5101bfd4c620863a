"""The pure part of an import: parse lines, identify and hash records, read them as trials. Runs in a thread."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.registry.model.trial import ScopeAnswer
from services.registry.sources.ctgov import (
    READER_VERSION,
    StudyReading,
    read_parts,
    read_study,
    study_date,
    study_number,
)
from services.registry.sources.originals import Original
from services.registry.sources.persons import without_persons
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
    """A line of an import, numbered from 1: its record without persons, or the problem that it is."""

    number: int
    source_id: str | None = None
    record: Mapping[str, Any] | None = None
    original: Original | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A record as read, and the scope of its trial."""

    reading: StudyReading
    scope: ScopeAnswer


class LinePreparer:
    """Parses and reads lines by one set of rules. Has no state, so threads can share it.

    ``version``: a hash of the rules. When it changes, the same record may be read differently.
    """

    def __init__(self, rules: TrialRules, scope_version: Callable[[], str], centres: Sequence[CentreRule]) -> None:
        self._rules = rules
        self._centres = centres
        versions = json.dumps([READER_VERSION, scope_version(), rules.terminology.version])
        self.version = hashlib.sha256(versions.encode()).hexdigest()

    def parse(self, lines: Sequence[tuple[int, bytes]], most: int = MAX_LINE_BYTES) -> list[Line]:
        """Parse, identify and hash the records of some lines, without the persons that they name.

        ``most``: the bytes of a line.
        """
        return [self._parse(number, line, most) for number, line in lines]

    def read(self, lines: Sequence[Line]) -> dict[int, Draft]:
        """Read the records of some lines as trials and judge them, by line number."""
        drafts = {}
        for line in lines:
            reading = read_study(line.record, self._rules.terminology, self._centres)
            scope = self._rules.scope(reading.trial, self._rules.terminology)
            drafts[line.number] = Draft(reading, scope)
        return drafts

    @staticmethod
    def _parse(number: int, line: bytes, most: int) -> Line:
        if len(line) > most:
            return Line(number, problem=LineTooLongError())
        try:
            record = without_persons(loads(line, RECORD))
            source_id = study_number(record)
        except (MalformedJsonError, InvalidStudyError) as problem:
            return Line(number, problem=problem)
        original = Original.of(record, read_parts(record), study_date(record))
        return Line(number, source_id, record, original)
