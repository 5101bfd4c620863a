"""The products of a CTIS record, with what it states of advanced therapies."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from services.registry.model.design import MAX_ARMS
from services.registry.model.design import Intervention as TrialIntervention
from services.registry.model.trial import MAX_LINE, CellOrigin, Product
from services.registry.sources.product_reader import Intervention
from services.registry.sources.reading import Section
from services.registry.sources.registers.ctis_codes import therapy_class
from services.registry.sources.registers.phases import unknown_code
from services.registry.sources.registers.stated_product import Stated, stated_product
from shared.vocabulary.events import AtmpClass

_TEST: Final = "1"
# The members of `therapies` of the public portal, and of `advancedTherapies` of the authorities' export.
_GENE_MEMBERS: Final = ("geneOfInterest", "geneTransferProductType")
_PARTS: Final[Mapping[str, AtmpClass]] = {
    "geneTherapyDescription": "gene_therapy",
    "somaticCellTherapy": "somatic_cell",
    "tissueEngineeredMedicinalProduct": "tissue_engineered",
}
_ORIGINS: Final[tuple[tuple[str, CellOrigin], ...]] = (
    ("autologous", "autologous"),
    ("allogeneic", "allogeneic"),
    ("xenogeneic", "xenogeneic"),
)
_WORDS: Final = re.compile(r"[^\W\d_]{3,}")


def product(products: Sequence[Section], titles: Sequence[str]) -> Product | None:
    """Return the product under test. None if the record names none."""
    tested = [one for one in products if _role(one) in {None, _TEST}]
    if not tested:
        return None
    found = [_therapies(one) for one in tested]
    classes = frozenset(kind for one in found for kind in one.classes)
    stated = Stated(
        classes=classes,
        combined=bool(classes) and any(one.flag("hasDevice") for one in tested),
        cell_origin=next((one.cell_origin for one in found if one.cell_origin is not None), None),
        orphan_designation=_orphan(tested),
    )
    given = [
        intervention
        for section, one in zip(tested, found, strict=True)
        if (intervention := _intervention(section, one)) is not None
    ]
    return stated_product(given, titles, stated)


def interventions(products: Sequence[Section]) -> list[TrialIntervention]:
    """Return the products of all roles, each name once."""
    names = dict.fromkeys(name for one in products if (name := _name(one)) is not None)
    return [TrialIntervention(name=name) for name in names][:MAX_ARMS]


def _role(one: Section) -> str | None:
    return one.code("part1MpRoleTypeCode") or one.code("mpRoleInTrial")


def _name(one: Section) -> str | None:
    return (
        one.line("productName", MAX_LINE)
        or one.section("productDictionaryInfo").line("prodName", MAX_LINE)
        or one.line("nameDisplay", MAX_LINE)
        or _substance(one)
    )


def _substance(one: Section) -> str | None:
    return one.section("productDictionaryInfo").line("activeSubstanceName", MAX_LINE)


def _intervention(one: Section, stated: Stated) -> Intervention | None:
    name = _name(one)
    if name is None:
        return None
    details = [
        therapy.line(key, MAX_LINE)
        for therapy in _therapy_sections(one)
        for key in ("description", "geneOfInterest", "cellTypeMoreInformation", "cellTypeOtherSomatic")
    ]
    routes = [text for _, text in one.lines("routes", MAX_LINE, 20)]
    kind = "GENETIC" if "gene_therapy" in stated.classes else "BIOLOGICAL" if stated.classes else None
    return Intervention(kind, name, tuple(filter(None, [_substance(one), *details, *routes])))


def _therapy_sections(one: Section) -> list[Section]:
    return [*one.sections("therapies", 20), *one.sections("advancedTherapies", 20)]


def _therapies(one: Section) -> Stated:
    classes: set[AtmpClass] = set()
    origin = None
    for therapy in _therapy_sections(one):
        found = _class(therapy)
        if found is not None:
            classes.add(found)
        written = " ".join(str(value) for key, value in therapy.given.items() if "rigin" in key)
        origin = origin or next((kind for word, kind in _ORIGINS if word in written.lower()), None)
    return Stated(frozenset(classes), cell_origin=origin)


def _class(therapy: Section) -> AtmpClass | None:
    """Return the class by its name, else by the part that is filled in. An unknown number is reported."""
    key = "advancedTherapyTypeName" if "advancedTherapyTypeName" in therapy.given else "advancedTherapyType"
    written = therapy.code(key)
    found = therapy_class(written) if written is not None else None
    if written is not None and found is None:
        unknown_code(therapy, key)
    if found is None and any(therapy.code(member) for member in _GENE_MEMBERS):
        return "gene_therapy"
    return found or next((kind for part, kind in _PARTS.items() if therapy.given.get(part)), None)


def _orphan(tested: Sequence[Section]) -> bool | None:
    given = [one.flag("orphanDrugEdit") for one in tested]
    if any(given):
        return True
    return False if False in given else None
