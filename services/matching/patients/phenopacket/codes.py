"""Converts the codes of Phenopackets to those of the native patient. Pure."""

import re
from collections.abc import Sequence

from pydantic import TypeAdapter, ValidationError

from shared.criteria.unit_spellings import ucum
from shared.criteria.values import Hgvs

_HGVS: TypeAdapter[str] = TypeAdapter(Hgvs)

SEVERITIES = {
    "HP:0012827": "borderline",
    "HP:0012825": "mild",
    "HP:0012826": "moderate",
    "HP:0012828": "severe",
    "HP:0012829": "profound",
}
ZYGOSITIES = {
    "GENO:0000134": "hemizygous",
    "GENO:0000135": "heterozygous",
    "GENO:0000136": "homozygous",
    "GENO:0000402": "compound_heterozygous",
}
# Results of a test (SNOMED CT, LOINC answer lists, PATO).
POSITIVE = frozenset(
    {"SNOMED:10828004", "SNOMEDCT:10828004", "SNOMED:260373001", "SNOMEDCT:260373001", "LOINC:LA6576-8", "PATO:0000467"}
)
NEGATIVE = frozenset(
    {
        "SNOMED:260385009",
        "SNOMEDCT:260385009",
        "SNOMED:260415000",
        "SNOMEDCT:260415000",
        "LOINC:LA6577-6",
        "PATO:0000462",
    }
)
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


def unit_of(identifier: str | None, label: str | None) -> str | None:
    """Return ``ng/dL`` for ``UCUM:ng/dL``, else for a label that is a unit; None where neither is understood."""
    system, _, unit = (identifier or "").partition(":")
    return ucum(unit) if system.upper() == "UCUM" else None if label is None else ucum(label)


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
