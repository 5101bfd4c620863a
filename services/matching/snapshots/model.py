"""The copy of the registry as immutable values."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from pydantic import ValidationError

from services.matching.clients.documents import Centre, TrialRecord, canonical
from services.matching.engine import CompiledTrial, compile_criteria
from services.matching.snapshots.recruitment import Recruitment, recruitment_of
from shared.criteria.model import CriteriaDocument
from shared.terminology.document import read_document


class Vocabulary:
    """One version of the terminology: for the engine, and the label of each code."""

    def __init__(self, content: bytes) -> None:
        """``content``: the document of the registry, kept as it is for the snapshot on disk.

        :raises UnreadableTerminologyError: it is damaged, or of another format.
        """
        document = read_document(content)
        self.content = content
        self.version = document.version
        self.engine = document.terminology
        self._label = document.label

    def label(self, code: str) -> Mapping[str, str]:
        """Return the label of a code in French and English; the code itself where it has none."""
        return self._label(code) or {"fr": code, "en": code}


@dataclass(frozen=True, slots=True)
class SnapshotTrial:
    """A trial ready to be matched.

    ``compiled``: None where it has no criteria, or none that this version of the language can read. ``recruitment``: of
    each cohort in the country; ``recruiting``: the cohorts that are open. ``line`` and ``digest``: the record as it is
    written, and its hash.
    """

    record: TrialRecord
    criteria: CriteriaDocument | None
    compiled: CompiledTrial | None
    recruitment: Mapping[str, Recruitment]
    recruiting: frozenset[str]
    line: bytes
    digest: bytes

    @classmethod
    def prepare(cls, record: TrialRecord, vocabulary: Vocabulary, country: str) -> Self:
        """Compile a record for one terminology and country."""
        line = canonical(record.write())
        criteria = _criteria(record)
        compiled = _compiled(criteria, vocabulary, country)
        recruitment = recruitment_of(record, compiled.cohorts if compiled else (), country)
        recruiting = frozenset(cohort for cohort, state in recruitment.items() if state == "open")
        return cls(record, criteria, compiled, recruitment, recruiting, line, hashlib.sha256(line).digest())

    def recompile(self, vocabulary: Vocabulary, country: str) -> "SnapshotTrial":
        """Return the same trial, compiled for another terminology."""
        return replace(self, compiled=_compiled(self.criteria, vocabulary, country))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything published at one position of the registry's feed, compiled for one country.

    ``next_feed_path``: the path of the feed from that position on. ``current_at``: the last instant at which it was
    known to be current. ``id``: a hash of the content and the country, wherever and whenever it was loaded.
    """

    trials: Mapping[str, SnapshotTrial]
    centres: Mapping[str, Centre]
    vocabulary: Vocabulary
    country: str
    next_feed_path: str
    current_at: datetime
    id: str

    @classmethod
    def of(
        cls,
        trials: Mapping[str, SnapshotTrial],
        centres: Mapping[str, Centre],
        vocabulary: Vocabulary,
        country: str,
        next_feed_path: str,
        current_at: datetime,
    ) -> Self:
        """Return the snapshot of trials that are already compiled for this terminology and country."""
        parts = [trial.digest for trial in trials.values()] + [
            hashlib.sha256(canonical(centre.write())).digest() for centre in centres.values()
        ]
        content = vocabulary.version.encode() + country.encode() + b"".join(sorted(parts))
        identifier = hashlib.sha256(content).hexdigest()[:16]
        return cls(trials, centres, vocabulary, country, next_feed_path, current_at, identifier)

    @classmethod
    def build(
        cls,
        trials: Iterable[TrialRecord],
        centres: Iterable[Centre],
        vocabulary: Vocabulary,
        country: str,
        next_feed_path: str,
        current_at: datetime,
        before: "Snapshot | None" = None,
    ) -> Self:
        """Compile the published records; reuse what is compiled in ``before`` and has not changed."""
        usable = before is not None and (before.vocabulary.version, before.country) == (vocabulary.version, country)
        earlier = before.trials if before is not None and usable else {}
        prepared: dict[str, SnapshotTrial] = {}
        for record in trials:
            if record.trial.published:
                old = earlier.get(record.trial.id)
                prepared[record.trial.id] = (
                    old
                    if old is not None and old.record == record
                    else SnapshotTrial.prepare(record, vocabulary, country)
                )
        by_id = {centre.id: centre for centre in centres}
        return cls.of(prepared, by_id, vocabulary, country, next_feed_path, current_at)


def _compiled(criteria: CriteriaDocument | None, vocabulary: Vocabulary, country: str) -> CompiledTrial | None:
    return None if criteria is None else compile_criteria(criteria, vocabulary.engine, country)


def _criteria(record: TrialRecord) -> CriteriaDocument | None:
    if record.criteria is None:
        return None
    try:
        return CriteriaDocument.model_validate_json(canonical(record.criteria))
    except ValidationError:
        return None
