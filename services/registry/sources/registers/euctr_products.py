"""The products of an EUCTR record, with the class of advanced therapy that it ticks (questions D.3.11.3)."""

from collections.abc import Mapping, Sequence
from typing import Final

from services.registry.model.trial import MAX_LINE, Product
from services.registry.sources.product_reader import Intervention
from services.registry.sources.registers.euctr_form import Form
from services.registry.sources.registers.stated_product import Stated, stated_product
from shared.vocabulary.events import AtmpClass

_CLASSES: Final[Mapping[str, AtmpClass]] = {
    "d31131": "somatic_cell",
    "d31132": "gene_therapy",
    "d31133": "tissue_engineered",
}


def name(imp: Form) -> str | None:
    """Return the name of a product: its own, its trade name, or that of its substance."""
    return next((text for code in ("d31", "d2111", "d38") if (text := imp.line(code, MAX_LINE))), None)


def product(imps: Sequence[Form], titles: Sequence[str]) -> Product | None:
    """Return the product under test. None if the record names none."""
    tested = [one for one in imps if (one.line("d12", 200) or "Test").lower() == "test"]
    if not tested:
        return None
    classes = frozenset(kind for one in tested for code, kind in _CLASSES.items() if one.yes(code))
    orphan = [one.yes("d25") for one in tested]
    stated = Stated(
        classes=classes,
        combined=any(one.yes("d31134") for one in tested),
        orphan_designation=True if any(orphan) else False if False in orphan else None,
    )
    given = [intervention for one in tested if (intervention := _intervention(one)) is not None]
    return stated_product(given, titles, stated)


def _intervention(imp: Form) -> Intervention | None:
    title = name(imp)
    if title is None:
        return None
    substances = [Form(one) for one in imp.top.each("d38_imp_identification_details", 100)]
    details = [one.line(code, MAX_LINE) for one in (imp, *substances) for code in ("d38", "d393")]
    kind = "GENETIC" if imp.yes("d31132") else "BIOLOGICAL" if imp.yes("d3113") else None
    return Intervention(kind, title, tuple(dict.fromkeys(filter(None, [*details, imp.line("d37", MAX_LINE)]))))
