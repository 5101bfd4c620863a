"""Judges from a text what kind of product a trial gives. The signs are data: ``product_signs.json``."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

from services.registry.terminology.phrases import PhraseTable, Word, is_acronym, normalise, normalise_word, words
from services.registry.terminology.products import NamedProduct, named_products

Kind = Literal["atmp", "weak", "unsure", "doubtful", "not_atmp", "plain", "no_product", "ignored"]
Effect = Literal["voids_cells", "demotes_cells", "voids_what_follows"]
PACKAGE: Final = "services.registry.scope"
_KNOWN: Final = "known_product"
# Signs of a product, which a negation or a product without cells can take away.
_OF_A_PRODUCT: Final = frozenset(("atmp", "weak", "unsure", "doubtful"))
# How many words a negation reaches: "without any previous autologous gene therapy".
_NEGATED_WORDS: Final = 4
_PART_ENDS: Final = re.compile(r"[;,:/+]|\.\s")


@dataclass(frozen=True, slots=True, eq=False)
class ProductSign:
    """One row of the table: a kind of product, the words that show it, and the product fields it sets.

    ``genes``: the genes that a known product carries. ``effect``: what it does to the other signs of the same part of
    the text. ``resists``: minimal manipulation does not change that it is an advanced therapy.
    """

    code: str
    kind: Kind
    fr: str
    en: str
    sets: Mapping[str, str] = field(default_factory=dict)
    genes: tuple[str, ...] = ()
    effect: Effect | None = None
    resists: bool = False
    patterns: tuple[re.Pattern[str], ...] = ()
    suffixes: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()

    @property
    def is_of_cells(self) -> bool:
        """Whether it is a sign of cells or tissue, and not of a gene therapy."""
        return self.kind in _OF_A_PRODUCT and self.sets.get("atmp_class") != "gene_therapy"

    @property
    def can_be_demoted(self) -> bool:
        """Whether minimal manipulation puts it in doubt."""
        return self.is_of_cells and not self.resists and self.effect is None


@dataclass(frozen=True, slots=True)
class _Found:
    """A sign and the words that show it, ``[first, last)``."""

    sign: ProductSign
    first: int
    last: int


def version_of(document: Mapping[str, Any]) -> str:
    """Return a short hash of a table's content."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class ProductSigns:
    """Reads texts by the table of signs and by the names of known products."""

    def __init__(self, document: Mapping[str, Any], products: Sequence[NamedProduct] = ()) -> None:
        self.version: Final = version_of({**document, "products": [repr(product) for product in products]})
        self._rows: Final = tuple(_sign(row) for row in document["signs"])
        phrases = [
            (phrase, sign)
            for row, sign in zip(document["signs"], self._rows, strict=True)
            for phrase in _strings(row, "phrases")
        ]
        named = [(name, sign) for product in products for sign in [_known(product)] for name in _safe_names(product)]
        self._phrases: Final = PhraseTable([*phrases, *named])
        self._stems: Final = tuple(suffix for sign in self._rows for suffix in sign.suffixes)
        self._order: Final = {sign.code: place for place, sign in enumerate(self._rows)}
        self._separators: Final = frozenset(normalise_word(word) for word in document["separators"])
        self._sources: Final = frozenset(normalise_word(word) for word in document["sources"])
        self._conjunctions: Final = frozenset(document["conjunctions"])
        self._follow_up: Final = PhraseTable((phrase, True) for phrase in document["follow_up"])
        self._code_words: Final = frozenset(normalise_word(word) for word in document["words_beside_codes"])

    def read(self, text: str) -> tuple[ProductSign, ...]:
        """Return the signs of a text, each once, in the order of the table.

        In one part of a text, a product without cells ("stem cell exosomes") takes the signs of cells away, minimal
        manipulation makes them unsure, and a negation takes the signs of the words that follow away.
        """
        tokens = words(text)
        folded = f" {' '.join(token.folded for token in tokens)} "
        found = [
            one for one in self._found(text, tokens) if not any(f" {phrase} " in folded for phrase in one.sign.unless)
        ]
        if any(one.sign.effect for one in found):
            found = self._after_effects(found, text, tokens)
        signs = dict.fromkeys(one.sign for one in found)
        return tuple(sorted(signs, key=lambda sign: self._order.get(sign.code, -1)))

    def can_be_read(self, name: str) -> bool:
        """Return whether a product's name says something: more than codes of development ("XY-101 injection")."""
        return any(
            len(word.folded) > 3
            and not word.text.isupper()
            and not (len(word.text) < 6 and sum(letter.isupper() for letter in word.text) > 1)
            and not any(letter.isdigit() for letter in word.text)
            and word.folded not in self._code_words
            for word in words(name)
        )

    def is_follow_up(self, title: str) -> bool:
        """Return whether a title is that of a follow-up of treated patients."""
        return bool(self._follow_up.find(words(title)))

    def _found(self, text: str, tokens: Sequence[Word]) -> list[_Found]:
        found = [_Found(match.value, match.first, match.last) for match in self._phrases.find(tokens)]
        for sign in self._rows:
            for pattern in sign.patterns:
                found += [_placed(sign, tokens, match.start(), match.end()) for match in pattern.finditer(text)]
        for place, token in enumerate(tokens):
            if token.folded.endswith(self._stems):
                found += [_Found(sign, place, place + 1) for sign in self._rows if _has_stem(token.folded, sign)]
        # The name of a known product says more than the stem or the vector in it.
        names = {place for one in found if one.sign.code == _KNOWN for place in range(one.first, one.last)}
        return [one for one in found if one.sign.code == _KNOWN or not names.issuperset((one.first, one.last - 1))]

    def _parts(self, text: str, tokens: Sequence[Word]) -> list[int]:
        """Return the number of the part of the text that each word is in: "cells and exosomes" are two parts."""
        parts, number, end = [], 0, 0
        for token in tokens:
            if token.folded in self._separators or _PART_ENDS.search(text, end, token.start):
                number += 1
            parts.append(number)
            end = token.end
        return parts

    def _after_effects(self, found: Sequence[_Found], text: str, tokens: Sequence[Word]) -> list[_Found]:
        """Return the signs that the negations, the products without cells and minimal manipulation leave."""
        parts = self._parts(text, tokens)
        negated: set[int] = set()
        without_cells: set[int] = set()
        minimal: set[int] = set()
        for one in found:
            if one.sign.effect == "voids_what_follows":
                negated |= self._negated(one, parts, tokens)
            elif one.sign.effect == "voids_cells":
                without_cells |= self._voided(one, parts, tokens)
            elif one.sign.effect == "demotes_cells":
                minimal.add(parts[one.first])
        return [
            one
            for one in found
            if one.sign.kind not in _OF_A_PRODUCT
            or not (
                one.first in negated
                or (one.sign.is_of_cells and parts[one.first] in without_cells)
                or (one.sign.can_be_demoted and parts[one.first] in minimal)
            )
        ]

    def _negated(self, negation: _Found, parts: Sequence[int], tokens: Sequence[Word]) -> set[int]:
        """Return the words that a negation reaches; "No. 3" is none."""
        following = range(negation.last, min(negation.last + _NEGATED_WORDS, len(tokens)))
        if following and tokens[following[0]].text.isdigit():
            return set()
        return {place for place in following if parts[place] == parts[negation.first]}

    def _voided(self, product: _Found, parts: Sequence[int], tokens: Sequence[Word]) -> set[int]:
        """Return the parts without cells. "Conditioned medium of macrophages and stem cells": both are sources."""
        here = parts[product.first]
        if product.last == len(tokens) or tokens[product.last].folded not in self._sources:
            return {here}
        following = next((place for place in range(product.last, len(tokens)) if parts[place] != here), None)
        joined = following is not None and tokens[following].folded in self._conjunctions
        return {here, here + 1} if joined else {here}


