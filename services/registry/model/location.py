"""Places of a trial as registries write them."""

from typing import Annotated

from pydantic import Field

from services.registry.model.texts import Line, ShortLine
from shared.values.wire import ApiModel
from shared.vocabulary.geography import Country
from shared.vocabulary.recruitment import RecruitmentStatus


class Position(ApiModel):
    """A point on the Earth (WGS 84, degrees)."""

    latitude: Annotated[float, Field(ge=-90, le=90)] = Field(description="The latitude; north is positive.")
    longitude: Annotated[float, Field(ge=-180, le=180)] = Field(description="The longitude; east is positive.")


class Location(ApiModel):
    """A place as a registry wrote it; never a person's name, telephone or address."""

    facility: Line | None = Field(default=None, description="The name of the facility.")
    city: ShortLine | None = Field(default=None, description="The city.")
    state: ShortLine | None = Field(default=None, description="The state, region or province.")
    postcode: ShortLine | None = Field(default=None, description="The postcode.")
    country: Country | None = Field(default=None, description="The country (ISO 3166-1 alpha-2).")
    position: Position | None = Field(default=None, description="Where it is; often only the middle of the city.")
    status: RecruitmentStatus | None = Field(default=None, description="The recruitment status there; null: not known.")
