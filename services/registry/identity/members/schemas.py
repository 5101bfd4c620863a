"""Request and response bodies about members."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from services.registry.identity.organisations.schemas import OrganisationId
from shared.access.principal import Role
from shared.values.forms import described
from shared.values.wire import ApiModel, Instant


class MemberUpdate(ApiModel):
    """The roles of a member."""

    roles: list[Role] = Field(min_length=1, max_length=7)

    @field_validator("roles")
    @classmethod
    def _sort_unique(cls, given: list[Role]) -> list[Role]:
        return sorted(set(given))


class MemberInput(MemberUpdate):
    """A person who acts for the organisation, without name or address.

    ``issuer`` is the URL of the identity provider; ``subject`` is the person's identifier there (`sub`).
    """

    issuer: Annotated[
        str,
        StringConstraints(
            pattern=described("^https?://", fr="une URL http ou https", en="an http or https URL"), max_length=300
        ),
    ]
    subject: Annotated[str, StringConstraints(min_length=1, max_length=255)]


class Member(ApiModel):
    id: str
    version: int
    organisation: OrganisationId
    issuer: str
    subject: str
    roles: list[Role]
    status: Literal["active", "revoked"]
    created_at: Instant
    updated_at: Instant


class MemberPage(ApiModel):
    items: list[Member]
    next: str | None
