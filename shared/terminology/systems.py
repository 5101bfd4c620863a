"""The code systems: their prefix, the kinds of things they code, their other names, and the form of their codes."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["disease", "feature", "medication", "procedure", "measurement", "gene"]

ANY: Final[frozenset[Kind]] = frozenset()
_DISEASE: Final[frozenset[Kind]] = frozenset({"disease"})
_FINDING: Final[frozenset[Kind]] = frozenset({"disease", "feature"})
_FEATURE: Final[frozenset[Kind]] = frozenset({"feature"})
_MEDICATION: Final[frozenset[Kind]] = frozenset({"medication"})
_PROCEDURE: Final[frozenset[Kind]] = frozenset({"procedure"})
_MEASUREMENT: Final[frozenset[Kind]] = frozenset({"measurement"})
_GENE: Final[frozenset[Kind]] = frozenset({"gene"})


@dataclass(frozen=True, slots=True)
class System:
    """A code system.

    ``kinds``: what its codes can mean; empty: anything. ``shape``: a code without its prefix, in any spelling;
    ``write``: the canonical spelling of what it matched. ``aliases``: other prefixes, letters and digits only, in lower
    case. ``addresses``: URIs without scheme and ``www.``, in lower case, and OIDs. Both are separated by spaces.
    """

    prefix: str
    kinds: frozenset[Kind]
    shape: re.Pattern[str]
    write: Callable[[re.Match[str]], str]
    aliases: str = ""
    addresses: str = ""


def _shape(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


def _upper(found: re.Match[str]) -> str:
    return found.group(1).upper()


def _lower(found: re.Match[str]) -> str:
    return found.group(1).lower()


def _number(found: re.Match[str]) -> str:
    return str(int(found.group(1)))


def _two(found: re.Match[str]) -> str:
    return f"{int(found.group(1)):02}"


def _seven(found: re.Match[str]) -> str:
    return f"{int(found.group(1)):07}"


def _icd(found: re.Match[str]) -> str:
    """Write the dot after the category. A range of categories has none."""
    category, rest, last = found.group(1).upper(), (found.group(2) or "").upper(), found.group(3)
    if last is not None:
        return f"{category}-{last.upper()}"
    return f"{category}.{rest}" if rest else category


# The dagger (also written +) and the asterisk mark a pair of codes; +digits is the extension of the French PMSI.
_ICD10 = r"([A-Z][0-9]{2})(?:\.?([0-9]{1,3}[0-9A-Z]?)|\.-|\.X|-([A-Z][0-9]{2}))?(?:\s*(?:\+[0-9]*|[†‡*!#]))*"
_ICD10CM = r"([A-Z][0-9][0-9A-Z])(?:\.?([0-9A-Z]{1,4})|-([A-Z][0-9][0-9A-Z]))?"

SYSTEMS: Final = (
    System(
        "CLEIO",
        ANY,
        _shape(r"([A-Z0-9][A-Z0-9_.\-]{0,63})"),
        _lower,
    ),
    System(
        "ORPHA",
        _DISEASE,
        _shape(r"(?:orphanet_|orpha:?)?0*([0-9]{1,7})"),
        _number,
        "orphanet ordo orphacode orphanumber orphanetordo orphan",
        "orpha.net orphadata.com orphadata.org identifiers.org/orphanet.ordo",
    ),
    System(
        "MONDO",
        _DISEASE,
        _shape(r"([0-9]{1,7})"),
        _seven,
        "mondodiseaseontology",
        "purl.obolibrary.org/obo/mondo monarchinitiative.org/disease mondo.monarchinitiative.org",
    ),
    System(
        "OMIMPS",
        _DISEASE,
        _shape(r"(?:PS)?([0-9]{6})"),
        _number,
        "mimps omimphenotypicseries",
        "omim.org/phenotypicseries 2.16.840.1.113883.6.174.2",
    ),
    System(
        "OMIM",
        _DISEASE,
        _shape(r"[#%*+^]?([0-9]{6})(?:\.[0-9]{4})?"),
        _number,
        "mim omimentry ommbid mimnumber",
        "omim.org mirror.omim.org ncbi.nlm.nih.gov/omim purl.bioontology.org/ontology/omim "
        "hl7.org/fhir/sid/omim 2.16.840.1.113883.6.174",
    ),
    System(
        "DOID",
        _DISEASE,
        _shape(r"([0-9]{1,7})"),
        _number,
        "do",
        "purl.obolibrary.org/obo/doid",
    ),
    System(
        "GARD",
        _DISEASE,
        _shape(r"([0-9]{1,7})"),
        _seven,
        "",
        "rarediseases.info.nih.gov",
    ),
    System(
        "ICD10",
        _FINDING,
        _shape(_ICD10),
        _icd,
        "cim10 cim10fr cim10pmsi icd10who icd10fr icd10gm who10 icd cim i10 icd10int",
        "hl7.org/fhir/sid/icd-10 hl7.org/fhir/sid/icd-10-fr hl7.org/fhir/sid/cim-10 id.who.int/icd10 "
        "id.who.int/icd/release/10 icd.who.int/browse10 smt.esante.gouv.fr/terminologie-cim-10 "
        "data.esante.gouv.fr/atih/cim10 fhir.de/codesystem/bfarm/icd-10-gm fhir.de/codesystem/dimdi/icd-10-gm "
        "purl.bioontology.org/ontology/icd10 2.16.840.1.113883.6.3 2.16.840.1.113883.6.3.1 1.2.250.1.213.2.12",
    ),
    System(
        "ICD10CM",
        _FINDING,
        _shape(_ICD10CM),
        _icd,
        "icd10clinicalmodification i10cm",
        "hl7.org/fhir/sid/icd-10-cm purl.bioontology.org/ontology/icd10cm 2.16.840.1.113883.6.90",
    ),
    System(
        "ICD11",
        _FINDING,
        _shape(r"([0-9A-Z]{4}(?:\.[0-9A-Z]{1,2})?|[0-9]{5,12})"),
        _upper,
        "cim11 icd11foundation icd11mms",
        "id.who.int/icd/release/11 id.who.int/icd/entity icd.who.int/browse11",
    ),
    System(
        "HP",
        _FEATURE,
        _shape(r"([0-9]{1,7})"),
        _seven,
        "hpo humanphenotype humanphenotypeontology",
        "purl.obolibrary.org/obo/hp human-phenotype-ontology.org human-phenotype-ontology.github.io "
        "hpo.jax.org human-phenotype-ontology hl7.org/fhir/sid/hpo 2.16.840.1.113883.6.339",
    ),
    System(
        "SNOMED",
        ANY,
        _shape(r"([0-9]{6,18})"),
        _number,
        "snomedct sctid sct scta snomedctfr snomedclinicalterms snomedctus srt",
        "snomed.info browser.ihtsdotools.org purl.bioontology.org/ontology/snomedct 2.16.840.1.113883.6.96",
    ),
    System(
        "MESH",
        ANY,
        _shape(r"([CD][0-9]{6,9})"),
        _upper,
        "msh mesh2 meshid",
        "id.nlm.nih.gov/mesh ncbi.nlm.nih.gov/mesh meshb.nlm.nih.gov nlm.nih.gov/mesh "
        "purl.bioontology.org/ontology/mesh 2.16.840.1.113883.6.177",
    ),
    System(
        "NCIT",
        ANY,
        _shape(r"(C[0-9]{1,8})"),
        _upper,
        "nci ncithesaurus ncicode",
        "purl.obolibrary.org/obo/ncit ncithesaurus-stage.nci.nih.gov ncithesaurus.nci.nih.gov "
        "ncicb.nci.nih.gov 2.16.840.1.113883.3.26.1.1",
    ),
    System(
        "UMLS",
        ANY,
        _shape(r"(C[0-9]{7})"),
        _upper,
        "cui umlscui",
        "nlm.nih.gov/research/umls uts.nlm.nih.gov/uts/umls linkedlifedata.com/resource/umls/id 2.16.840.1.113883.6.86",
    ),
    System(
        "ATC",
        _MEDICATION,
        _shape(r"([A-Z](?:[0-9]{2}(?:[A-Z](?:[A-Z](?:[0-9]{2})?)?)?)?)"),
        _upper,
        "whoatc atcwho atccode",
        "whocc.no/atc whocc.no/atc_ddd_index atcddd.fhi.no fhir.de/codesystem/bfarm/atc "
        "smt.esante.gouv.fr/terminologie-atc data.esante.gouv.fr/whocc/atc 2.16.840.1.113883.6.73 "
        "purl.bioontology.org/ontology/atc",
    ),
    System(
        "RXNORM",
        _MEDICATION,
        _shape(r"([0-9]{1,8})"),
        _number,
        "rxcui rxn",
        "nlm.nih.gov/research/umls/rxnorm purl.bioontology.org/ontology/rxnorm 2.16.840.1.113883.6.88",
    ),
    System(
        "CVX",
        _MEDICATION,
        _shape(r"([0-9]{1,3})"),
        _two,
        "cdccvx",
        "hl7.org/fhir/sid/cvx 2.16.840.1.113883.12.292 2.16.840.1.113883.6.59",
    ),
    System(
        "UCD",
        _MEDICATION,
        _shape(r"([0-9]{7}|[0-9]{13})"),
        _upper,
        "ucd7 ucd13",
        "smt.esante.gouv.fr/terminologie-ucd data.esante.gouv.fr/ansm/ucd 1.2.250.1.213.2.61",
    ),
    System(
        "CIP",
        _MEDICATION,
        _shape(r"([0-9]{7}|[0-9]{13})"),
        _upper,
        "cip7 cip13",
        "smt.esante.gouv.fr/terminologie-cip smt.esante.gouv.fr/terminologie-cip_ucd 1.2.250.1.213.2.3.1",
    ),
    System(
        "CCAM",
        _PROCEDURE,
        _shape(r"([A-Z]{4}[0-9]{3})(?:[\s+.\-/]?[0-9]{1,3})?"),
        _upper,
        "ccampmsi",
        "smt.esante.gouv.fr/terminologie-ccam data.esante.gouv.fr/atih/ccam 1.2.250.1.213.2.5",
    ),
    System(
        "LOINC",
        _MEASUREMENT,
        _shape(r"((?:L[APG])?[0-9]{1,7}-[0-9])"),
        _upper,
        "lnc ln loincnum",
        "loinc.org purl.bioontology.org/ontology/lnc 2.16.840.1.113883.6.1",
    ),
    System(
        "NABM",
        _MEASUREMENT | _PROCEDURE,
        _shape(r"([0-9]{1,4})"),
        _number,
    ),
    System(
        "HGNC",
        _GENE,
        _shape(r"(?:HGNC:)?([0-9]{1,6})"),
        _number,
        "hgncid",
        "genenames.org identifiers.org/hgnc hl7.org/fhir/sid/hgnc 2.16.840.1.113883.6.281",
    ),
)
BY_PREFIX: Final = {system.prefix: system for system in SYSTEMS}
