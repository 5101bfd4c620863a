"""Names of advanced therapy medicinal products: a trade name, an INN and a development code find the same trials."""

import json
from collections.abc import Iterable
from functools import cache
from importlib import resources

from services.registry.terminology.phrases import PhraseTable, words
from services.registry.terminology.terminology import BUILTIN


@cache
def _table() -> PhraseTable[tuple[str, ...]]:
    text = (resources.files(BUILTIN) / "product_names.json").read_text(encoding="utf-8")
    products = [
        (product["inn"]["en"], product["inn"]["fr"], *product["trade_names"], *product["codes"])
        for product in json.loads(text)["products"]
    ]
    return PhraseTable((name, names) for names in products for name in names)


def product_names(texts: Iterable[str | None]) -> list[str]:
    """Return all names of the products that some texts name, each once."""
    found = [match.value for text in texts if text for match in _table().find(words(text))]
    return list(dict.fromkeys(name for names in found for name in names))
