"""An organisation on the wire."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from shared.access.principal import OrganisationKind
from shared.values.wire import ApiModel, Instant
from shared.vocabulary.identifiers import CentreId

OrganisationId = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9-]{1,62}$")]
OrganisationStatus = Literal["active", "suspended"]


class OrganisationInput(ApiModel):
    """An organisation as the coordination describes it. ``centre``: the network's centre that it is, of the kind `centre` alone."""

    kind: OrganisationKind
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    centre: CentreId | None = None
    status: OrganisationStatus = "active"

    @model_validator(mode="after")
    def _only_a_centre_is_one(self) -> Self:
        if (self.kind == "centre") != (self.centre is not None):
            raise PydanticCustomError(
                "centre_of_kind",
                "an organisation of the kind centre names its centre, and no other does",
                {"fr": "une organisation du type centre nomme son centre, et aucune autre"},
            )
        return self


class Organisation(ApiModel):
    """An organisation. Suspended, its clients and people are refused everything but what the public may do."""

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
    next: str | None = Field(description="Cursor of the following page.")
