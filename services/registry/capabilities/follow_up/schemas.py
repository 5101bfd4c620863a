"""The long-term follow-up of a trial on the wire."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.registry.capabilities.follow_up.calendar import Kind, Visit
from services.registry.model.texts import ImpersonalLine
from shared.values.forms import described
from shared.values.wire import ApiModel, Day, Instant, Label

MAX_YEARS = 30
MAX_VISITS = 200
Month = Annotated[
    str,
    StringConstraints(
        pattern=described(
            r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$", fr="un mois, p. ex. 2031-04", en="a month, such as 2031-04"
        )
    ),
]


class ScheduleInput(ApiModel):
    """The follow-up that the protocol sets."""

    years: Annotated[int, Field(ge=1, le=MAX_YEARS)] = Field(description="The length of follow-up in years.")
    months: Annotated[list[Annotated[int, Field(ge=1, le=12 * MAX_YEARS)]], Field(max_length=MAX_VISITS)] = Field(
        default_factory=list, description="The visits, in months after dosing, increasing; empty: the usual ones."
    )
    reference: ImpersonalLine = Field(description="The version of the protocol that sets it.")

    @model_validator(mode="after")
    def _increases(self) -> Self:
        if any(later <= earlier for earlier, later in zip(self.months, self.months[1:], strict=False)):
            raise PydanticCustomError("order", "the months of visits increase")
        if self.months and self.months[-1] > 12 * self.years:
            raise PydanticCustomError("beyond_end", "a visit is later than the end of follow-up")
        return self


class FollowUpVisit(ApiModel):
    """A visit of long-term follow-up."""

    number: int = Field(description="Its number.")
    months: int = Field(description="Months after dosing.")
    on: Day | None = Field(description="Its day, with `dosed_on`. Where that month is shorter: its last day.")
    own_consent: bool = Field(description="With `adult_on`: whether the patient consents as an adult by then.")

    @classmethod
    def of(cls, one: Visit) -> "FollowUpVisit":
        """Return a visit as readers get it."""
        return cls(number=one.number, months=one.months, on=one.on, own_consent=one.own_consent)


class Required(ApiModel):
    """Something that must be done."""

    code: str = Field(description="A stable code.")
    detail: Label = Field(description="What must be done.")


class FollowUp(ApiModel):
    """The long-term follow-up of the patients of a trial."""

    trial: str = Field(description="The preferred public number of the trial.")
    by: Literal["sponsor", "usual", "not_known"] = Field(
        description="`sponsor`: as stated. `usual`: by the kind of product. `not_known`: neither is known."
    )
    kind: Kind | None = Field(description="Whether the product changes the genome for good; null: not known.")
    basis: Label | None = Field(description="Where the usual schedule comes from; null: stated, or not known.")
    reference: str | None = Field(description="The version of the protocol that sets it; null: not stated.")
    version: int | None = Field(description="The version of what is stated, as in the `ETag`; null: nothing is.")
    at: Instant | None = Field(description="When it was stated.")
    years: int | None = Field(description="The length of follow-up in years; null: not known.")
    ends_on: Day | None = Field(description="The last day, with `dosed_on`.")
    visits: list[FollowUpVisit] = Field(description="The visits, in order.")
    on_transfer: list[Required] = Field(description="What a transfer to another centre needs.")
    at_majority: list[Required] = Field(description="What is due when a patient turns 18.")
