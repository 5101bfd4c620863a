"""Names of advanced therapy medicinal products: a trade name, an INN and a development code find the same trials."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from services.registry.terminology.compiled import PACKAGE
from services.registry.terminology.phrases import Match, PhraseTable, Word, words
from shared.vocabulary.text import fold

# A shorter name, or one that is a word of the language, may mean something else where it is typed.
SHORTEST_TYPED: Final = 5
_WORDS: Final = frozenset({"react", "renal autologous cell therapy"})
_MOST_WORDS: Final = 4


@dataclass(frozen=True, slots=True)
class NamedProduct:
    """A product of the table. ``names``: the English and French INN, then trade names and codes of development.

    ``kind``: one of ``gene_therapy_in_vivo``, ``gene_therapy_ex_vivo``, ``car_t``, ``cell_therapy`` and
    ``tissue_engineered``. ``unmodified``: cells that may be a graft, not an advanced therapy. ``vector``, ``genes`` and
    ``diseases`` (codes of those it is for) are given where they are certain.
    """

    names: tuple[str, ...]
    kind: str
    vector: str | None = None
    genes: tuple[str, ...] = ()
    unmodified: bool = False
    diseases: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The English INN as one word."""
        return in_one_word(self.names[0])


def in_one_word(text: str) -> str:
    """Return the letters and digits of a text: ``exa-cel`` and ``exa cel`` are both ``exacel``."""
    return fold(text).replace(" ", "")


@cache
def named_products() -> tuple[NamedProduct, ...]:
    """Return the packaged table, read once."""
    text = (resources.files(PACKAGE) / "product_names.json").read_text(encoding="utf-8")
    return tuple(
        NamedProduct(
            (product["inn"]["en"], product["inn"]["fr"], *product["trade_names"], *product["codes"]),
            product["kind"],
            product.get("vector"),
            tuple(product.get("genes", ())),
            product.get("unmodified", False),
            tuple(product.get("diseases", ())),
        )
        for product in json.loads(text)["products"]
    )


@cache
def _table() -> PhraseTable[NamedProduct]:
    return PhraseTable((name, product) for product in named_products() for name in product.names)


@cache
def _in_one_word() -> Mapping[str, tuple[NamedProduct, ...]]:
    found: dict[str, dict[str, NamedProduct]] = defaultdict(dict)
    for product in named_products():
        for name in product.names:
            if name.lower() not in _WORDS and len(in_one_word(name)) >= SHORTEST_TYPED:
                found[in_one_word(name)][product.key] = product
    return {name: tuple(products.values()) for name, products in found.items()}


def products_of(texts: Iterable[str | None]) -> list[NamedProduct]:
    """Return the products that some texts name, each once."""
    found = [match.value for text in texts if text for match in _table().find(words(text))]
    return list(dict.fromkeys(found))


def typed_products(typed: Sequence[Word]) -> list[Match[NamedProduct]]:
    """Return the products that a typed text names, the longest name at each place, without overlap.

    How a name is parted does not matter: ``exacel``, ``exa cel``, ``CTX 001``.
    """
    found: list[Match[NamedProduct]] = []
    place = 0
    while place < len(typed):
        step = 1
        for last in range(min(place + _MOST_WORDS, len(typed)), place, -1):
            name = "".join(in_one_word(word.text) for word in typed[place:last])
            if products := _in_one_word().get(name):
                found += [Match(product, name, place, last) for product in products]
                step = last - place
                break
        place += step
    return found
