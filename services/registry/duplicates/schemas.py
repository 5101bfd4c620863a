"""Merges and assignments on the wire."""

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from services.registry.model.shown import Trial
from services.registry.model.trial import BilingualText
from services.registry.provenance.schemas import ConflictDocument
from services.registry.trials.assignments.model import Action, StoredEntry
from shared.values.wire import ApiModel, Instant

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
TrialName = Annotated[str, StringConstraints(min_length=1, max_length=100)]
_WHY: Final = "Why: kept in the log."


class MergeInput(ApiModel):
    """Into which trial another one is merged."""

    into: TrialName = Field(description="The trial that stays: its `id`, or any of its numbers.")
    reason: Reason = Field(description=_WHY)


class UnmergeInput(ApiModel):
    """Why a trial is separated."""

    reason: Reason = Field(description=_WHY)


class AssignmentInput(ApiModel):
    """To which trial a record belongs."""

    trial: TrialName | None = Field(description="Its `id`, or any of its numbers; null: a new trial.")
    reason: Reason = Field(description=_WHY)


class MergeResult(ApiModel):
    """A merge or separation."""

    merged: str = Field(description="The id of the trial that was merged or separated.")
    into: str = Field(description="The id of the other trial.")
    trial: Trial = Field(description="The other trial, as it is then.")
    changed: list[str] = Field(description="The fields of the other trial that changed.")
    conflicts: list[ConflictDocument] = Field(description="What is in conflict then in the other trial.")
    not_used: list[str] = Field(
        description="What people decided, stated, declared or signed of the merged trial and is not used while it is "
        "merged: `scope`, `state`, `criteria`, `sites/<centre>`, or a field. It counts again after a separation."
    )


class AssignmentDocument(ApiModel):
    """An entry of the log: what was decided on a record or on two trials. It never changes."""

    number: int = Field(description="The number of the entry, from 1.")
    act: int = Field(description="The number of the first entry of the same act: an act is undone as a whole.")
    at: Instant = Field(description="When.")
    action: Action = Field(
        description="`assigned`: the record was assigned to `trial`. `released`: it was taken from `trial`. `merged`: "
        "`trial` was merged into `other`. `unmerged`: `trial` was separated from `other`."
    )
    source: str | None = Field(description="The source of the record; null: an entry on two trials.")
    source_id: str | None = Field(description="The id of the record in its source.")
    trial: str = Field(description="The id of the trial.")
    other: str | None = Field(description="The id of the trial where the record was before, or of the other trial.")
    author: str | None = Field(
        description="Who decided: the organisation, and the member or client, by their ids; null: by rule."
    )
    reason: str | None = Field(description="Why; null: by rule.")
    numbers: list[str] = Field(description="The shared numbers that proposed it.")
    undoes: int | None = Field(description="The act that it undoes.")

    @classmethod
    def of(cls, stored: StoredEntry) -> "AssignmentDocument":
        """Return an entry as readers get it."""
        one = stored.entry
        return cls(
            number=stored.number,
            act=stored.act,
            at=stored.at,
            action=one.action,
            source=one.source,
            source_id=one.source_id,
            trial=one.trial,
            other=one.other,
            author=one.author,
            reason=one.reason,
            numbers=list(one.numbers),
            undoes=one.undoes,
        )


class AssignmentPage(ApiModel):
    """A page of the log, newest first."""

    items: list[AssignmentDocument] = Field(description="The entries of this page.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")


class RecordDocument(ApiModel):
    """A stored record of a source, and to which trial it belongs."""

    source: str = Field(description="The source.")
    source_id: str = Field(description="The id of the record there.")
    version: int = Field(description="It grows with each decision on the record.")
    trial: str | None = Field(description="The id of the trial to which it is assigned; null: none.")
    result: str = Field(description="The result of its last reading, as in an import.")
    numbers: list[str] = Field(description="All its numbers.")
    titles: BilingualText = Field(description="Its title.")
    shares_with: list[str] = Field(description="The ids of other trials that have one of its numbers.")
    assignments: list[AssignmentDocument] = Field(
        description="The entries of the log on it, and those of the same acts, oldest first."
    )
