"""A site: a trial at a member centre, as declared (`SiteInput`) and as readers get it (`Site`)."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.registry.model.trial import MAX_ITEMS, CohortId, PublicNumber, Version, has_duplicates
from shared.values.wire import ApiModel, Instant
from shared.vocabulary.identifiers import CentreId
from shared.vocabulary.recruitment import RecruitmentStatus


class Slots(ApiModel):
    """The places declared open in a cohort."""

    cohort: CohortId = Field(description="The id of the cohort.")
    open: Annotated[int, Field(ge=0, le=100_000)] = Field(description="The number of open places.")


class SiteInput(ApiModel):
    """What a centre or a sponsor declares about a trial at a centre."""

    status: RecruitmentStatus = Field(description="The recruitment status of the site.")
    slots: Annotated[list[Slots], Field(max_length=MAX_ITEMS)] = Field(
        default_factory=list, description="The open places of each cohort."
    )
    confirmed_at: Instant | None = Field(default=None, description="When this was true; null: now.")

    @model_validator(mode="after")
    def _counts_each_cohort_once(self) -> Self:
        if has_duplicates([slots.cohort for slots in self.slots]):
            raise PydanticCustomError("duplicate", "{field} has the same item twice", {"field": "slots"})
        return self


class Site(ApiModel):
    """A trial at a member centre."""

    trial: PublicNumber = Field(description="The `identifier` of the trial.")
    centre: CentreId = Field(description="The id of the centre.")
    version: Version = Field(description="The version, as in the `ETag`; each change raises it by one.")
    status: RecruitmentStatus = Field(
        description="The recruitment status of the site: the declared one, else that of the sources, else `unknown`."
    )
    declared_status: RecruitmentStatus | None = Field(
        description="What the centre or the coordination declared; null: nothing."
    )
    source_status: RecruitmentStatus | None = Field(
        description="What the sources say; null: no source names the site any more, or none did."
    )
    confirmed_at: Instant | None = Field(
        description="When the centre or the coordination last confirmed it; null: never."
    )
    slots: Annotated[list[Slots], Field(max_length=MAX_ITEMS)] | None = Field(
        description="The open places of each cohort; null: the caller may not see them."
    )
    stale: bool = Field(description="Whether it was not confirmed within the past 30 days.")
