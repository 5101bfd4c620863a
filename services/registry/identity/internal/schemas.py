"""Request and response bodies of the internal routes."""

from typing import Any

from pydantic import Field

from services.registry.identity.clients.schemas import ClientName
from shared.values.wire import ApiModel


class EndedRights(ApiModel):
    """The end of the rights that a client or member had."""

    client: str = Field(description="The id of the client or member.")
    version: int = Field(description="The first version whose tokens are valid again.")


class IdentityState(ApiModel):
    """What another service loads when it starts."""

    keys: list[dict[str, Any]] = Field(description="The public keys of the issuer.")
    revocations: list[EndedRights] = Field(description="The recent revocations.")
    following: str = Field(description="The URL of the feed of later revocations.")


class Introspection(ApiModel):
    """The rights of a credential, as a `shared.access.principal.Credential`."""

    credential: dict[str, Any] | None = Field(description="The rights; null: the credential is not valid.")


class CredentialInput(ApiModel):
    """A credential to check."""

    credential: str = Field(description="An API key, a token of the OpenID provider, or one that a client signed.")
    address: str | None = Field(default=None, description="The address that the client signed the token for.")


class AdministratorInput(ApiModel):
    """An administrator to create."""

    name: ClientName = Field(description="A name that distinguishes the keys of several administrators.")
