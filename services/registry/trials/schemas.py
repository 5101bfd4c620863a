"""Answers of the trial endpoints that hold more than one trial or site."""

from pydantic import Field

from services.registry.model.shown import Trial
from services.registry.model.site import Site
from shared.values.wire import ApiModel


class TrialPage(ApiModel):
    """A page of trials."""

    items: list[Trial] = Field(description="The trials of this page.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")
    total: int | None = Field(default=None, description="The number of trials on all pages; only with `count=exact`.")


class SiteOfTrial(Site):
    """A site in the list of a trial."""

    distance_km: float | None = Field(
        default=None, description="Only with `near`: kilometres in a straight line; null: no place was asked for."
    )


class SiteList(ApiModel):
    """The sites of a trial."""

    items: list[SiteOfTrial] = Field(description="The sites; with `near` the nearest first.")
