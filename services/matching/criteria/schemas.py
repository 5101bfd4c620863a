"""Checks and dry runs of criteria on the wire."""

from collections.abc import Mapping
from typing import Any, Literal, cast

from pydantic import Field

from services.matching.answers.schemas import (
    CohortDates,
    CohortId,
    CriteriaVersion,
    CriterionAnswer,
    From,
    Grade,
    IllustrativeCriteria,
    IntervalAnswer,
    OutdatedCriteria,
    QuestionAnswer,
    Retest,
    TrialVerdict,
    Until,
    WarningAnswer,
)
from services.matching.patients.body import SentPatient
from shared.criteria.model import CriteriaDocument
from shared.values.wire import ApiModel, Day, Label


class FindingAnswer(ApiModel):
    """An error or a doubtful expression."""

    pointer: str = Field(description="Its place in the document, as a JSON Pointer.")
    code: str = Field(description="A stable code such as `code_unknown`.")
    severity: Literal["error", "warning"] = Field(description="A document with errors must not be signed.")
    detail: Label = Field(description="What is wrong, or may be.")


class SentenceAnswer(ApiModel):
    """What a criterion asks."""

    criterion: str = Field(description="The id of the criterion.")
    sentence: Label = Field(
        description="What the expression asks, as a sentence generated from it; of an exclusion, what must not be so."
    )


class CheckAnswer(ApiModel):
    """The findings of a check. A document without errors may be signed; its author judges the warnings."""

    findings: list[FindingAnswer] = Field(description="The findings, in document order.")
    errors: int = Field(description="The number of errors.")
    warnings: int = Field(description="The number of warnings.")
    sentences: list[SentenceAnswer] = Field(
        description="What each criterion asks in words, in document order: read it beside the text of the protocol."
    )


class DryRun(ApiModel):
    """A criteria document, and a patient: native, a FHIR R4 Bundle or a Phenopacket."""

    criteria: CriteriaDocument = Field(description="The criteria; they need not be signed.")
    patient: SentPatient = Field(description="The patient.")

    @property
    def patient_as_sent(self) -> Mapping[str, Any]:
        return cast("Mapping[str, Any]", self.patient)


class CohortTimeline(CohortDates):
    """The verdict of one cohort."""

    id: str = Field(description="The id of the cohort; `all` in a trial without cohorts.")
    criteria: list[str] = Field(description="The ids of the criteria that count for it.")


class DryRunAnswer(ApiModel):
    """What a criteria document gives for one patient."""

    as_of: Day = Field(description="The day of evaluation.")
    engine_version: str = Field(description="Changes whenever the same input may give another answer.")
    terminology_version: str = Field(description="The version of the terminology.")
    pre_screening: Label = Field(description="What this answer is, and is not; show it to the reader.")
    listing: Literal["listed", "undetermined", "not_indicated"] = Field(
        description="What a match would do with the trial: list it, or only count it. The rest is given in any case."
    )
    verdict: TrialVerdict
    from_: From = Field(alias="from")
    until: Until
    refer_before: Day | None = Field(
        description="The last day to refer the patient: so early that the lead time of the trial still fits before "
        "`until`. null where `until` is null."
    )
    retest: Retest
    cohort: CohortId
    grade: Grade
    criteria_version: CriteriaVersion
    criteria_illustrative: IllustrativeCriteria
    criteria_outdated: OutdatedCriteria
    criteria: list[CriterionAnswer] = Field(description="The criteria that count for the cohort, in document order.")
    timeline: list[IntervalAnswer] = Field(description="The best verdict of the cohorts over time, if no fact changes.")
    cohorts: list[CohortTimeline] = Field(description="All cohorts.")
    ask_next: list[QuestionAnswer] = Field(description="At most 20 questions to ask next, best first.")
    warnings: list[WarningAnswer] = Field(
        description="What of the patient was not understood or not used; at most 501. Show it: it may decide."
    )
