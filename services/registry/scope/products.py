"""Judges from a text what kind of product a trial gives. The signs are data: ``product_signs.json``."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

from services.registry.terminology.phrases import PhraseTable, normalise_word, words

Kind = Literal["atmp", "unsure", "not_atmp", "plain", "no_product", "ignored"]
PACKAGE: Final = "services.registry.scope"


@dataclass(frozen=True, slots=True)
class ProductSign:
    """One row of the table: a kind of product, the words that show it, and the product fields it sets."""

    code: str
    kind: Kind
    fr: str
    en: str
    sets: Mapping[str, str] = field(default_factory=dict)
    patterns: tuple[re.Pattern[str], ...] = ()
    suffixes: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


def version_of(document: Mapping[str, Any]) -> str:
    """Return a short hash of a table's content."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class ProductSigns:
    """Reads texts by the table of signs."""

    def __init__(self, document: Mapping[str, list[dict[str, object]]]) -> None:
        self.version: Final = version_of(document)
        rows: list[ProductSign] = []
        phrases: list[tuple[str, ProductSign]] = []
        for row in document["signs"]:
            sign = _sign(row)
            rows.append(sign)
            phrases.extend((phrase, sign) for phrase in _strings(row, "phrases"))
        self.rows: Final = tuple(rows)
        self._phrases: Final = PhraseTable(phrases)

    def read(self, text: str) -> tuple[ProductSign, ...]:
        """Return the signs of a text, each once, in the order of the table."""
        tokens = words(text)
        folded = f" {' '.join(token.folded for token in tokens)} "
        found = {match.value.code for match in self._phrases.find(tokens)}
        for sign in self.rows:
            if any(pattern.search(text) for pattern in sign.patterns) or any(
                len(token.folded) > len(suffix) + 2 and token.folded.endswith(suffix)
                for token in tokens
                for suffix in sign.suffixes
            ):
                found.add(sign.code)
        return tuple(
            sign
            for sign in self.rows
            if sign.code in found and not any(f" {phrase} " in folded for phrase in sign.unless)
        )


def _strings(row: Mapping[str, object], key: str) -> list[str]:
    value = row.get(key, [])
    assert isinstance(value, list)
    return [str(item) for item in value]


def _sign(row: Mapping[str, object]) -> ProductSign:
    label, sets = row["label"], row.get("sets", {})
    assert isinstance(label, dict)
    assert isinstance(sets, dict)
    kind = row["kind"]
    assert kind in {"atmp", "unsure", "not_atmp", "plain", "no_product", "ignored"}
    return ProductSign(
        code=str(row["code"]),
        kind=kind,
        fr=str(label["fr"]),
        en=str(label["en"]),
        sets={str(key): str(value) for key, value in sets.items()},
        patterns=tuple(re.compile(pattern) for pattern in _strings(row, "patterns")),
        suffixes=tuple(_strings(row, "suffixes")),
        unless=tuple(" ".join(normalise_word(word) for word in phrase.split()) for phrase in _strings(row, "unless")),
    )


@cache
def table() -> ProductSigns:
    """Return the packaged table of signs, read once."""
    return ProductSigns(document())


@cache
def document() -> Mapping[str, list[dict[str, object]]]:
    """Return the packaged file: ``signs``, and the words of ``controls`` and ``genetic_tests``."""
    read: Mapping[str, list[dict[str, object]]] = json.loads(
        (resources.files(PACKAGE) / "product_signs.json").read_text(encoding="utf-8")
    )
    return read


ProductVerdict = Literal["atmp", "not_atmp", "no_product", "unsure", "unknown"]


@dataclass(frozen=True, slots=True)
class ProductReading:
    """The conclusion from the signs of a text, and the sign it rests on, if any."""

    verdict: ProductVerdict
    sign: ProductSign | None = None
    signs: tuple[ProductSign, ...] = ()


# A vaccine against an infection is not a gene therapy medicinal product, whatever its carrier, unless it consists of
# living cells.
_CARRIERS_OF_A_VACCINE: Final = {"plasmid", "mrna_nanoparticle", "adenoviral_vector", "gene_therapy", "aav_vector"}


def conclude(signs: tuple[ProductSign, ...]) -> ProductReading:
    """Conclude from the signs of one text.

    An advanced therapy wins over other signs, except in a study that gives no product and if a vaccine's carrier is its
    only sign. Unmodified transplants, islets, oligonucleotides and vaccines are not advanced therapies. Cells of
    unstated manipulation go to review. A plain medicine or a cell-free product counts only if nothing else is named.
    """
    by_kind: dict[str, list[ProductSign]] = {}
    for sign in signs:
        by_kind.setdefault(sign.kind, []).append(sign)
    advanced = by_kind.get("atmp", [])
    not_advanced = by_kind.get("not_atmp", [])
    vaccine = next((sign for sign in not_advanced if sign.code == "infection_vaccine"), None)
    if vaccine is not None:
        advanced = [sign for sign in advanced if sign.code not in _CARRIERS_OF_A_VACCINE]
    if by_kind.get("no_product"):
        return ProductReading("no_product", by_kind["no_product"][0], signs)
    for verdict, found in (
        ("atmp", advanced),
        ("not_atmp", not_advanced),
        ("unsure", by_kind.get("unsure", [])),
        ("not_atmp", by_kind.get("plain", [])),
    ):
        if found:
            return ProductReading(_VERDICTS[verdict], found[0], signs)
    return ProductReading("unknown", None, signs)


_VERDICTS: Final[dict[str, ProductVerdict]] = {"atmp": "atmp", "not_atmp": "not_atmp", "unsure": "unsure"}
