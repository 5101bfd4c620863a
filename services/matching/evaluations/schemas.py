"""The answer of a match on the wire."""

from pydantic import Field

from services.matching.answers.schemas import (
    CohortDates,
    CohortId,
    CriteriaVersion,
    CriterionAnswer,
    From,
    Grade,
    IgnoredAnswer,
    IllustrativeCriteria,
    IntervalAnswer,
    QuestionAnswer,
    Retest,
    TrialVerdict,
    Until,
)
from services.matching.snapshots.recruitment import Recruitment
from shared.values.wire import ApiModel, Day, Label
from shared.vocabulary.recruitment import RecruitmentStatus


class CohortAnswer(CohortDates):
    """A cohort of the trial."""

    id: str = Field(description="The id of the cohort in the criteria document.")
    label: Label = Field(description="The name of the cohort.")
    recruitment: Recruitment = Field(description="Whether the cohort recruits in `country`, as for the trial.")


class SlotsAnswer(ApiModel):
    """The places that a site declares open for a cohort."""

    cohort: str = Field(description="The id of the cohort.")
    open: int = Field(description="The number of places.")


class SiteAnswer(ApiModel):
    """A site of the trial: a member centre of the network."""

    centre: str = Field(description="The id of the centre.")
    name: str = Field(description="The name of the centre; its id where the name is not known.")
    city: str | None = Field(description="The city of the centre.")
    status: RecruitmentStatus = Field(description="The recruitment status of the site.")
    slots: list[SlotsAnswer] = Field(description="The places that the site declares open, by cohort.")
    stale: bool = Field(description="Whether the status was not confirmed within the past 30 days.")
    distance_km: int | None = Field(
        description="Kilometres in a straight line from the population-weighted centre of the patient's département; "
        "null where the département is not given or not known."
    )


class TrialAnswer(ApiModel):
    """A trial for the condition of this patient."""

    trial: str = Field(description="The public identifier of the trial, such as its NCT number.")
    title: Label = Field(description="The title; where it exists in one language only, the same text twice.")
    acronym: str | None = Field(description="The acronym.")
    verdict: TrialVerdict
    recruitment: Recruitment = Field(
        description="Whether the cohort that gives the verdict recruits in `country`. `open`: it does. `not_yet_open`: "
        "it will. `not_in_country`: the trial recruits, but not there. `closed`: the trial or the cohort recruits "
        "nowhere. `unknown`: its status, or where it takes place, is not known."
    )
    recruitment_status: RecruitmentStatus = Field(description="The status of the whole trial, as its source gives it.")
    from_: From = Field(alias="from")
    until: Until
    refer_before: Day | None = Field(
        description="The last day to refer the patient: so early that the lead time of the trial still fits before "
        "`until`. null where `until` is null, or where `recruitment` is `closed`."
    )
    retest: Retest
    cohort: CohortId
    grade: Grade
    criteria_version: CriteriaVersion
    criteria_illustrative: IllustrativeCriteria
    illustrative: bool = Field(
        description="Whether the trial itself is invented, for demonstration: it recruits no patients."
    )
    criteria: list[CriterionAnswer] = Field(description="The criteria that count for the cohort, in document order.")
    timeline: list[IntervalAnswer] = Field(
        description="The best verdict over time of the cohorts that recruit in `country` (of all, where none does), if "
        "no fact changes."
    )
    cohorts: list[CohortAnswer] = Field(description="All cohorts of the trial.")
    sites: list[SiteAnswer] = Field(
        description="The sites: first those that recruit, were confirmed and have a place in the cohort, then the "
        "other recruiting ones, then the rest; each group by distance."
    )


class MatchAnswer(ApiModel):
    """The trials for one patient. The same patient, `as_of` and snapshot give the same bytes of `results`."""

    as_of: Day = Field(description="The day of evaluation.")
    country: str = Field(description="The country that `recruitment` is about (ISO 3166-1 alpha-2).")
    snapshot: str = Field(description="The id of the copy of the registry that the answer is based on.")
    engine_version: str = Field(description="Changes whenever the same input may give another answer.")
    terminology_version: str = Field(description="The version of the terminology.")
    pre_screening: Label = Field(description="What this answer is, and is not; show it to the reader.")
    results: list[TrialAnswer] = Field(
        description="One page of the trials for the patient's condition: trials that recruit in `country` first, then "
        "by verdict and by `from`; excluded ones last."
    )
    total: int = Field(description="The number of trials on all pages.")
    next: str | None = Field(
        description="The `cursor` of the next page, for the same patient and parameters; null on the last page. It "
        "contains nothing about the patient."
    )
    undetermined: int = Field(
        description="The number of trials that are not listed because nothing is known about the condition they are "
        "for, or because they have no computable criteria."
    )
    not_indicated: int = Field(description="The number of trials that are not listed because they are for others.")
    ask_next: list[QuestionAnswer] = Field(
        description="At most 20 questions whose answers help to decide most trials, best first; the same on each page."
    )
    ignored_facts: list[IgnoredAnswer] = Field(description="Facts and parts of the body that were not used.")
