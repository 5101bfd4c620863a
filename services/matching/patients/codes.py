"""Codes of patients in any spelling, as the codes of the terminology. Pure."""

import re

_PREFIXES = {
    "orpha": "ORPHA", "orphanet": "ORPHA", "ordo": "ORPHA", "snomed": "SNOMED", "snomedct": "SNOMED",
    "sctid": "SNOMED", "sct": "SNOMED", "mim": "OMIM", "omim": "OMIM", "hp": "HP", "hpo": "HP", "lnc": "LOINC",
    "loinc": "LOINC", "icd10": "ICD10", "icd-10": "ICD10", "cim10": "ICD10", "cim-10": "ICD10",
    "icd10cm": "ICD10CM", "icd-10-cm": "ICD10CM", "atc": "ATC", "hgnc": "HGNC", "mondo": "MONDO",
    "cleio": "CLEIO", "cvx": "CVX", "rxnorm": "RXNORM", "ncit": "NCIT", "geno": "GENO", "so": "SO", "ccam": "CCAM",
    "ucd": "UCD", "cip13": "CIP13", "cip7": "CIP7", "mesh": "MESH", "uberon": "UBERON", "pato": "PATO",
}  # fmt: skip
_SYSTEMS = {
    "snomed.info/sct": "SNOMED", "loinc.org": "LOINC", "www.orpha.net": "ORPHA", "omim.org": "OMIM",
    "hl7.org/fhir/sid/icd-10": "ICD10", "hl7.org/fhir/sid/icd-10-cm": "ICD10CM", "www.whocc.no/atc": "ATC",
    "www.genenames.org": "HGNC", "human-phenotype-ontology.org": "HP", "purl.obolibrary.org/obo/hp.owl": "HP",
    "purl.obolibrary.org/obo/mondo.owl": "MONDO", "hl7.org/fhir/sid/cvx": "CVX",
    "www.nlm.nih.gov/research/umls/rxnorm": "RXNORM",
}  # fmt: skip
_SHAPE = re.compile(r"[A-Za-z0-9_.\-/]{1,64}")


def read_code(text: str) -> str | None:
    """Return ``ORPHA:98896`` for ``orphanet:98896``; None where it is not a code of a known system."""
    prefix, _, code = text.strip().partition(":")
    system = _PREFIXES.get(prefix.strip().lower())
    return f"{system}:{code.strip()}" if system is not None and _SHAPE.fullmatch(code.strip()) else None


def from_system(uri: str, code: str) -> str | None:
    """Return the code of a FHIR coding; None where the system is not known or the code has another form."""
    system = _SYSTEMS.get(uri.partition("://")[2].rstrip("/"))
    return read_code(f"{system}:{code.rpartition(':')[2]}") if system is not None else None


def knows_system(uri: str) -> bool:
    """Return whether a FHIR system is one whose codes can be read."""
    return uri.partition("://")[2].rstrip("/") in _SYSTEMS


def is_known_prefix(code: str) -> bool:
    """Return whether a code is of a known code system."""
    return code.partition(":")[0] in set(_PREFIXES.values())
