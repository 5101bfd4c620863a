"""Request and response bodies about members."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from services.registry.identity.organisations.schemas import OrganisationId
from shared.access.principal import Role
from shared.values.forms import described
from shared.values.wire import ApiModel, Instant


class MemberUpdate(ApiModel):
    """The roles of a member."""

    roles: list[Role] = Field(min_length=1, max_length=7, description="The roles of the person in the organisation.")

    @field_validator("roles")
    @classmethod
    def _sort_unique(cls, given: list[Role]) -> list[Role]:
        return sorted(set(given))


class MemberInput(MemberUpdate):
    """A person who is to act for the organisation, without name or address."""

    issuer: Annotated[
        str,
        StringConstraints(
            pattern=described("^https?://", fr="une URL http ou https", en="an http or https URL"), max_length=300
        ),
    ] = Field(description="The URL of the identity provider.")
    subject: Annotated[str, StringConstraints(min_length=1, max_length=255)] = Field(
        description="The person's identifier there (`sub`)."
    )


class Member(ApiModel):
    """A person who acts for an organisation, without name or address."""

    id: str = Field(description="The id.")
    version: int = Field(description="The version, as in the `ETag`; each change raises it by one.")
    organisation: OrganisationId = Field(description="The id of the organisation.")
    issuer: str = Field(description="The URL of the identity provider.")
    subject: str = Field(description="The person's identifier there (`sub`).")
    roles: list[Role] = Field(description="The roles of the person in the organisation.")
    status: Literal["active", "revoked"] = Field(description="Whether the person may act for the organisation.")
    created_at: Instant = Field(description="When it was created.")
    updated_at: Instant = Field(description="When it was last changed.")


class MemberPage(ApiModel):
    """A page of members."""

    items: list[Member] = Field(description="The members of this page.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")
