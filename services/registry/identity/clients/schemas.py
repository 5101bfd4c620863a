"""Request and response bodies about API clients."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from services.registry.identity.clients.keys import KeySetError, read_key_set
from services.registry.identity.organisations.schemas import OrganisationId
from shared.access.principal import Role
from shared.values.forms import described
from shared.values.wire import ApiModel, Instant

ClientName = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Method = Literal["private_key_jwt", "api_key"]
Scope = Annotated[
    str,
    StringConstraints(
        pattern=described(
            r"^[a-z_]{1,32}\.(read|write|execute)$",
            fr="une ressource et read, write ou execute, p. ex. match.execute",
            en="a resource and read, write or execute, e.g. match.execute",
        )
    ),
]
Url = Annotated[str, StringConstraints(min_length=8, max_length=2048)]


class ClientUpdate(ApiModel):
    """The changeable part of a client.

    ``audience``: the `aud` of its assertions, either the issuer (`issuer`) or the URL of the token endpoint (`smart`).
    A `private_key_jwt` client gives its public keys, or the https URL where it publishes them; an `api_key` client
    gives neither.
    """

    name: ClientName
    scopes: list[Scope] = Field(max_length=50)
    roles: list[Role] = Field(default=["system"], max_length=7)
    audience: Literal["issuer", "smart"] = "issuer"
    jwks: dict[str, Any] | None = Field(
        default=None, description="A JSON Web Key Set (RFC 7517) with public RSA or P-384 keys, each with a kid."
    )
    jwks_url: Url | None = None

    @field_validator("jwks")
    @classmethod
    def _read_public_keys(cls, given: dict[str, Any] | None) -> dict[str, Any] | None:
        try:
            return None if given is None else {"keys": read_key_set(given)}
        except KeySetError as error:
            raise PydanticCustomError("key_set", error.en, {"fr": error.fr}) from None

    @field_validator("scopes", "roles")
    @classmethod
    def _sort_unique(cls, given: list[str]) -> list[str]:
        return sorted(set(given))


class ClientInput(ClientUpdate):
    """A client to create. ``expires_in_days``: lifetime of its API key, 365 by default, at most 731."""

    method: Method = "private_key_jwt"
    expires_in_days: int | None = Field(default=None, ge=1, le=731)

    @model_validator(mode="after")
    def _expires_with_key(self) -> Self:
        if self.expires_in_days is not None and self.method != "api_key":
            raise PydanticCustomError(
                "only_a_key_expires",
                "only an api_key client has expires_in_days",
                {"fr": "seul un client api_key a expires_in_days"},
            )
        return self


class Rotation(ApiModel):
    """``overlap_hours``: how long the previous key stays valid; 0 if it may be compromised."""

    overlap_hours: int = Field(default=24, ge=0, le=168)


class Client(ApiModel):
    """A client. ``expires_at``: end of its API key, null for a client that signs assertions."""

    id: str
    version: int
    organisation: OrganisationId
    name: str
    method: Method
    audience: Literal["issuer", "smart"]
    scopes: list[str]
    roles: list[Role]
    jwks: dict[str, Any] | None
    jwks_url: str | None
    status: Literal["active", "revoked"]
    expires_at: Instant | None
    created_at: Instant
    updated_at: Instant


class NewClient(Client):
    """The only answer that shows the API key (``cleio_…``); null for a client that signs assertions.

    A repetition with the same `Idempotency-Key` omits it: if the first answer was lost, rotate the key.
    """

    key: str | None = None


class ClientPage(ApiModel):
    items: list[Client]
    next: str | None
