"""Reads a product from a record that types advanced therapies itself: the stated class replaces the one inferred."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.registry.model.trial import CellOrigin, Product
from services.registry.sources.product_reader import Intervention, read_product
from shared.vocabulary.events import AtmpClass

# Directive 2001/83/EC, annex I, part IV: a product of several classes is a gene therapy, then a tissue.
_ORDER: Final[tuple[AtmpClass, ...]] = ("gene_therapy", "tissue_engineered", "somatic_cell")


@dataclass(frozen=True, slots=True)
class Stated:
    """What a source states of the product; None and nothing: not stated."""

    classes: frozenset[AtmpClass] = frozenset()
    combined: bool = False
    cell_origin: CellOrigin | None = None
    orphan_designation: bool | None = None

    @property
    def atmp_class(self) -> AtmpClass | None:
        return next((one for one in _ORDER if one in self.classes), None)


def stated_product(interventions: Sequence[Intervention], titles: Sequence[str], stated: Stated) -> Product | None:
    """Return the product, read from words where the source states nothing; None if nothing is known of it."""
    read = read_product(interventions, titles)
    given: dict[str, object] = {"combined": read.combined or stated.combined}
    if stated.orphan_designation is not None:
        given["orphan_designation"] = stated.orphan_designation
    if stated.cell_origin is not None:
        given["cell_origin"] = stated.cell_origin
    if stated.atmp_class is not None:
        given["atmp_class"] = stated.atmp_class
        if stated.atmp_class != "gene_therapy":
            given |= {"delivery": None, "vector": None, "serotype": None, "genes": []}
    found = read.model_copy(update=given)
    return found if found != Product() else None
