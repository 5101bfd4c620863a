"""Checks and dry runs of criteria on the wire."""

from typing import Any, Literal

from pydantic import Field

from services.matching.evaluations.schemas import (
    CriterionAnswer,
    IgnoredAnswer,
    IntervalAnswer,
    QuestionAnswer,
    Verdict,
)
from shared.criteria.model import CriteriaDocument
from shared.values.wire import ApiModel, Day, Label


class FindingAnswer(ApiModel):
    """What is wrong, or may be, and where in the document."""

    pointer: str
    code: str
    severity: Literal["error", "warning"]
    detail: Label


class CheckAnswer(ApiModel):
    """A document without errors may be signed; warnings are for its author to judge."""

    findings: list[FindingAnswer]
    errors: int
    warnings: int


class DryRun(ApiModel):
    """A document and a patient, native or a Phenopacket v2."""

    criteria: CriteriaDocument
    patient: dict[str, Any]


class CohortTimeline(ApiModel):
    id: str
    verdict: Verdict
    from_: Day | None = Field(alias="from")
    until: Day | None
    criteria: list[str]


class DryRunAnswer(ApiModel):
    """What the document says of the patient. ``listing``: whether a match would list the trial, or only count it."""

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
