"""A centre as sent and received: one of the network's clinical investigation centres."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.registry.model.trial import Line, ShortLine, Version
from shared.values.forms import described
from shared.values.wire import ApiModel, Day, Instant
from shared.vocabulary.geography import Departement
from shared.vocabulary.identifiers import CentreId

CentreLabel = Literal["candidate", "labelled", "suspended"]
Population = Literal["adult", "child"]
# Requirements of French law and practice for a site that gives an advanced therapy.
CapabilityCode = Literal[
    "gmo_contained_use",
    "lriph",
    "pui_atmp",
    "cell_therapy_unit",
    "apheresis",
    "jacie",
    "icu",
    "paediatric_icu",
    "ln2_cryostorage",
    "freezer_minus_80",
    "thawing",
    "bsl2_room",
    "safety_cabinet",
    "shipper_reception_24_7",
    "long_term_follow_up",
]


class Capability(ApiModel):
    """What a centre can do, who certifies it, on what evidence, and when it is valid (both days included).

    ``scope``: the product class, age band or technique it is limited to.
    """

    code: CapabilityCode
    scope: ShortLine | None = None
    issuer: ShortLine | None = None
    evidence: ShortLine | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.valid_from is not None and self.valid_to is not None and self.valid_to < self.valid_from:
            raise PydanticCustomError("period", "a capability does not end before it begins")
        return self


class CentreInput(ApiModel):
    """A centre as its curator writes it.

    Coordinates in WGS 84 degrees; ``finess_et``: number of the geographic site.
    """

    name: Line
    finess_et: (
        Annotated[
            str,
            StringConstraints(
                pattern=described(
                    r"^[0-9][0-9A-Z][0-9]{7}$",
                    fr="un numéro FINESS de neuf caractères, p. ex. 750100208",
                    en="a FINESS number of nine characters, e.g. 750100208",
                )
            ),
        ]
        | None
    ) = None
    city: ShortLine
    departement: Departement
    region: ShortLine
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    label: CentreLabel
    populations: Annotated[list[Population], Field(min_length=1, max_length=2)]
    capabilities: Annotated[list[Capability], Field(max_length=200)] = Field(default_factory=list)
    member: bool = True
    illustrative: bool = False


class CentreHead(ApiModel):
    id: CentreId
    version: Version
    updated_at: Instant


class Centre(CentreInput, CentreHead):
    """A centre as readers get it."""


class CentrePage(ApiModel):
    items: list[Centre]
    next: str | None
