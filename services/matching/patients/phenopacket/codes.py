"""Codes of the values in Phenopackets: severity, zygosity, results of tests, units. Pure."""

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


def unit_of(identifier: str | None, label: str | None) -> str | None:
    """Return ``ng/dL`` for ``UCUM:ng/dL``, else for a label that is a unit; None where neither is understood."""
    system, _, unit = (identifier or "").partition(":")
    return ucum(unit) if system.upper() == "UCUM" else None if label is None else ucum(label)
