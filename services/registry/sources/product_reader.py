"""Reads the product of a trial from its interventions and titles, by the signs of the scope gate.

Unclear values stay None.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final, cast

from services.registry.model.trial import MAX_LINE, CellOrigin, Delivery, Product, Vector
from services.registry.scope import products
from services.registry.scope.products import ProductReading, ProductSign
from services.registry.terminology.phrases import is_acronym, normalise, words
from shared.vocabulary.events import AtmpClass

_SEROTYPE: Final = re.compile(
    r"(?<![A-Za-z])(?:r|sc|ss|rsc)?AAV[\s-]?(?P<name>rh\.?\s?\d{1,2}|hu\.?\s?\d{1,2}|[0-9]{1,2}(?:/[0-9])?(?!\d)|LK03|S3|Anc80L?65?|DJ|PHP\.?[A-Z]*)"
    r"|(?i:(?:adeno[- ]associated|aav)[\w\s()-]{0,30}?serotype\s(?P<serotype>rh\.?\s?\d{1,2}|\d{1,2}))"
)
_WORDS: Final[dict[str, Any]] = json.loads(
    (resources.files("services.registry.sources") / "product_words.json").read_text(encoding="utf-8")
)


@dataclass(frozen=True, slots=True)
class Intervention:
    """An intervention of a registry record: its type as given, its name and other names."""

    type: str | None
    name: str
    other_names: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All names in one text."""
        return " ; ".join((self.name, *self.other_names))


def read_product(interventions: Sequence[Intervention], titles: Sequence[str]) -> Product:
    """Return the product of a record.

    The class comes from an intervention, else from the titles, else from the type GENETIC of an intervention that is
    not a test. Vector, serotype, genes, origin, cell type and route need words of their own, and are None if two values
    are possible.
    """
    table = products.table()
    given = [intervention for intervention in interventions if not _is_control(intervention.name)]
    shown = [(intervention, products.conclude(table.read(intervention.text))) for intervention in given]
    advanced = [(intervention, reading) for intervention, reading in shown if reading.verdict == "atmp"]
    title_reading = products.conclude(table.read(" ; ".join(titles)))
    genetic = [
        intervention
        for intervention, reading in shown
        if intervention.type == "GENETIC"
        and reading.verdict not in {"not_atmp", "no_product"}
        and not _is_genetic_test(intervention.name)
    ]
    evidence = " ; ".join(
        [*(intervention.text for intervention, _ in advanced), *(item.text for item in genetic), *titles]
    )
    readings = [reading for _, reading in advanced] or (
        [title_reading] if title_reading.verdict == "atmp" and not _all_plain(shown) else []
    )
    name = _name([intervention for intervention, _ in advanced] or genetic or _possible(given) or given)
    if not readings and not genetic:
        return Product(name=name)
    signs = tuple(sign for sign in table.read(evidence) if sign.kind in {"atmp", "weak"})
    atmp_class = _class(signs) if readings else "gene_therapy"
    vector = _vector(signs) if atmp_class == "gene_therapy" else None
    return Product(
        name=name,
        atmp_class=atmp_class,
        delivery=_delivery(signs, evidence, vector) if atmp_class == "gene_therapy" else None,
        vector=vector,
        serotype=_serotype(evidence) if vector == "aav" else None,
        genes=_genes(signs, evidence) if atmp_class == "gene_therapy" else [],
        editing_tool=_editing_tool(evidence),
        cell_origin=_origin(evidence) if _has_cells(signs, atmp_class, evidence) else None,
        cell_type=_one({sign.sets["cell_type"] for sign in signs if "cell_type" in sign.sets})
        if atmp_class != "gene_therapy"
        else _modified_cells(evidence),
        route=_one({route for route in _WORDS["routes"] if _says(evidence, (route, route.replace(" ", "")))}),
    )


def _says(text: str, phrases: Sequence[str]) -> bool:
    padded = _padded_text(text)
    return any(_padded_phrase(phrase) in padded for phrase in phrases)


# One record looks for some hundred phrases in the same few texts; the phrases come from the packaged tables.
@lru_cache(maxsize=64)
def _padded_text(text: str) -> str:
    return f" {normalise(text)} "


@cache
def _padded_phrase(phrase: str) -> str:
    return f" {normalise(phrase)} "


def _is_control(name: str) -> bool:
    return _says(name, [str(word) for word in products.document()["controls"]])


