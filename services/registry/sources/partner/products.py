"""The product of a partner's record: what its columns state, and what its words say."""

import re
from collections.abc import Sequence
from typing import Final

from services.registry.model.design import MAX_ARMS, Intervention
from services.registry.model.trial import MAX_LINE, Product
from services.registry.sources.partner.values import SHORT, known, texts
from services.registry.sources.product_reader import Intervention as ProductWords
from services.registry.sources.product_reader import read_product
from services.registry.sources.reading import Section
from services.registry.sources.registers.statements import Statements

_GENE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,29}")
_PRODUCT: Final = (
    *("product", "atmp_class", "vector", "serotype", "genes", "cell_origin", "cell_type", "delivery", "route"),
    "interventions",
)


def say_product(said: Statements, top: Section, titles: Sequence[str]) -> None:
    """Say the product and the interventions. What a column states goes before the words."""
    name, others = top.line("product", MAX_LINE), texts(top, "interventions", MAX_LINE, MAX_ARMS)
    words = [ProductWords(None, text) for text in (name, *others) if text is not None]
    read = read_product(words, titles)
    stated = {
        "name": name,
        "atmp_class": known(top, "atmp_class"),
        "vector": known(top, "vector"),
        "serotype": top.line("serotype", SHORT),
        "genes": _genes(top),
        "cell_origin": known(top, "cell_origin"),
        "cell_type": top.line("cell_type", SHORT),
        "delivery": known(top, "delivery"),
        "route": top.line("route", SHORT),
    }
    product = read.model_copy(update={key: value for key, value in stated.items() if value})
    if words or any(stated.values()):
        said.say("product", lambda: product if product != Product() else None)
    else:
        said.say("product", lambda: None, *((top, key) for key in _PRODUCT))
        if product != Product():
            said.suppose("product", product)
    shown = [Intervention(name=text) for text in dict.fromkeys(one.name for one in words)]
    said.say("interventions", lambda: shown, (top, "interventions"), (top, "product"))


def _genes(top: Section) -> list[str]:
    found = []
    for pointer, text in top.each_line("genes", SHORT, 50):
        if _GENE.fullmatch(text):
            found.append(text)
        else:
            top.reader.warn(
                pointer,
                "gene_form",
                "un symbole de gène HGNC est attendu, p. ex. DMD",
                "an HGNC gene symbol is expected, e.g. DMD",
            )
    return list(dict.fromkeys(found))
