"""Answers of the list of trials."""

from typing import Literal

from pydantic import Field

from services.registry.trials.schemas import TrialPage
from shared.values.wire import ApiModel, Label


class FacetValue(ApiModel):
    """A value, and how many of the trials have it."""

    value: str = Field(description="The value, as the filter of this name takes it.")
    count: int = Field(description="The number of trials.")
    label: Label | None = Field(default=None, description="Its name; null: the value says it.")


class ListPage(TrialPage):
    """A page of the list of trials."""

    facets: dict[str, list[FacetValue]] | None = Field(
        default=None, description="The most frequent values of each facet that was asked for, over all pages."
    )


class Statistics(ApiModel):
    """Numbers of trials."""

    total: int = Field(description="The number of trials.")
    counts: dict[str, list[FacetValue]] = Field(
        description="By `status`, `phase`, `atmp_class`, `condition` and `departement`: the most frequent values."
    )


class Suggestion(ApiModel):
    """Something that a typed text may mean."""

    kind: Literal["condition", "trial", "centre"] = Field(description="What it is.")
    value: str = Field(description="The code of the disease, the id of the trial or of the centre.")
    label: Label = Field(description="Its name.")
    count: int | None = Field(default=None, description="The number of trials of a disease.")


class Suggestions(ApiModel):
    """What a typed text may mean, the likeliest first of each kind."""

    items: list[Suggestion] = Field(description="Diseases, then trials, then centres.")
