"""The answer of a match on the wire."""

from typing import Literal

from pydantic import Field

from shared.values.wire import ApiModel, Day, Label

Verdict = Literal["compatible", "possible", "not_yet", "not_now", "excluded"]
Recruitment = Literal["open", "closed"]
Reason = Literal["missing", "stale", "unit", "no_reference_range", "partial_detail", "conflict", "needs_human"]


class CriterionAnswer(ApiModel):
    """A criterion on the day of the match. ``clears_on``: the day on which time alone ends its failure."""

    id: str
    kind: Literal["include", "exclude"]
    role: Literal["indication"] | None
    stage: Literal["prescreen", "screening", "consent"]
    state: Literal["met", "not_met", "unknown"]
    reason: Reason | None
    text: Label
    evidence: list[str]
    clears_on: Day | None
    left_to_investigator: bool


class IntervalAnswer(ApiModel):
    """From one day until another, which is no longer in it; null: not before 20 years."""

    from_: Day = Field(alias="from")
    until: Day | None
    verdict: Verdict


class CohortAnswer(ApiModel):
    id: str
    label: Label
    verdict: Verdict
    recruitment: Recruitment


class SlotsAnswer(ApiModel):
    cohort: str
    open: int


class SiteAnswer(ApiModel):
    """``stale``: nobody confirmed it for 30 days. ``distance_km``: in a straight line from the middle of the patient's département."""

    centre: str
    name: str
    city: str | None
    status: str
    slots: list[SlotsAnswer]
    stale: bool
    distance_km: int | None


class TrialAnswer(ApiModel):
    """A trial that is for this patient's condition. Its verdict is that of ``cohort``, null in a trial without cohorts; so are its criteria."""

    trial: str
    title: Label
    acronym: str | None
    verdict: Verdict
    recruitment: Recruitment
    recruitment_status: str
    from_: Day | None = Field(alias="from")
    until: Day | None
    refer_before: Day | None
    retest: Day | None
    cohort: str | None
    grade: Literal["signed", "registry"]
    criteria_version: int | None
    illustrative: bool
    criteria: list[CriterionAnswer]
    timeline: list[IntervalAnswer]
    cohorts: list[CohortAnswer]
    sites: list[SiteAnswer]


class QuestionAnswer(ApiModel):
    """``trials``: how many of them the answer would help decide."""

    code: str
    text: Label
    who: str
    cost: int
    trials: int


class IgnoredAnswer(ApiModel):
    """A fact by its id, or a part of another format by its JSON Pointer, that counted for nothing."""

    id: str
    reason: str


class MatchAnswer(ApiModel):
    """``results`` are the same bytes for the same patient, ``as_of`` and snapshot. ``undetermined`` and ``not_indicated`` count trials."""

    as_of: Day
    snapshot: str
    engine_version: str
    terminology_version: str
    pre_screening: Label
    results: list[TrialAnswer]
    undetermined: int
    not_indicated: int
    ask_next: list[QuestionAnswer]
    ignored_facts: list[IgnoredAnswer]
