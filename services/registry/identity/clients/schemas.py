"""A client on the wire."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from services.registry.identity.clients.keys import KeySetError, read_key_set
from services.registry.identity.organisations.schemas import OrganisationId
from shared.access.principal import Role
from shared.values.wire import ApiModel, Instant

ClientName = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Method = Literal["private_key_jwt", "api_key"]
Scope = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,32}\.(read|write|execute)$")]
Url = Annotated[str, StringConstraints(min_length=8, max_length=2048)]


class ClientUpdate(ApiModel):
    """What of a client can change. ``audience``: whom its assertions are addressed to, the issuer or (`smart`) the token's URL.

    A `private_key_jwt` client gives its public keys, or the https URL where they are; an `api_key` client neither.
    """

    name: ClientName
    scopes: list[Scope] = Field(max_length=50)
    roles: list[Role] = Field(default=["system"], max_length=7)
    audience: Literal["issuer", "smart"] = "issuer"
    jwks: dict[str, Any] | None = Field(
        default=None, description="A JSON Web Key Set (RFC 7517) of public RSA or P-384 keys, each with its kid."
    )
    jwks_url: Url | None = None

    @field_validator("jwks")
    @classmethod
    def _holds_public_keys(cls, given: dict[str, Any] | None) -> dict[str, Any] | None:
        try:
            return None if given is None else {"keys": read_key_set(given)}
        except KeySetError as error:
            raise PydanticCustomError("key_set", error.en, {"fr": error.fr}) from None

    @field_validator("scopes", "roles")
    @classmethod
    def _once(cls, given: list[str]) -> list[str]:
        return sorted(set(given))


class ClientInput(ClientUpdate):
    """A client to be made. ``expires_in_days`` is of an API key: at most two years, one unless said otherwise."""

    method: Method = "private_key_jwt"
    expires_in_days: int | None = Field(default=None, ge=1, le=731)

    @model_validator(mode="after")
    def _only_a_key_expires(self) -> Self:
        if self.expires_in_days is not None and self.method != "api_key":
            raise PydanticCustomError(
                "only_a_key_expires", "only an api_key client expires", {"fr": "seul un client api_key expire"}
            )
        return self


class Rotation(ApiModel):
    """``overlap_hours``: how long the former key still serves; 0 when it is in wrong hands."""

    overlap_hours: int = Field(default=24, ge=0, le=168)


class Client(ApiModel):
    """A client. ``expires_at`` is of its key."""

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
    """The only answer that ever shows the key (``cleio_…``); null for a client that signs. Told again for the same `Idempotency-Key` it is
    without: if the first answer was lost, rotate the key.
    """

    key: str | None = None


class ClientPage(ApiModel):
    items: list[Client]
    next: str | None
