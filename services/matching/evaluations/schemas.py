"""The answer of a match on the wire."""

from typing import Literal

from pydantic import Field

from services.matching.answers.schemas import (
    CohortDates,
    CohortId,
    ConsentLineAnswer,
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
    status: RecruitmentStatus = Field(description="The recruitment status of the site, for the cohort that fits best.")
    slots: list[SlotsAnswer] = Field(description="The places that the site declares open, by cohort.")
    stale: bool = Field(description="Whether the status was not confirmed within the past 30 days.")
    distance_km: int | None = Field(
        description="Kilometres in a straight line from the population-weighted centre of the patient's département; "
        "null where the département is not given or not known."
    )


class ProductAnswer(ApiModel):
    """The product under trial, as the registry knows it."""

    name: str | None = Field(description="The name of the product.")
    atmp_class: str | None = Field(description="The class of advanced therapy, such as `gene_therapy`.")
    delivery: str | None = Field(description="`in_vivo` or `ex_vivo`.")
    vector: str | None = Field(description="What carries the gene.")
    serotype: str | None = Field(description="The serotype of the vector.")
    genes: list[str] = Field(description="The genes delivered or edited.")


class ContactAnswer(ApiModel):
    """The public contact of a trial: a function of an organisation, never a person."""

    function: Label = Field(description="The function, such as a clinical trials unit.")
    organisation: str | None = Field(description="The organisation; null: that of the sponsor, or not known.")
    email: str | None = Field(description="The mailbox of the function.")
    url: str | None = Field(description="A page with the contact.")


class LinkAnswer(ApiModel):
    """The public page of the trial in a register."""

    register_: Literal["nct", "euct", "eudract", "isrctn"] = Field(alias="register", description="The register.")
    number: str = Field(description="The number of the trial there.")
    url: str = Field(description="The address of the page.")


class EndingCriterion(ApiModel):
    """A criterion that ends the period in which the trial is open to this patient."""

    criterion: str = Field(description="Its id in the criteria document.")
    text: Label = Field(description="Its text.")
    asks: Label = Field(description="What it asks, with its threshold, as a sentence generated from it.")


class TrialAnswer(ApiModel):
    """A trial for the condition of this patient."""

    id: str = Field(description="The id of the trial in the registry; it never changes.")
    trial: str = Field(description="The preferred public number of the trial, such as its NCT number.")
    title: Label = Field(description="The title; where it exists in one language only, the same text twice.")
    acronym: str | None = Field(description="The acronym.")
    verdict: TrialVerdict
    recruitment: Recruitment = Field(
        description="Whether the cohort that gives the verdict recruits in `country`. `open`: it does. `not_yet_open`: "
        "it will. `not_in_country`: the trial recruits, but not there. `closed`: the trial or the cohort recruits "
        "nowhere. `unknown`: its status, or where it takes place, is not known."
    )
    recruitment_text: Label = Field(description="`recruitment` in words, with the country.")
    phase: str | None = Field(description="The phase; null: not known.")
    sponsor: str | None = Field(description="The name of the sponsor; null: not known.")
    contact: ContactAnswer | None = Field(description="The public contact of the trial; null: not known.")
    product: ProductAnswer = Field(description="The product under trial.")
    links: list[LinkAnswer] = Field(description="The public pages of the trial, one for each register number.")
    recruitment_status: RecruitmentStatus = Field(description="The status of the whole trial, as its source gives it.")
    from_: From = Field(alias="from")
    until: Until
    until_because: list[EndingCriterion] = Field(
        description="The criteria that are not satisfied from `until` on, if no fact changes; empty where it is null."
    )
    refer_before: Day | None = Field(
        description="The last day to refer the patient: so early that the lead time of the trial still fits before "
        "`until`. null where `until` is null, or where `recruitment` is `closed`."
    )
    retest: Retest
    cohort: CohortId
    grade: Grade
    criteria_version: CriteriaVersion
    criteria_illustrative: IllustrativeCriteria
    criteria_outdated: OutdatedCriteria
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
    not_evaluated: int = Field(
        description="The number of trials for the patient's condition that were left out, because the record is large "
        "or the condition is very broad; usually 0. Send fewer facts or a narrower condition to see them."
    )
    consent: list[ConsentLineAnswer] = Field(
        description="What the law of `country` asks of every trial at consent, as far as it may concern this patient. "
        "The investigator checks it; no verdict depends on it."
    )
    ask_next: list[QuestionAnswer] = Field(
        description="At most 20 questions whose answers help to decide most trials, best first; the same on each page."
    )
    warnings: list[WarningAnswer] = Field(
        description="What of the patient was not understood or not used; at most 501. Show it: it may decide."
    )
