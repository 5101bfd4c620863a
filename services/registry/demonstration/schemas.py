"""Bodies of the internal routes of demonstration users."""

from pydantic import Field

from shared.values.wire import ApiModel, Label


class DemonstrationUser(ApiModel):
    """A person who does not exist, for a developer's machine."""

    id: str = Field(description="The id.")
    organisation: str = Field(description="The name of the organisation.")
    name: Label = Field(description="The person's function.")
    does: Label = Field(description="What the person does in CLEIO, in a sentence.")


class DemonstrationUsers(ApiModel):
    """The demonstration users."""

    items: list[DemonstrationUser] = Field(description="All of them.")


class DemonstrationToken(ApiModel):
    """An access token of a demonstration user."""

    access_token: str = Field(description="The token, for all services.")
    expires_at: int = Field(description="When it expires, in seconds since 1970.")