def _has_stem(word: str, sign: ProductSign) -> bool:
    return any(len(word) > len(suffix) + 2 and word.endswith(suffix) for suffix in sign.suffixes)


def _placed(sign: ProductSign, tokens: Sequence[Word], start: int, end: int) -> _Found:
    inside = [place for place, token in enumerate(tokens) if token.end > start and token.start < end]
    return _Found(sign, inside[0], inside[-1] + 1)


def _strings(row: Mapping[str, Any], key: str) -> list[str]:
    return [str(item) for item in row.get(key, [])]


def _sign(row: Mapping[str, Any]) -> ProductSign:
    assert row["kind"] in {"atmp", "weak", "unsure", "doubtful", "not_atmp", "plain", "no_product", "ignored"}
    return ProductSign(
        code=row["code"],
        kind=row["kind"],
        fr=row["label"]["fr"],
        en=row["label"]["en"],
        sets=row.get("sets", {}),
        effect=row.get("effect"),
        resists=row.get("resists", False),
        patterns=tuple(re.compile(pattern) for pattern in _strings(row, "patterns")),
        suffixes=tuple(_strings(row, "suffixes")),
        unless=tuple(normalise(phrase) for phrase in _strings(row, "unless")),
    )


_KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "gene_therapy_in_vivo": {"atmp_class": "gene_therapy", "delivery": "in_vivo"},
    "gene_therapy_ex_vivo": {"atmp_class": "gene_therapy", "delivery": "ex_vivo"},
    "car_t": {"atmp_class": "gene_therapy", "delivery": "ex_vivo"},
    "cell_therapy": {"atmp_class": "somatic_cell"},
    "tissue_engineered": {"atmp_class": "tissue_engineered"},
}


