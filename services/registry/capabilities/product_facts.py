"""What rules ask of a product, from its typed fields. Pure. None: not known, which no rule takes for no."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from services.registry.model.product import Product

Fact = Literal["cells", "modified", "origin", "lineage", "vector", "editing", "route"]
Facts = Mapping[Fact, str | None]

_VIRAL: Final = frozenset({"aav", "lentiviral", "gamma_retroviral", "adenoviral"})
# The first that a text contains counts.
_ROUTES: Final = {
    "subretinal": ("subretinal", "suprachoroidal", "sous-rétin"),
    "intravitreal": ("intravitreal", "intravitré"),
    "intrathecal": ("intrathecal", "intrathécal", "intracistern", "intraspinal"),
    "stereotactic": ("intracerebral", "intracérébr", "intraparenchym", "intrathalam", "intraputam", "stereota"),
    "intravenous": ("intravenous", "intraveineu"),
}
_LINEAGES: Final = {
    "t_cell": ("t cell", "t-cell", "lymphocyte", "car-t", "treg"),
    "haematopoietic": ("cd34", "haematopoietic", "hematopoietic", "hsc", "hématopoïét"),
}


def facts_of(product: Product) -> Facts:
    """Return the facts of a product.

    ``cells``: yes, no. ``modified``: whether cells are modified genetically. ``editing``: yes, no. ``route`` and
    ``lineage``: as above, or ``other``.
    """
    cells = _cells(product)
    editing = product.editing_tool is not None
    modified = None
    if cells == "no":
        modified = "no"
    elif cells == "yes":
        is_modified = editing or product.delivery == "ex_vivo" or product.atmp_class == "gene_therapy"
        modified = "yes" if is_modified else None if product.atmp_class is None else "no"
    return {
        "cells": cells,
        "modified": modified,
        "origin": product.cell_origin,
        "lineage": _first(product.cell_type, _LINEAGES.items()),
        "vector": product.vector,
        "editing": "yes" if editing else "no",
        "route": _first(product.route, _ROUTES.items()),
    }


def is_gmo(facts: Facts) -> bool | None:
    """Return whether a product is a genetically modified organism. None: not known."""
    if facts["modified"] == "yes" or facts["vector"] in _VIRAL:
        return True
    without = facts["cells"] == "yes" or facts["vector"] in {"nonviral_plasmid", "mrna_lnp", "none"}
    return False if facts["modified"] == "no" and without else None


def _cells(product: Product) -> str | None:
    if product.delivery == "ex_vivo" or product.atmp_class in {"somatic_cell", "tissue_engineered"}:
        return "yes"
    return "no" if product.delivery == "in_vivo" else None


def _first(text: str | None, words: Iterable[tuple[str, tuple[str, ...]]]) -> str | None:
    if text is None:
        return None
    low = text.casefold()
    return next((name for name, some in words if any(word in low for word in some)), "other")
