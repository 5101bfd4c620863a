"""The advanced therapy medicinal product of a trial."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from services.registry.model.texts import Line, ShortLine
from shared.values.forms import described
from shared.values.wire import ApiModel
from shared.vocabulary.events import AtmpClass

Delivery = Literal["in_vivo", "ex_vivo"]
Vector = Literal["aav", "lentiviral", "gamma_retroviral", "adenoviral", "nonviral_plasmid", "mrna_lnp", "none", "other"]
CellOrigin = Literal["autologous", "allogeneic", "xenogeneic"]
Gene = Annotated[
    str,
    StringConstraints(
        pattern=described(
            r"^[A-Za-z0-9][A-Za-z0-9\-]{0,29}$",
            fr="un symbole de gène HGNC, p. ex. DMD",
            en="an HGNC gene symbol, e.g. DMD",
        )
    ),
]

# A decade and its unit, so that two doses compare by their code.
DoseBand = Annotated[
    str,
    StringConstraints(
        pattern=described(
            r"^1e([0-9]|1[0-9])_(vg|vg_per_kg|cells|cells_per_kg|mg|mg_per_kg)$",
            fr="la puissance de dix et l'unité, p. ex. 1e14_vg_per_kg",
            en="the power of ten and the unit, e.g. 1e14_vg_per_kg",
        )
    ),
]


def _is_absent(value: object) -> bool:
    return value is None


class Product(ApiModel):
    """The advanced therapy medicinal product. What is null or absent is not known.

    A field that came later is absent rather than null, so that hashes of products that are without it stay the same.
    """

    name: Line | None = Field(default=None, description="The name of the product.")
    atmp_class: AtmpClass | None = Field(default=None, description="The class in EU Regulation 1394/2007.")
    combined: bool = Field(default=False, description="Whether it is combined with a medical device.")
    delivery: Delivery | None = Field(
        default=None, description="`in_vivo`: given to the patient. `ex_vivo`: cells are modified outside the body."
    )
    vector: Vector | None = Field(default=None, description="What carries the gene; `none`: nothing does.")
    serotype: ShortLine | None = Field(default=None, description="The serotype of the vector, such as `AAV9`.")
    genes: Annotated[list[Gene], Field(max_length=50)] = Field(
        default_factory=list, description="The genes that it delivers or edits (HGNC symbols)."
    )
    editing_tool: ShortLine | None = Field(default=None, description="The tool of gene editing, such as `CRISPR-Cas9`.")
    cell_origin: CellOrigin | None = Field(
        default=None, description="Where the cells come from: the patient, a donor or an animal."
    )
    cell_type: ShortLine | None = Field(default=None, description="The type of the cells.")
    route: ShortLine | None = Field(default=None, description="The route of administration.")
    orphan_designation: bool | None = Field(default=None, description="Whether it has an orphan designation.")
    promoter: ShortLine | None = Field(
        default=None,
        exclude_if=_is_absent,
        description="The promoter of the gene, such as `MHCK7`; absent: not known.",
    )
    dose_band: DoseBand | None = Field(
        default=None,
        exclude_if=_is_absent,
        description="The power of ten in which the highest dose lies, with its unit: `1e14_vg_per_kg` is 1e14 to below "
        "1e15 vector genomes per kilogram; absent: not known.",
    )
