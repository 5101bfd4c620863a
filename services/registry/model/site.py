"""A site: a trial at a member centre, as declared (`SiteInput`) and as readers get it (`Site`, `SiteVersion`)."""

from typing import Annotated, Literal, Self

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
    status: RecruitmentStatus | None = Field(
        default=None, description="The recruitment status of the cohort at this site; null: that of the site."
    )


class CohortStatus(ApiModel):
    """The recruitment status that a site declares for one of its cohorts."""

    cohort: CohortId = Field(description="The id of the cohort.")
    status: RecruitmentStatus = Field(description="The recruitment status of the cohort at this site.")


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


class SiteState(ApiModel):
    """What is known of a site."""

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
    cohorts: Annotated[list[CohortStatus], Field(max_length=MAX_ITEMS)] = Field(
        default_factory=list, description="The cohorts that have a recruitment status of their own at this site."
    )


class Site(SiteState):
    """A trial at a member centre."""

    trial: PublicNumber = Field(description="The `identifier` of the trial.")
    centre: CentreId = Field(description="The id of the centre.")
    version: Version = Field(
        description="The version, as in the `ETag`; each change raises it by one, and not that of the trial."
    )
    stale: bool = Field(description="Whether it was not confirmed within the past 30 days.")


class SiteVersion(ApiModel):
    """A version of a site: what was known of it before and after."""

    version: Version = Field(description="The version.")
    at: Instant = Field(description="When it was written.")
    by: Literal["declaration", "source", "earlier"] = Field(
        description="`declaration`: of the centre or the coordination. `source`: a source said something else. "
        "`earlier`: the version that the site had when its history began."
    )
    author: str | None = Field(description="Who declared it; null: a source, or the caller may not see it.")
    before: SiteState | None = Field(
        description="What was known until then; null: nothing, or the caller may not see it."
    )
    after: SiteState = Field(description="What was known from then on.")


class SiteHistory(ApiModel):
    """A page of the versions of a site."""

    items: list[SiteVersion] = Field(description="The versions of this page, newest first.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")
