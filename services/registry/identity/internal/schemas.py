"""Request and response bodies of the internal routes."""

from typing import Any

from services.registry.identity.clients.schemas import ClientName
from shared.values.wire import ApiModel


class EndedRights(ApiModel):
    """Tokens issued to this client or member before this version of it are refused."""

    client: str
    version: int


class IdentityState(ApiModel):
    """What another service loads when it starts. ``following``: where the feed of revocations continues."""

    keys: list[dict[str, Any]]
    revocations: list[EndedRights]
    following: str


class Introspection(ApiModel):
    """The rights of a credential, as a `shared.access.principal.Credential`; null if it is not valid."""

    credential: dict[str, Any] | None


class CredentialInput(ApiModel):
    credential: str


class AdministratorInput(ApiModel):
    """``name`` distinguishes the keys of several administrators."""

    name: ClientName
