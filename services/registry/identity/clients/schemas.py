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

    A `private_key_jwt` client gives its public keys, or the https URL where it publishes them; an `api_key` client
    gives neither.
    """

    name: ClientName = Field(description="A name for people.")
    scopes: list[Scope] = Field(
        max_length=50, description="What the client may do at most: scopes such as `match.execute`."
    )
    roles: list[Role] = Field(
        default=["system"], max_length=7, description="The roles of the client in its organisation."
    )
    audience: Literal["issuer", "smart"] = Field(
        default="issuer",
        description="The `aud` of its assertions: the issuer (`issuer`) or the URL of the token endpoint (`smart`).",
    )
    jwks: dict[str, Any] | None = Field(
        default=None, description="A JSON Web Key Set (RFC 7517) with public RSA or P-384 keys, each with a kid."
    )
    jwks_url: Url | None = Field(
        default=None, description="The https URL where the client publishes its key set, instead of `jwks`."
    )

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
    """A client to create."""

    method: Method = Field(
        default="private_key_jwt",
        description="How it authenticates: with a signed assertion (`private_key_jwt`) or with a fixed key "
        "(`api_key`).",
    )
    expires_in_days: int | None = Field(
        default=None, ge=1, le=731, description="The lifetime of its API key in days; null: 365."
    )

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
    """How to rotate a key."""

    overlap_hours: int = Field(
        default=24, ge=0, le=168, description="How many hours the previous key stays valid; 0 if it may be compromised."
    )


class Client(ApiModel):
    """An API client of an organisation."""

    id: str = Field(description="The id, also the `iss` and `sub` of its assertions.")
    version: int = Field(description="The version, as in the `ETag`; each change raises it by one.")
    organisation: OrganisationId = Field(description="The id of its organisation.")
    name: str = Field(description="A name for people.")
    method: Method = Field(description="How it authenticates.")
    audience: Literal["issuer", "smart"] = Field(
        description="The `aud` of its assertions: the issuer or the URL of the token endpoint."
    )
    scopes: list[str] = Field(description="What the client may do at most.")
    roles: list[Role] = Field(description="The roles of the client in its organisation.")
    jwks: dict[str, Any] | None = Field(description="Its public keys (RFC 7517); null: it has none here.")
    jwks_url: str | None = Field(description="Where it publishes its public keys; null: nowhere.")
    status: Literal["active", "revoked"] = Field(description="Whether it may obtain tokens.")
    expires_at: Instant | None = Field(description="When its API key expires; null for a client that signs assertions.")
    created_at: Instant = Field(description="When it was created.")
    updated_at: Instant = Field(description="When it was last changed.")


class NewClient(Client):
    """The only answer that shows the API key.

    A repetition with the same `Idempotency-Key` omits it: if the first answer was lost, rotate the key.
    """

    key: str | None = Field(
        default=None, description="The API key (`cleio_…`), shown only here; null for a client that signs assertions."
    )


class ClientPage(ApiModel):
    """A page of clients."""

    items: list[Client] = Field(description="The clients of this page.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")
