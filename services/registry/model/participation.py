"""What taking part in a trial involves: visits, nights in hospital, travel, and for how long."""

from typing import Annotated

from pydantic import Field

from services.registry.model.texts import ImpersonalText
from shared.values.wire import ApiModel, Duration

Count = Annotated[int, Field(ge=0, le=1000)]


class ParticipationNote(ApiModel):
    """What else a family should know, in French and in English, each possibly absent."""

    fr: ImpersonalText | None = Field(default=None, description="The note in French.")
    en: ImpersonalText | None = Field(default=None, description="The note in English.")


class Participation(ApiModel):
    """What taking part involves, as the protocol plans it. What is null is not known: only the site can say."""

    visits_first_year: Count | None = Field(
        default=None, description="The number of visits to the site in the first year, from the first screening visit."
    )
    hospital_nights: Count | None = Field(default=None, description="The number of nights in hospital, in all.")
    duration: Duration | None = Field(
        default=None, description="How long a participant takes part in this trial, such as `P5Y`."
    )
    follow_up: Duration | None = Field(
        default=None,
        description="How long participants are followed up after the treatment, also in another study, such as `P15Y`.",
    )
    remote_visits: bool | None = Field(
        default=None, description="Whether some visits take place at home, near home, by telephone or by video."
    )
    travel_paid: bool | None = Field(
        default=None, description="Whether travel to the site is paid or reimbursed to the participant."
    )
    accommodation_paid: bool | None = Field(
        default=None, description="Whether accommodation near the site is paid or reimbursed."
    )
    companion_paid: bool | None = Field(
        default=None, description="Whether the same is paid or reimbursed for one person who accompanies."
    )
    note: ParticipationNote | None = Field(default=None, description="What else a family should know; null: nothing.")
