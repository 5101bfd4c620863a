"""HGVS expressions of a variant, and the type that follows from them. Pure."""

import re
from collections.abc import Sequence

from pydantic import TypeAdapter, ValidationError

from shared.criteria.values import Hgvs

_HGVS: TypeAdapter[str] = TypeAdapter(Hgvs)
# Sequence Ontology: structural variants.
_STRUCTURES = {
    "SO:1000029": "deletion",
    "SO:0000159": "deletion",
    "SO:0001572": "deletion",
    "SO:1000037": "duplication",
    "SO:1000035": "duplication",
    "SO:0001742": "duplication",
    "SO:0001743": "deletion",
    "SO:0001019": "copy_number",
}
_AMINO = r"(?:Ala|Arg|Asn|Asp|Cys|Gln|Glu|Gly|His|Ile|Leu|Lys|Met|Phe|Pro|Ser|Thr|Trp|Tyr|Val|Sec)"
_FRAMESHIFT = re.compile(rf"p\.\(?{_AMINO}[0-9]+(?:{_AMINO})?fs")
_NONSENSE = re.compile(rf"p\.\(?{_AMINO}[0-9]+(?:Ter|\*)\)?$")
_MISSENSE = re.compile(rf"p\.\(?({_AMINO})[0-9]+({_AMINO})\)?$")
_SPLICE = re.compile(r"c\.[-*]?[0-9]+[+-][12][ACGT]>[ACGT]$")
_SYNTAXES = ("hgvs.c", "hgvs.g", "hgvs.p")


def hgvs_of(expressions: Sequence[tuple[str, str]]) -> list[str]:
    """Return the HGVS expressions among pairs of syntax and value, those of a transcript first."""
    found = sorted((_SYNTAXES.index(syntax), value) for syntax, value in expressions if syntax in _SYNTAXES)
    return list(dict.fromkeys(value for _, value in found if _valid(_HGVS, value)))


def variant_type(structure: str | None, expressions: Sequence[tuple[str, str]]) -> str | None:
    """Return the type of a variant from its structure or its expressions; None if they do not determine it."""
    if structure is not None:
        return _STRUCTURES.get(structure)
    for _, value in sorted(expressions, key=lambda one: one[0] != "hgvs.p"):
        if _FRAMESHIFT.search(value):
            return "frameshift"
        if _NONSENSE.search(value):
            return "nonsense"
        missense = _MISSENSE.search(value)
        if missense and missense.group(1) != missense.group(2):
            return "missense"
        if _SPLICE.search(value):
            return "splice"
    return None


def _valid(form: TypeAdapter[str], value: str) -> str | None:
    try:
        return form.validate_python(value)
    except ValidationError:
        return None
