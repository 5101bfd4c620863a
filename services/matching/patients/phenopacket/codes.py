"""Codes of the values in Phenopackets: severity, zygosity, units. Pure."""

from shared.criteria.unit_spellings import ucum

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


def unit_of(identifier: str | None, label: str | None) -> str | None:
    """Return ``ng/dL`` for ``UCUM:ng/dL``, else for a label that is a unit; None where neither is understood."""
    system, _, unit = (identifier or "").partition(":")
    return ucum(unit) if system.upper() == "UCUM" else None if label is None else ucum(label)
