"""Reports on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from services.registry.reports.disclosure import Bucket
from services.registry.reports.model import View
from services.registry.reports.report import Count, Group, Measure, Section, Unit
from shared.values.wire import ApiModel, Day
from shared.vocabulary.identifiers import CentreId

Plot = Literal[
    "access", "access_in_vivo", "access_ex_vivo", "access_child", "access_adult", "institutions", "opening"
]  # fmt: skip
Share = Annotated[float, Field(ge=0, le=1)]
_HIDDEN = "null: it must not be shown."


class MeasureDocument(ApiModel):
    """How long one step takes. Open cases count until the day of the report; other ends compete."""

    section: Section = Field(description="What it is about.")
    step: str = Field(description="The step that ends it, such as `dosing`.")
    group: Group = Field(description="All cases; of products given in vivo or ex vivo; of minors or adults.")
    unit: Unit = Field(description="`working_days`: of institutions. `days`: of patients.")
    cases: int | None = Field(description=f"The number of cases; {_HIDDEN}")
    ended: int | None = Field(description=f"Those that reached the step; {_HIDDEN}")
    otherwise: int | None = Field(description=f"Those that ended in another way before; {_HIDDEN}")
    open: int | None = Field(description=f"Those that are open; {_HIDDEN}")
    first_quarter: int | None = Field(
        description="The day by which a quarter of all cases reached the step; null: fewer did, or it is hidden."
    )
    median: int | None = Field(description="The same for half of all cases.")
    third_quarter: int | None = Field(description="The same for three quarters.")
    within_14: Share | None = Field(description="The share of all cases that reached the step within 14 days.")
    suppressed: bool = Field(description="Whether it is hidden: fewer than 11 cases, or another one would show them.")

    @classmethod
    def of(cls, one: Measure) -> "MeasureDocument":
        """Return a measure as readers get it."""
        within = None if one.within_target is None else round(one.within_target, 4)
        return cls(
            section=one.section, step=one.step, group=one.group, unit=one.unit, cases=one.cases, ended=one.ended,
            otherwise=one.otherwise, open=one.open, first_quarter=one.first_quarter, median=one.median,
            third_quarter=one.third_quarter, within_14=within, suppressed=one.suppressed,
        )  # fmt: skip


class CountDocument(ApiModel):
    """A count of cases."""

    code: str = Field(description="What is counted, such as `screening`.")
    group: str = Field(description="Which of them, such as `screen_failure`.")
    count: int | None = Field(description=f"Their number; {_HIDDEN}")

    @classmethod
    def of(cls, one: Count) -> "CountDocument":
        """Return a count as readers get it."""
        return cls(code=one.code, group=one.group, count=one.count)


class Report(ApiModel):
    """How long each step takes, from the sponsor's question to the patient's treatment."""

    view: View = Field(description="Whose report: of the network, of a centre, or for F-CRIN.")
    centre: CentreId | None = Field(description="The centre; null: all.")
    year: int | None = Field(description="The year in which the cases began; null: all years.")
    today: Day = Field(description="The day until which open cases count.")
    suppressed: bool = Field(description="Whether counts below 11 are hidden.")
    measures: list[MeasureDocument] = Field(description="The steps: first of institutions, then of patients.")
    counts: list[CountDocument] = Field(description="Further counts.")


class ReferralCount(ApiModel):
    """How many referrals of a sponsor's trial there are, without what could reveal one patient."""

    trial_id: str = Field(description="The id of the trial.")
    stage: str = Field(description="The stage that is counted.")
    year: int | None = Field(description="The year in which the referrals were sent; null: all years.")
    count: Bucket = Field(
        description="A range. The number in it has a random part, always the same for the same question, so that two "
        "questions cannot be subtracted."
    )
    questions_left: int = Field(description="How many other questions your organisation can ask today.")
