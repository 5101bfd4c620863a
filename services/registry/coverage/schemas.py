"""The coverage as readers get it."""

from typing import Literal

from pydantic import Field

from services.registry.geography.travel import Mode
from shared.values.wire import ApiModel, Instant, Label

Confirmation = Literal["confirmed", "stale", "unconfirmed"]


class NamedCode(ApiModel):
    """A disease or a département."""

    code: str = Field(description="The code.")
    label: Label = Field(description="The name.")


class EstimatedTravel(ApiModel):
    """An estimate of a journey, by a formula: no route or timetable was consulted."""

    mode: Mode = Field(description="`road`, or `air` from or to a territory overseas or Corsica.")
    minutes: int = Field(description="The estimated minutes of the whole journey, one way.")
    estimated: Literal[True] = Field(default=True, description="Always true.")


class NearestSite(ApiModel):
    """The open site that is reached soonest from the mean place of the inhabitants."""

    centre: str = Field(description="The id of the centre.")
    name: str = Field(description="Its name.")
    city: str = Field(description="Its city.")
    departement: str = Field(description="Its département.")
    trial: str = Field(description="The id of a trial that recruits there for this disease.")
    identifier: str = Field(description="The preferred public number of this trial.")
    confirmation: Confirmation = Field(
        description="`confirmed` in the past 30 days; `stale`: earlier; `unconfirmed`: only a source says it is open."
    )
    confirmed_at: Instant | None = Field(description="When it was last confirmed; null: never.")
    distance_km: float = Field(description="Kilometres in a straight line.")
    travel: EstimatedTravel = Field(description="The estimated journey.")


class CoverageRow(ApiModel):
    """The coverage of people by open sites."""

    condition: NamedCode | None = Field(description="The disease; null: any.")
    departement: NamedCode | None = Field(description="The département; null: the whole of France.")
    trials: int = Field(description="Trials with an open site in France.")
    sites: int = Field(description="Centres there (in the département, or in France) with such a trial that recruits.")
    nearest: NearestSite | None = Field(description="The nearest open site of a département; null: there is none.")
    population: int = Field(description="The inhabitants.")
    within_two_hours: float = Field(description="The share of them within two estimated hours of an open site, 0 to 1.")
    within_hours: float = Field(description="The same for the `hours` that were asked for.")


class Coverage(ApiModel):
    """The coverage by open sites of published trials, without demonstrations."""

    geography: str = Field(description="The version of the geography; changes with its content.")
    hours: int = Field(description="The hours of `within_hours`.")
    method: Label = Field(description="How the times are estimated.")
    france: CoverageRow = Field(description="The whole of France, for the disease asked for, or any.")
    items: list[CoverageRow] = Field(
        description="By département if a disease is asked for; else by disease with an open site."
    )
    diseases_without_site: list[NamedCode] = Field(
        description="The disease asked for, else those that published trials treat, without any open site in France."
    )
    departements_without_site: list[NamedCode] = Field(description="Départements in which no such site is open.")
    departements_out_of_reach: list[NamedCode] = Field(
        description="Départements of which no inhabitant is within `hours` of such a site."
    )
