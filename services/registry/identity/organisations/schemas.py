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
OrganisationPath = Annotated[str, Path(pattern=_ID, max_length=64)]
OrganisationStatus = Literal["active", "suspended"]


class OrganisationInput(ApiModel):
    """An organisation to create or replace. ``centre``: for the kind `centre` only, the id of the network's centre."""

    kind: OrganisationKind
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    centre: CentreId | None = None
    status: OrganisationStatus = "active"

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

    id: OrganisationId
    version: int
    kind: OrganisationKind
    name: str
    centre: CentreId | None
    status: OrganisationStatus
    created_at: Instant
    updated_at: Instant


class OrganisationPage(ApiModel):
    items: list[Organisation]
    next: str | None = Field(description="Cursor of the next page; null on the last page.")
