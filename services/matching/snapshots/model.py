"""The copy as plain values: a snapshot never changes, a newer one takes its place."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from pydantic import ValidationError

from services.matching.clients.documents import Centre, Concepts, TrialRecord, canonical
from services.matching.engine import CompiledTrial, Terminology, compile_criteria
from services.matching.snapshots.recruitment import open_cohorts
from shared.criteria.model import CriteriaDocument


class Vocabulary:
    """One version of the terminology, as the engine and as a reader of labels need it."""

    def __init__(self, concepts: Concepts) -> None:
        self.concepts = concepts
        self.version = concepts.version
        self.known = frozenset(code for one in concepts.concepts for code in (one.code, *one.same_as))
        self.labels = {one.code: one.label for one in concepts.concepts}
        self.engine = Terminology(
            {one.code: one.parents for one in concepts.concepts if one.parents},
            {one.code: one.same_as for one in concepts.concepts if one.same_as},
            {one.code: one.exclusive_with for one in concepts.concepts if one.exclusive_with},
        )
        self.digest = hashlib.sha256(canonical(concepts.write())).digest()


@dataclass(frozen=True, slots=True)
class HeldTrial:
    """A trial ready to be matched; ``compiled`` is None where it has no criteria that this version of the language can read.

    ``recruiting``: its cohorts that recruit in France.
    """

    record: TrialRecord
    criteria: CriteriaDocument | None
    compiled: CompiledTrial | None
    recruiting: frozenset[str]
    line: bytes
    digest: bytes

    @classmethod
    def prepare(cls, record: TrialRecord, vocabulary: Vocabulary) -> Self:
        line = canonical(record.write())
        criteria = _criteria(record)
        compiled = _compiled(criteria, vocabulary)
        recruiting = open_cohorts(record, compiled.cohorts) if compiled else frozenset[str]()
        return cls(record, criteria, compiled, recruiting, line, hashlib.sha256(line).digest())

    def under(self, vocabulary: Vocabulary) -> "HeldTrial":
        """The same trial compiled under another terminology."""
        return replace(self, compiled=_compiled(self.criteria, vocabulary))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything published at one position of the registry's feed.

    ``following`` is the path that reads on after it; ``current_at`` the last instant at which it was known to be current.
    ``id`` names the content: the same content has the same id, wherever and whenever it was loaded.
    """

    trials: Mapping[str, HeldTrial]
    centres: Mapping[str, Centre]
    vocabulary: Vocabulary
    following: str
    current_at: datetime
    id: str

    @classmethod
    def of(
        cls,
        trials: Mapping[str, HeldTrial],
        centres: Mapping[str, Centre],
        vocabulary: Vocabulary,
        following: str,
        current_at: datetime,
    ) -> Self:
        parts = [held.digest for held in trials.values()] + [
            hashlib.sha256(canonical(centre.write())).digest() for centre in centres.values()
        ]
        content = hashlib.sha256(vocabulary.digest + b"".join(sorted(parts))).hexdigest()[:16]
        return cls(trials, centres, vocabulary, following, current_at, content)

    @classmethod
    def build(
        cls,
        trials: Iterable[TrialRecord],
        centres: Iterable[Centre],
        vocabulary: Vocabulary,
        following: str,
        current_at: datetime,
        before: "Snapshot | None" = None,
    ) -> Self:
        """A snapshot of these records; what is compiled in ``before`` and has not changed is taken over."""
        kept = {} if before is None or before.vocabulary.digest != vocabulary.digest else before.trials
        held: dict[str, HeldTrial] = {}
        for record in trials:
            if record.trial.published:
                old = kept.get(record.trial.id)
                held[record.trial.id] = (
                    old if old is not None and old.record == record else HeldTrial.prepare(record, vocabulary)
                )
        return cls.of(held, {centre.id: centre for centre in centres}, vocabulary, following, current_at)


def _compiled(criteria: CriteriaDocument | None, vocabulary: Vocabulary) -> CompiledTrial | None:
    return None if criteria is None else compile_criteria(criteria, vocabulary.engine, "FR")


def _criteria(record: TrialRecord) -> CriteriaDocument | None:
    if record.criteria is None:
        return None
    try:
        return CriteriaDocument.model_validate_json(canonical(record.criteria))
    except ValidationError:
        return None
