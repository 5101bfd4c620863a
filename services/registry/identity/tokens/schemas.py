"""What the token endpoint and its discovery documents answer."""

from typing import Any, Literal

from pydantic import BaseModel

from services.registry.identity.clients.schemas import ClientName
from shared.values.wire import ApiModel


class TokenAnswer(ApiModel):
    """An access token, for ``expires_in`` seconds."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int
    scope: str


class TokenError(ApiModel):
    """RFC 6749 §5.2."""

    error: str


class KeySet(BaseModel):
    """A JSON Web Key Set (RFC 7517) of public keys."""

    keys: list[dict[str, Any]]


class Discovery(BaseModel):
    """Authorization server metadata (RFC 8414)."""

    issuer: str
    token_endpoint: str
    jwks_uri: str
    grant_types_supported: list[str]
    response_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    token_endpoint_auth_signing_alg_values_supported: list[str]
    scopes_supported: list[str]


class SmartConfiguration(Discovery):
    """The same for SMART Backend Services, with what they ask for besides."""

    capabilities: list[str]
    code_challenge_methods_supported: list[str]


class EndedRights(ApiModel):
    """What was issued to a client or member before this version of it is refused."""

    client: str
    version: int


class IdentityState(ApiModel):
    """What another service learns at its start; ``following`` is where the feed goes on."""

    keys: list[dict[str, Any]]
    revocations: list[EndedRights]
    following: str


class Introspection(ApiModel):
    """What a credential stands for: a `shared.access.principal.Credential`, or null."""

    credential: dict[str, Any] | None


class CredentialInput(ApiModel):
    credential: str


class AdministratorInput(ApiModel):
    """``name`` tells one administrator's key from another's."""

    name: ClientName


class KeyIds(ApiModel):
    """The keys that are published now."""

    kids: list[str]


class Self(ApiModel):
    """The caller as the policy sees it. ``scopes`` null: limited by the roles alone."""

    kind: str
    organisation: str
    client: str | None
    human: str | None
    centre: str | None
    roles: list[str]
    scopes: list[str] | None
