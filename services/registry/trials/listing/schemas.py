"""Answers of the list of trials."""

from typing import Literal

from pydantic import Field

from services.registry.model.shown import Trial
from services.registry.terminology.schemas import ConceptDocument
from services.registry.trials.schemas import TrialPage
from shared.values.wire import ApiModel, Instant, Label
from shared.vocabulary.recruitment import RecruitmentStatus


class FacetValue(ApiModel):
    """A value, and how many of the trials have it."""

    value: str = Field(description="The value, as the filter of this name takes it.")
    count: int = Field(description="The number of trials.")
    label: Label | None = Field(default=None, description="Its name; null: the value says it.")


class ListedSite(ApiModel):
    """The site of a trial that recruits nearest to the place that was asked for, of those that the filters leave."""

    centre: str = Field(description="The id of the centre.")
    name: str = Field(description="Its name.")
    city: str = Field(description="Its city.")
    departement: str = Field(description="Its département.")
    status: RecruitmentStatus = Field(description="The recruitment status of the site.")
    confirmed_at: Instant | None = Field(description="When it was last confirmed; null: never.")
    distance_km: float = Field(description="Kilometres in a straight line.")


class ListedTrial(Trial):
    """A trial in a list."""

    nearest: ListedSite | None = Field(
        default=None, description="Only with `near`: the nearest open site; null: none of those left is open."
    )


class ListPage(TrialPage):
    """A page of the list of trials."""

    items: list[ListedTrial] = Field(description="The trials of this page.")  # type: ignore[assignment]

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


class NamedDisease(ApiModel):
    """A disease that trials name."""

    code: str = Field(description="Its code.")
    label: Label = Field(description="Its name.")
    trials: int = Field(description="How many of the trials name it.")
    relation: Literal["same", "narrower", "broader", "other"] = Field(
        description="Whether it is the disease that was asked for, a form of it, a broader one, or another disease "
        "that the trials treat too."
    )


class BroaderDisease(ConceptDocument):
    """A more general disease."""

    trials: int = Field(description="The number of trials that `condition` finds with its code.")


class DiseaseDocument(ApiModel):
    """A disease among the others."""

    concept: ConceptDocument = Field(description="The disease.")
    trials: int = Field(description="The number of trials that `condition` finds with its code.")
    named: list[NamedDisease] = Field(description="What these trials name, the most frequent first.")
    broader: list[BroaderDisease] = Field(description="More general diseases, the nearest first.")
