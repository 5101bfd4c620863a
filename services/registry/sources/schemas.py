"""Results of a bulk import on the wire."""

from typing import Literal

from pydantic import Field

from services.registry.model.trial import ScopeVerdict
from shared.values.problems import FieldError
from shared.values.wire import ApiModel

Result = Literal["created", "updated", "unchanged", "kept_curated", "refused", "invalid"]


class LineResult(ApiModel):
    """The result of one line (from 1): its trial, its scope, and every fault with its place in the record.

    ``reasons``: why a person must decide on the scope of the trial, which is not published until then.
    """

    line: int
    source_id: str | None
    result: Result
    trial: str | None = None
    scope: ScopeVerdict | None = None
    errors: list[FieldError] = Field(default_factory=list)
    reasons: list[FieldError] = Field(default_factory=list)


class BulkResult(ApiModel):
    """A result per line that was not blank, and how often each occurred."""

    results: list[LineResult]
    counts: dict[str, int]
