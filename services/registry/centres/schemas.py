"""A centre as sent and received: one of the network's clinical investigation centres."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.registry.model.contact import CentreContact, Mailbox
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
    """What a centre can do, and on what evidence."""

    code: CapabilityCode = Field(description="What the centre can do or is authorised to do.")
    scope: ShortLine | None = Field(
        default=None, description="The product class, age band or technique to which it is limited; null: no limit."
    )
    issuer: ShortLine | None = Field(default=None, description="Who certifies it.")
    evidence: ShortLine | None = Field(default=None, description="The reference of the certificate or authorisation.")
    valid_from: Day | None = Field(default=None, description="The first day on which it is valid; null: not known.")
    valid_to: Day | None = Field(default=None, description="The last day on which it is valid; null: no end.")

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.valid_from is not None and self.valid_to is not None and self.valid_to < self.valid_from:
            raise PydanticCustomError("period", "a capability does not end before it begins")
        return self


class CentreInput(ApiModel):
    """A centre as its curator writes it."""

    name: Line = Field(description="The name.")
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
    ) = Field(default=None, description="The FINESS number of the geographic site (FINESS ET).")
    city: ShortLine = Field(description="The city.")
    departement: Departement = Field(description="The French département or territory: `59`, `2A`, `971`.")
    region: ShortLine = Field(description="The region.")
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] = Field(
        description="The latitude in degrees (WGS 84)."
    )
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] = Field(
        description="The longitude in degrees (WGS 84)."
    )
    label: CentreLabel = Field(description="Its place in the network: candidate, labelled or suspended.")
    populations: Annotated[list[Population], Field(min_length=1, max_length=2)] = Field(
        description="The patients it can take."
    )
    capabilities: Annotated[list[Capability], Field(max_length=200)] = Field(
        default_factory=list, description="What it can do."
    )
    member: bool = Field(default=True, description="Whether it is a member of the network.")
    illustrative: bool = Field(default=False, description="Whether it stands in for a member whose name is not public.")
    referral_mailbox: Mailbox | None = Field(
        default=None,
        description="The mailbox (MSSanté) for the files of referred patients: that of a function, never of a person.",
    )
    contact: CentreContact | None = Field(
        default=None, description="The public contact for patients and clinicians: a function, never a person."
    )


class CentreHead(ApiModel):
    """Fields that the registry sets."""

    id: CentreId = Field(description="The id, such as `fr-lille`.")
    version: Version = Field(description="The version, as in the `ETag`; each change raises it by one.")
    updated_at: Instant = Field(description="When it was last changed.")


class Centre(CentreInput, CentreHead):
    """A centre as readers get it."""


class CentrePage(ApiModel):
    """A page of centres."""

    items: list[Centre] = Field(description="The centres of this page.")
    next: str | None = Field(description="The `cursor` of the next page; null on the last page.")
