"""The overview of a trial."""

from pydantic import Field

from services.registry.capabilities.follow_up.schemas import FollowUp
from services.registry.provenance.schemas import FieldOrigin
from services.registry.safety_holds.schemas import HoldDocument
from services.registry.trials.schemas import SiteOfTrial
from shared.criteria.model import CriteriaDocument
from shared.values.wire import ApiModel


class Overview(ApiModel):
    """What the registry has beside the record of a trial: each part as its own route returns it."""

    criteria: CriteriaDocument | None = Field(description="The computable criteria in force; null: there are none.")
    sites: list[SiteOfTrial] = Field(description="The sites; with `near` the nearest first.")
    provenance: list[FieldOrigin] = Field(description="Where the fields come from.")
    follow_up: FollowUp = Field(description="The calendar of long-term follow-up.")
    holds: list[HoldDocument] = Field(description="The safety holds in force.")
