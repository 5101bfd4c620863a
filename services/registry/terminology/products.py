"""Names of advanced therapy medicinal products: a trade name, an INN and a development code find the same trials."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from services.registry.terminology.phrases import PhraseTable, words
from services.registry.terminology.terminology import BUILTIN


@dataclass(frozen=True, slots=True)
class NamedProduct:
    """A product of the table. ``names``: the English and French INN, then trade names and codes of development.

    ``kind``: one of ``gene_therapy_in_vivo``, ``gene_therapy_ex_vivo``, ``car_t``, ``cell_therapy`` and
    ``tissue_engineered``. ``unmodified``: cells that may be a graft, not an advanced therapy. ``vector`` and ``genes``
    are given where they are certain.
    """

    names: tuple[str, ...]
    kind: str
    vector: str | None = None
    genes: tuple[str, ...] = ()
    unmodified: bool = False


@cache
def named_products() -> tuple[NamedProduct, ...]:
    """Return the packaged table, read once."""
    text = (resources.files(BUILTIN) / "product_names.json").read_text(encoding="utf-8")
    return tuple(
        NamedProduct(
            (product["inn"]["en"], product["inn"]["fr"], *product["trade_names"], *product["codes"]),
            product["kind"],
            product.get("vector"),
            tuple(product.get("genes", ())),
            product.get("unmodified", False),
        )
        for product in json.loads(text)["products"]
    )


@cache
def _table() -> PhraseTable[tuple[str, ...]]:
    return PhraseTable((name, product.names) for product in named_products() for name in product.names)


def product_names(texts: Iterable[str | None]) -> list[str]:
    """Return all names of the products that some texts name, each once."""
    found = [match.value for text in texts if text for match in _table().find(words(text))]
    return list(dict.fromkeys(name for names in found for name in names))
