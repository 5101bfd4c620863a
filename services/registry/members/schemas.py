"""A member on the wire."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from services.registry.organisations.schemas import OrganisationId
from shared.identity.principal import Role
from shared.wire import Instant, Wire


class MemberUpdate(Wire):
    """What a member may do."""

    roles: list[Role] = Field(min_length=1, max_length=7)

    @field_validator("roles")
    @classmethod
    def _once(cls, given: list[Role]) -> list[Role]:
        return sorted(set(given))


class MemberInput(MemberUpdate):
    """A person of the organisation: ``issuer`` is the identity provider, ``subject`` what it calls the person (`sub`). No name, no address."""

    issuer: Annotated[str, StringConstraints(pattern="^https?://", max_length=300)]
    subject: Annotated[str, StringConstraints(min_length=1, max_length=255)]


class Member(Wire):
    id: str
    version: int
    organisation: OrganisationId
    issuer: str
    subject: str
    roles: list[Role]
    status: Literal["active", "revoked"]
    created_at: Instant
    updated_at: Instant


class MemberPage(Wire):
    items: list[Member]
    next: str | None
