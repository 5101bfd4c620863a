"""Response bodies of the token endpoint and its metadata."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.values.wire import ApiModel


class TokenForm(BaseModel):
    """The form of a token request (RFC 6749 §4.4, RFC 7523 §2.2). Other parameters are ignored."""

    __pydantic_extra__: dict[str, str]
    model_config = ConfigDict(extra="allow")

    grant_type: Literal["client_credentials"] = Field(description="Always `client_credentials`.")
    client_assertion_type: Literal["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"] = Field(
        description="The kind of assertion: a JWT."
    )
    client_assertion: str = Field(
        description="A JWT that the client signs: `iss` and `sub` are its id, `aud` the issuer or the URL of the token"
        " endpoint (as the client is registered), `exp` at most five minutes away, `jti` new each time."
    )
    scope: str | None = Field(
        default=None, description="Scopes separated by single spaces; by default all of the client's."
    )
    resource: str | None = Field(
        default=None,
        description="A service that the token is for (RFC 8707), as `urn:cleio:matching`. May be repeated; by default"
        " all services that the scopes are for.",
    )
    client_id: str | None = Field(default=None, description="The `sub` of the assertion; may be left out.")


class TokenAnswer(ApiModel):
    """An access token."""

    access_token: str = Field(description="The token, to send as `Authorization: Bearer …`.")
    token_type: Literal["bearer"] = Field(default="bearer", description="Always `bearer`.")
    expires_in: int = Field(description="For how many seconds it is valid.")
    scope: str = Field(description="The scopes of the token, separated by spaces.")


class TokenError(ApiModel):
    """An error of the token endpoint (RFC 6749 §5.2)."""

    error: str = Field(description="A code of RFC 6749, such as `invalid_client`.")
    error_description: str = Field(description="What is wrong and what to do, in English.")


class KeySet(BaseModel):
    """A JSON Web Key Set (RFC 7517) with public keys."""

    keys: list[dict[str, Any]] = Field(description="Public keys (JWK).")


class Discovery(BaseModel):
    """Authorization server metadata (RFC 8414)."""

    issuer: str = Field(description="The issuer of the tokens, which is also the `aud` of assertions.")
    token_endpoint: str = Field(description="The URL where clients obtain tokens.")
    jwks_uri: str = Field(description="The URL of the issuer's public keys.")
    grant_types_supported: list[str] = Field(description="The grant types.")
    response_types_supported: list[str] = Field(description="Empty: there is no authorization endpoint.")
    token_endpoint_auth_methods_supported: list[str] = Field(description="How clients authenticate.")
    token_endpoint_auth_signing_alg_values_supported: list[str] = Field(
        description="Algorithms for signing assertions."
    )
    scopes_supported: list[str] = Field(description="All scopes.")


class SmartConfiguration(Discovery):
    """The metadata of SMART Backend Services, which adds two fields."""

    capabilities: list[str] = Field(description="Capabilities as SMART App Launch names them.")
    code_challenge_methods_supported: list[str] = Field(description="Required by SMART; not used here.")


class KeyIds(ApiModel):
    """The ids of the published keys."""

    kids: list[str] = Field(description="The ids (`kid`) of the published keys.")


class CallerRights(ApiModel):
    """The caller as the access policy sees it."""

    kind: str = Field(description="The kind of the caller's organisation.")
    organisation: str = Field(description="The id of the organisation; empty: none.")
    client: str | None = Field(description="The id of the client or member.")
    human: str | None = Field(description="The person's identifier at the identity provider; null: a program.")
    centre: str | None = Field(description="The id of the network's centre that the organisation is; null: it is none.")
    roles: list[str] = Field(description="The roles of the caller.")
    scopes: list[str] | None = Field(description="The scopes of its token; null: a person, limited by roles only.")
