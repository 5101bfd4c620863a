"""Request and response bodies about organisations."""

from typing import Annotated, Literal, Self

from fastapi import Path
from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from shared.access.principal import OrganisationKind
from shared.values.forms import described
from shared.values.wire import ApiModel, Instant
from shared.vocabulary.identifiers import CentreId

_ID = described(
    "^[a-z][a-z0-9-]{1,62}$",
    fr="2 à 63 caractères : lettres minuscules, chiffres et traits d'union, p. ex. chu-lille",
    en="2 to 63 characters: lower-case letters, digits and hyphens, e.g. chu-lille",
)
OrganisationId = Annotated[str, StringConstraints(pattern=_ID)]
OrganisationPath = Annotated[str, Path(pattern=_ID, max_length=64, description="The id of the organisation.")]
OrganisationStatus = Literal["active", "suspended"]


class OrganisationInput(ApiModel):
    """An organisation to create or replace."""

    kind: OrganisationKind = Field(description="The kind, which decides what its clients and members may do.")
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(description="The name.")
    centre: CentreId | None = Field(
        default=None, description="Of the kind `centre` only: the id of the network's centre that it is."
    )
    status: OrganisationStatus = Field(
        default="active", description="`suspended`: its clients and members can do only what the public can."
    )

    @model_validator(mode="after")
    def _centre_fits_kind(self) -> Self:
        if (self.kind == "centre") != (self.centre is not None):
            raise PydanticCustomError(
                "centre_of_kind",
                "give a centre for an organisation of the kind centre, and for no other kind",
                {"fr": "indiquez un centre pour une organisation de type centre, et pour aucun autre type"},
            )
        return self


class Organisation(ApiModel):
    """An organisation. While it is suspended, its clients and members can do only what the public can."""

    id: OrganisationId = Field(description="The id, chosen by the coordination.")
    version: int = Field(description="The version, as in the `ETag`; each change raises it by one.")
    kind: OrganisationKind = Field(description="The kind, which decides what its clients and members may do.")
    name: str = Field(description="The name.")
    centre: CentreId | None = Field(description="The id of the network's centre that it is; null: it is none.")
    status: OrganisationStatus = Field(description="Whether its clients and members can act for it.")
    created_at: Instant = Field(description="When it was created.")
    updated_at: Instant = Field(description="When it was last changed.")


class OrganisationNamed(ApiModel):
    """An organisation as its partners name it."""

    id: OrganisationId = Field(description="The id.")
    name: str = Field(description="The name.")
    kind: OrganisationKind = Field(description="The kind.")


class OrganisationNames(ApiModel):
    """The names of organisations."""

    items: list[OrganisationNamed] = Field(description="The organisations, by id; those that do not exist are absent.")


class OrganisationPage(ApiModel):
    """A page of organisations."""

    items: list[Organisation] = Field(description="The organisations of this page.")
    next: str | None = Field(description="Cursor of the next page; null on the last page.")
