"""The copy of the registry as immutable values."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from pydantic import ValidationError

from services.matching.clients.documents import Centre, TrialRecord, canonical
from services.matching.engine import CompiledTrial, compile_criteria
from services.matching.snapshots.recruitment import Recruitment, recruitment_of
from shared.criteria.model import CriteriaDocument
from shared.criteria.words import Words
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
    sentences: dict[str, Words] = field(default_factory=dict, compare=False, repr=False)
    """The sentences of its criteria and leaves, each built when an answer first needs it."""

    @classmethod
    def prepare(cls, record: TrialRecord, vocabulary: Vocabulary, country: str) -> Self:
        """Compile a record for one terminology and country."""
        line = canonical(record.write())
        criteria = _criteria(record)
        compiled = _compiled(record, criteria, vocabulary, country)
        recruitment = recruitment_of(record, compiled.cohorts if compiled else (), country)
        recruiting = frozenset(cohort for cohort, state in recruitment.items() if state == "open")
        return cls(record, criteria, compiled, recruitment, recruiting, line, hashlib.sha256(line).digest())

    def recompile(self, vocabulary: Vocabulary, country: str) -> "SnapshotTrial":
        """Return the same trial, compiled for another terminology."""
        compiled = _compiled(self.record, self.criteria, vocabulary, country)
        return replace(self, compiled=compiled, sentences={})


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
    by_indication: tuple[tuple[SnapshotTrial, ...], ...]
    """The trials with criteria; those of one group are listed for the same patients."""
    without_criteria: int

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
        groups: dict[str, list[SnapshotTrial]] = {}
        for trial in trials.values():
            if trial.compiled is not None:
                groups.setdefault(trial.compiled.indication_key, []).append(trial)
        by_indication = tuple(tuple(group) for group in groups.values())
        without = len(trials) - sum(map(len, by_indication))
        return cls(trials, centres, vocabulary, country, next_feed_path, current_at, identifier, by_indication, without)

    def with_vocabulary(self, vocabulary: Vocabulary) -> "Snapshot":
        """Return the same records, compiled for another terminology."""
        trials = {name: trial.recompile(vocabulary, self.country) for name, trial in self.trials.items()}
        return Snapshot.of(trials, self.centres, vocabulary, self.country, self.next_feed_path, self.current_at)

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


def _compiled(
    record: TrialRecord, criteria: CriteriaDocument | None, vocabulary: Vocabulary, country: str
) -> CompiledTrial | None:
    if criteria is None:
        return None
    return compile_criteria(criteria, vocabulary.engine, country, outdated=record.trial.criteria_outdated)


def _criteria(record: TrialRecord) -> CriteriaDocument | None:
    if record.criteria is None:
        return None
    try:
        return CriteriaDocument.model_validate_json(canonical(record.criteria))
    except ValidationError:
        return None
