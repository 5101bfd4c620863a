"""Results of a bulk import on the wire."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from services.registry.model.trial import ScopeVerdict
from shared.values.problems import FieldError
from shared.values.wire import ApiModel

Result = Literal[
    "created", "updated", "unchanged", "older", "possible_duplicate", "obsolete", "quarantined", "refused", "invalid"
]


class PublishedRecord(BaseModel):
    """A record as its source publishes it. What is not read may be left out, such as results.

    `ctgov`: a study of the API, version 2, with `protocolSection`. `ctis`: an answer of `retrieve`. `euctr`: the
    answers of the form by their numbers (`a2_eudract_number`). `isrctn`: the `trial`, with the day on which it was
    `retrieved`. `eclaire`: a ResearchStudy, with its Groups and Locations `contained`.
    """

    model_config = ConfigDict(extra="allow")


class LineResult(ApiModel):
    """The result of one line."""

    line: int = Field(description="The number of the line, from 1.")
    source_id: str | None = Field(
        description="The id of the record in its source; null: not found in the line, or a trial was merged again."
    )
    result: Result = Field(
        description="What happened. `older`: a later form of the record was stored before; this one is kept and did "
        "not change the trial. `possible_duplicate`: it has a number of another record's trial; it is kept, and a "
        "person must decide whether they are one trial. `obsolete`: its number is a former one of a trial that another "
        "record describes; it is kept and changes nothing. `quarantined`: its scope is "
        "unclear and nothing in it shows an advanced therapy; it is kept and is no trial unless a person takes it. "
        "`refused`: out of scope. `invalid`: it cannot be read."
    )
    trial: str | None = Field(
        default=None,
        description="The `identifier` of the trial; of a `possible_duplicate`: of the trial that has its number.",
    )
    trial_id: str | None = Field(default=None, description="The `id` of that trial.")
    scope: ScopeVerdict | None = Field(
        default=None, description="Whether the trial belongs in this registry; null: not judged."
    )
    errors: list[FieldError] = Field(default_factory=list, description="The faults, with their places in the record.")
    reasons: list[FieldError] = Field(
        default_factory=list,
        description="Why a person must decide whether the trial is in scope, or whether it is another one. Until then "
        "it is not published. Pointers lead into the trial as it was read.",
    )
    changed: list[str] = Field(default_factory=list, description="The fields of the trial that changed.")


class RereadResult(ApiModel):
    """What reading stored records again did, or would do."""

    results: list[LineResult] = Field(
        description="The results of records that were not unchanged. Lines are numbered within this answer."
    )
    counts: dict[str, int] = Field(description="How often each result occurred.")
    left: int = Field(description="How many records with greater ids are still to be read again.")
    next: str | None = Field(description="Where to continue: the value of `after`; null: no record is left.")


class BulkResult(ApiModel):
    """The results of an import."""

    results: list[LineResult] = Field(description="A result for each line that is not blank.")
    counts: dict[str, int] = Field(description="How often each result occurred.")
