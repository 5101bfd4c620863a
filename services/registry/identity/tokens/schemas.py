"""Response bodies of the token endpoint and its metadata."""

from typing import Any, Literal

from pydantic import BaseModel

from shared.values.wire import ApiModel


class TokenAnswer(ApiModel):
    """An access token, valid for ``expires_in`` seconds."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    expires_in: int
    scope: str


class TokenError(ApiModel):
    """An error of the token endpoint (RFC 6749 §5.2). ``error_description`` says what is wrong, in English."""

    error: str
    error_description: str


class KeySet(BaseModel):
    """A JSON Web Key Set (RFC 7517) with public keys."""

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
    """The metadata of SMART Backend Services, which adds two fields."""

    capabilities: list[str]
    code_challenge_methods_supported: list[str]


class KeyIds(ApiModel):
    """The ids of the published keys."""

    kids: list[str]


class Self(ApiModel):
    """The caller as the access policy sees it. ``scopes`` null: a person, limited by roles only."""

    kind: str
    organisation: str
    client: str | None
    human: str | None
    centre: str | None
    roles: list[str]
    scopes: list[str] | None