def _is_genetic_test(name: str) -> bool:
    return _says(name, [str(word) for word in products.document()["genetic_tests"]])


def _all_plain(shown: Sequence[tuple[Intervention, ProductReading]]) -> bool:
    """Return whether every intervention is known not to be an advanced therapy."""
    return bool(shown) and all(reading.verdict == "not_atmp" for _, reading in shown)


def _possible(given: Sequence[Intervention]) -> list[Intervention]:
    return [
        item
        for item in given
        if item.type in {None, "BIOLOGICAL", "DRUG", "COMBINATION_PRODUCT", "GENETIC", "PROCEDURE"}
    ]


def _name(interventions: Sequence[Intervention]) -> str | None:
    name = "; ".join(dict.fromkeys(intervention.name for intervention in interventions))
    return (name if len(name) <= MAX_LINE else name[: MAX_LINE - 1].rstrip() + "…") or None


def _one(values: set[str]) -> str | None:
    return values.pop() if len(values) == 1 else None


def _class(signs: Sequence[ProductSign]) -> AtmpClass | None:
    """Return the class: gene therapy, then tissue, then cells (Regulation 1394/2007; Directive 2001/83/EC, Annex I)."""
    classes = {sign.sets["atmp_class"] for sign in signs if "atmp_class" in sign.sets}
    order: tuple[AtmpClass, ...] = ("gene_therapy", "tissue_engineered", "somatic_cell")
    return next((atmp_class for atmp_class in order if atmp_class in classes), None)


def _vector(signs: Sequence[ProductSign]) -> Vector | None:
    vectors = {sign.sets["vector"] for sign in signs if "vector" in sign.sets}
    if "lentiviral" in vectors:  # a lentivirus is a retrovirus too
        vectors.discard("gamma_retroviral")
    return cast("Vector | None", _one(vectors))


def _delivery(signs: Sequence[ProductSign], evidence: str, vector: Vector | None) -> Delivery | None:
    codes = {sign.code for sign in signs}
    inside, outside = "in_vivo_car" in codes or _says(evidence, ("in vivo",)), _says(evidence, ("ex vivo",))
    if inside or outside:
        return None if inside and outside else ("in_vivo" if inside else "ex_vivo")
    # A CAR can be made inside the body too: only cells with an origin were taken out.
    if _says(evidence, _WORDS["ex_vivo"]) or (
        "chimeric_receptor_cells" in codes and _kinds(evidence, _WORDS["origins"])
    ):
        return "ex_vivo"
    return "in_vivo" if vector in {"aav", "adenoviral", "nonviral_plasmid", "mrna_lnp"} else None


def _serotype(evidence: str) -> str | None:
    names = {
        (found["name"] or found["serotype"]).replace(".", "").replace(" ", "") for found in _SEROTYPE.finditer(evidence)
    }
    name = _one(names)
    return None if name is None else f"AAV{name}"


def _genes(signs: Sequence[ProductSign], evidence: str) -> list[str]:
    """Return the genes that the words name, or else those of the known products."""
    written = {word.text for word in words(evidence)}
    named = [
        gene
        for gene, names in _WORDS["genes"].items()
        if any((name in written) if is_acronym(name) and name.isalnum() else _says(evidence, (name,)) for name in names)
    ]
    return named or list(dict.fromkeys(gene for sign in signs for gene in sign.genes))


def _editing_tool(evidence: str) -> str | None:
    return _one(_kinds(evidence, _WORDS["editing_tools"]))


def _kinds(evidence: str, table: Mapping[str, Sequence[str]]) -> set[str]:
    return {kind for kind, phrases in table.items() if _says(evidence, phrases)}


def _has_cells(signs: Sequence[ProductSign], atmp_class: AtmpClass | None, evidence: str) -> bool:
    return (
        atmp_class != "gene_therapy"
        or any(sign.code == "chimeric_receptor_cells" for sign in signs)
        or _says(evidence, ("cell", "lymphocyte"))
    )


def _origin(evidence: str) -> CellOrigin | None:
    return cast("CellOrigin | None", _one(_kinds(evidence, _WORDS["origins"])))


def _modified_cells(evidence: str) -> str | None:
    kinds = _kinds(evidence, _WORDS["modified_cells"])
    if "CAR regulatory T cells" in kinds:
        kinds.discard("CAR-T cells")
    return _one(kinds)