def _known(product: NamedProduct) -> ProductSign:
    english, french = product.names[:2]
    vector = {} if product.vector is None else {"vector": product.vector}
    return ProductSign(
        code=_KNOWN,
        kind="doubtful" if product.unmodified else "atmp",
        fr=f"produit connu ({french})",
        en=f"known product ({english})",
        sets={**_KINDS[product.kind], **vector},
        genes=product.genes,
    )


def _safe_names(product: NamedProduct) -> list[str]:
    """Return the names that stand for nothing else: no bare acronym ("CEA"), no two letters ("D-Fi")."""
    return [
        name
        for name in product.names
        if any(letter.isdigit() for letter in name) or (not is_acronym(name) and len(normalise(name)) > 4)
    ]


@cache
def table() -> ProductSigns:
    """Return the packaged table of signs, read once."""
    return ProductSigns(document(), named_products())


@cache
def document() -> Mapping[str, Any]:
    """Return the packaged file: ``signs``, and the words of ``controls`` and ``genetic_tests``."""
    read: Mapping[str, Any] = json.loads((resources.files(PACKAGE) / "product_signs.json").read_text(encoding="utf-8"))
    return read


ProductVerdict = Literal["atmp", "not_atmp", "no_product", "unsure", "unknown"]


@dataclass(frozen=True, slots=True)
class ProductReading:
    """The conclusion from the signs of a text, and the sign it rests on, if any."""

    verdict: ProductVerdict
    sign: ProductSign | None = None
    signs: tuple[ProductSign, ...] = ()

    @property
    def shows_a_product(self) -> bool:
        """Whether the text speaks of cells, genes or tissue, if only as the subject of a study."""
        return any(sign.kind in _OF_A_PRODUCT or sign.code == "study_of_cells" for sign in self.signs)


# A vaccine against an infection is not a gene therapy medicinal product, whatever its carrier, unless it consists of
# living cells.
_CARRIERS_OF_A_VACCINE: Final = {"plasmid", "mrna_nanoparticle", "adenoviral_vector", "gene_therapy", "aav_vector"}


def conclude(signs: tuple[ProductSign, ...]) -> ProductReading:
    """Conclude from the signs of one text.

    An advanced therapy wins over other signs, except in a study that gives no product and if a vaccine's carrier is its
    only sign; a weak sign of one wins only where the manipulation of the cells is not in doubt. Unmodified transplants,
    islets, oligonucleotides and vaccines are not advanced therapies, unless the cells may be cultured (a doubtful
    sign). Cells of unstated manipulation go to review. A plain medicine or a cell-free product counts only if nothing
    else is named.
    """
    by_kind: dict[str, list[ProductSign]] = {}
    for sign in signs:
        by_kind.setdefault(sign.kind, []).append(sign)
    unsure = by_kind.get("unsure", [])
    advanced = [*by_kind.get("atmp", []), *([] if unsure else by_kind.get("weak", []))]
    not_advanced = by_kind.get("not_atmp", [])
    if any(sign.code == "infection_vaccine" for sign in not_advanced):
        advanced = [sign for sign in advanced if sign.code not in _CARRIERS_OF_A_VACCINE]
    ranked: tuple[tuple[ProductVerdict, list[ProductSign]], ...] = (
        ("no_product", by_kind.get("no_product", [])),
        ("atmp", advanced),
        ("unsure", by_kind.get("doubtful", [])),
        ("not_atmp", not_advanced),
        ("unsure", unsure),
        ("not_atmp", by_kind.get("plain", [])),
    )
    for verdict, found in ranked:
        if found:
            return ProductReading(verdict, found[0], signs)
    return ProductReading("unknown", None, signs)
