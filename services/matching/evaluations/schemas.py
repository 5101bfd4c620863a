"""The answer of a match on the wire."""

from typing import Literal

from pydantic import Field

from services.matching.answers.schemas import CriterionAnswer, IgnoredAnswer, IntervalAnswer, QuestionAnswer, Verdict
from shared.values.wire import ApiModel, Day, Label

Recruitment = Literal["open", "closed"]


class CohortAnswer(ApiModel):
    id: str
    label: Label
    verdict: Verdict
    recruitment: Recruitment


class SlotsAnswer(ApiModel):
    cohort: str
    open: int


class SiteAnswer(ApiModel):
    """A site of the trial.

    ``stale``: not confirmed within the past 30 days. ``distance_km``: in a straight line from the population-weighted
    centre of the patient's département.
    """

    centre: str
    name: str
    city: str | None
    status: str
    slots: list[SlotsAnswer]
    stale: bool
    distance_km: int | None


class TrialAnswer(ApiModel):
    """A trial for the condition of this patient.

    The verdict, the dates and the criteria are those of ``cohort``, which is null in a trial without cohorts.
    """

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


class MatchAnswer(ApiModel):
    """The trials for one patient.

    The same patient, ``as_of`` and snapshot give the same bytes of ``results``. ``undetermined`` and ``not_indicated``
    are numbers of trials.
    """

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
