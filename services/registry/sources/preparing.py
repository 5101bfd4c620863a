"""The pure part of an import: parse lines, identify and hash records, read them as trials. Runs in a thread."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from services.registry.merge import rules_version as merge_version
from services.registry.merge.merging import merge
from services.registry.merge.reading import Reading, Record
from services.registry.records.originals import Original, StoredForm
from services.registry.records.repository import packed
from services.registry.sources.persons import without_persons
from services.registry.sources.places import CentreRule
from services.registry.sources.problems import InvalidStudyError, LineTooLongError, UnreadableRecordError
from services.registry.sources.reader import SourceReader
from services.registry.sources.seen import Seen, SeenLines
from services.registry.trials.drafts import validated
from services.registry.trials.merging import Judged
from services.registry.trials.rules import TrialRules
from shared.values.problems import Fault, MalformedJsonError, Problem
from shared.values.strict_json import Limits, loads

logger = logging.getLogger(__name__)

MAX_LINE_BYTES: Final = 1024 * 1024
# Bounds of one record: registry records are long, and deep in places.
RECORD: Final = Limits(string=200_000, array=20_000, nodes=200_000)
_SEEN: Final = SeenLines()


@dataclass(frozen=True, slots=True)
class Parsed:
    """A record without persons."""

    source_id: str
    record: Mapping[str, Any]
    original: Original


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an import, numbered from 1: what it is, or the problem with it.

    ``parsed``: None where a line that is remembered was not parsed again.
    """

    number: int
    content: bytes = b""
    seen: Seen | None = None
    parsed: Parsed | None = None
    problem: Problem | None = None

    @property
    def source_id(self) -> str | None:
        return self.seen.source_id if self.seen is not None else None


@dataclass(frozen=True, slots=True)
class Draft:
    """What a form of a record says, what was left out of it, and the trial that it alone would be.

    ``said``: what the form alone says, as it is stored. ``criteria``: derived from that trial.
    """

    form: StoredForm
    reading: Reading
    said: bytes
    warnings: tuple[Fault, ...]
    judged: Judged
    criteria: dict[str, Any] | None


class LinePreparer:
    """Parses and reads lines of one source by one set of rules. Has no state, so threads can share it.

    ``version``: a hash of the rules. When it changes, the same record may be read differently.
    """

    def __init__(
        self,
        reader: SourceReader,
        rules: TrialRules,
        scope_version: Callable[[], str],
        centres: Sequence[CentreRule],
    ) -> None:
        self.reader = reader
        self._rules = rules
        self.centres = tuple(centres)
        versions = json.dumps([reader.version, scope_version(), merge_version(), rules.terminology.version])
        self.version = hashlib.sha256(versions.encode()).hexdigest()

    def parse(self, lines: Sequence[tuple[int, bytes]], most: int = MAX_LINE_BYTES) -> list[Line]:
        """Identify and hash the records of some lines, without the persons that they name.

        ``most``: the bytes of a line.
        """
        return [self._line(number, content, most) for number, content in lines]

    def read(self, lines: Sequence[Line]) -> dict[int, Draft | Problem]:
        """Read the records of some lines as trials and judge them, by line number."""
        return {line.number: self._read(line) for line in lines}

    def count_new(self, lines: Sequence[tuple[int, bytes]]) -> int:
        """Return how many of some lines are not remembered."""
        return sum(1 for _, content in lines if _SEEN.find(self.version, content) is None)

    def remember(self, line: Line, draft: Draft | None = None) -> None:
        """Remember a line, so that it is not parsed again; ``draft``: what was read of it."""
        if line.seen is not None:
            scope = draft.judged.scope if draft is not None else line.seen.scope
            kept = scope if scope is not None and scope.answer != "in_scope" else None
            _SEEN.add(self.version, line.content, replace(line.seen, scope=kept))

    def _read(self, line: Line) -> Draft | Problem:
        parsed = line.parsed or self._parse(line.content)
        try:
            read = self.reader.read(parsed.record, self._rules.terminology, self.centres)
            record = Record(self.reader.source, parsed.source_id).followed_by(read.reading)
            judged = self.judge(record)
        except Problem as problem:
            return problem
        except Exception:
            logger.exception("cannot read the record %s of %s", parsed.source_id, self.reader.source)
            return UnreadableRecordError()
        refused = judged.scope.answer == "out_of_scope"
        criteria = None if refused else self._rules.registry_criteria(judged.draft, self._rules.terminology)
        form = parsed.original.to_store()
        return Draft(form, read.reading, packed(record), read.warnings, judged, criteria)

    def judge(self, record: Record) -> Judged:
        """Return the trial that a record alone would be, and the answer of the scope gate to it."""
        trial = validated(merge([record]).document)
        return Judged(trial, self._rules.scope(trial, self._rules.terminology))

    def read_again(self, contents: Sequence[tuple[int, bytes]]) -> list[Reading]:
        """Read stored forms of a record, given as (version, content)."""
        return [
            replace(
                self.reader.read(loads(content, RECORD), self._rules.terminology, self.centres).reading,
                version=version,
            )
            for version, content in contents
        ]

    def _line(self, number: int, content: bytes, most: int) -> Line:
        if len(content) > most:
            return Line(number, problem=LineTooLongError())
        if seen := _SEEN.find(self.version, content):
            return Line(number, content, seen)
        try:
            parsed = self._parse(content)
        except (MalformedJsonError, InvalidStudyError) as problem:
            return Line(number, problem=problem)
        return Line(number, content, Seen(parsed.source_id, parsed.original.canonical_hash), parsed)

    def _parse(self, content: bytes) -> Parsed:
        """:raises Problem: 400 or 422, it is no record of the source."""
        record = without_persons(loads(content, RECORD))
        source_id = self.reader.source_id(record)
        return Parsed(source_id, record, Original.of(record, self.reader.parts(record), self.reader.dated(record)))
