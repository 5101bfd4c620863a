"""Checks and dry runs of criteria on the wire."""

from typing import Any, Literal

from pydantic import Field

from services.matching.answers.schemas import (
    CriterionAnswer,
    IgnoredAnswer,
    IntervalAnswer,
    QuestionAnswer,
    Verdict,
)
from shared.criteria.model import CriteriaDocument
from shared.values.wire import ApiModel, Day, Label


class FindingAnswer(ApiModel):
    """An error or a doubtful expression. ``pointer``: its place in the document."""

    pointer: str
    code: str
    severity: Literal["error", "warning"]
    detail: Label


class CheckAnswer(ApiModel):
    """The findings of a check. A document without errors may be signed; its author judges the warnings."""

    findings: list[FindingAnswer]
    errors: int
    warnings: int


class DryRun(ApiModel):
    """A criteria document, and a native patient or a Phenopacket v2."""

    criteria: CriteriaDocument
    patient: dict[str, Any]


class CohortTimeline(ApiModel):
    id: str
    verdict: Verdict
    from_: Day | None = Field(alias="from")
    until: Day | None
    criteria: list[str]


class DryRunAnswer(ApiModel):
    """A criteria document for one patient. ``listing``: whether a match would list the trial or only count it."""

    as_of: Day
    engine_version: str
    terminology_version: str
    pre_screening: Label
    listing: Literal["listed", "undetermined", "not_indicated"]
    verdict: Verdict
    from_: Day | None = Field(alias="from")
    until: Day | None
    refer_before: Day | None
    retest: Day | None
    cohort: str | None
    grade: Literal["signed", "registry"]
    criteria_version: int | None
    criteria: list[CriterionAnswer]
    timeline: list[IntervalAnswer]
    cohorts: list[CohortTimeline]
    ask_next: list[QuestionAnswer]
    ignored_facts: list[IgnoredAnswer]
