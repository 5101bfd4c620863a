"""The members of Phenopackets, by message and version: what is unknown is reported, what is misspelt is refused. Pure.

A misspelt ``exclude`` would otherwise turn a denied sign into a present one.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from services.matching.patients.parts import snake_case
from services.matching.patients.warnings import Warnings
from shared.values.json_pointer import escape
from shared.values.problems import Fault, InvalidBodyError
from shared.values.wire import Label

# A record with more unknown members is another format.
MOST_UNKNOWN = 500
Messages = Mapping[str, Mapping[str, str]]

_MISSPELT = Label(
    fr="champ mal orthographié, ou d'une autre version du format ; voir le schéma de phenopacketSchemaVersion",
    en="misspelt member, or one of another version of the format; see the schema of phenopacketSchemaVersion",
)


def _messages(text: str) -> Messages:
    """Read one message a line: its name, then its members, each with the message that it contains, if that is read.

    An indented line continues the one before.
    """
    found: dict[str, dict[str, str]] = {}
    for line in text.strip().replace("\n    ", " ").splitlines():
        name, *members = line.split()
        found[name] = {member.partition("=")[0]: member.partition("=")[2] for member in members}
    return found


# Members of messages of time, values and codes have few names, and are read in one place: they are not checked.
VERSION_2 = _messages("""
Family id proband=Phenopacket relatives=Phenopacket consanguinousParents pedigree=Pedigree files metaData
Phenopacket id subject=Individual phenotypicFeatures=Feature measurements=Measurement
    biosamples interpretations=Interpretation diseases=Disease medicalActions=Action files metaData
Individual id alternateIds dateOfBirth timeAtLastEncounter=Time vitalStatus=Vital sex karyotypicSex gender taxonomy
Vital status timeOfDeath causeOfDeath survivalTimeInDays
Feature description type excluded severity modifiers onset=Time resolution=Time evidence
Time gestationalAge age ageRange ontologyClass timestamp interval
Measurement description assay value=Value complexValue timeObserved=Time procedure interpretation
Value quantity ontologyClass complexValue
Disease term excluded onset=Time resolution=Time diseaseStage clinicalTnmFinding primarySite laterality
Action procedure=Procedure treatment=Treatment radiationTherapy=Radiation therapeuticRegimen=Regimen
    treatmentTarget treatmentIntent responseToTreatment adverseEvents treatmentTerminationReason
Procedure code bodySite performed=Time
Treatment agent routeOfAdministration doseIntervals=Dose drugType cumulativeDose
Dose quantity scheduleFrequency interval
Radiation modality bodySite dosage fractions
Regimen externalReference ontologyClass startTime=Time endTime=Time regimenStatus status
Interpretation id progressStatus diagnosis=Diagnosis summary
Diagnosis disease genomicInterpretations=Genomic
Genomic subjectOrBiosampleId interpretationStatus gene geneDescriptor variantInterpretation=Variant
Variant acmgPathogenicityClassification therapeuticActionability variationDescriptor variant
Pedigree persons=Person
Person familyId individualId paternalId maternalId sex affectedStatus
""")
VERSION_1 = _messages("""
Family id proband=Phenopacket relatives=Phenopacket pedigree=Pedigree htsFiles metaData
Phenopacket id subject=Individual phenotypicFeatures=Feature biosamples genes=Gene variants=Variant
    diseases=Disease htsFiles metaData
Individual id alternateIds dateOfBirth ageAtCollection ageRangeAtCollection ageOfIndividual sex karyotypicSex taxonomy
Feature description type negated severity modifiers ageOfOnset ageRangeOfOnset classOfOnset onset evidence
Disease term ageOfOnset ageRangeOfOnset classOfOnset onset diseaseStage stage tnmFinding
Gene id alternateIds symbol
Variant hgvsAllele vcfAllele spdiAllele iscnAllele zygosity
Pedigree persons=Person
Person familyId individualId paternalId maternalId sex affectedStatus
""")
# Members that describe a record, not the patient.
_DESCRIBING = frozenset({"id", "description", "evidence", "summary", "metaData", "taxonomy", "subjectOrBiosampleId"})
_IDENTIFYING = frozenset({"alternateIds"})
# What the readers read of each message; the other members are reported.
READ = frozenset({
    "proband", "relatives", "pedigree", "persons", "subject", "phenotypicFeatures", "measurements", "interpretations",
    "diseases", "medicalActions", "dateOfBirth", "timeAtLastEncounter", "vitalStatus", "sex", "status", "timeOfDeath",
    "type", "excluded", "severity", "onset", "resolution", "gestationalAge", "age", "ageRange", "ontologyClass",
    "timestamp", "interval", "assay", "value", "complexValue", "timeObserved", "quantity", "term", "procedure",
    "treatment", "radiationTherapy", "therapeuticRegimen", "code", "performed", "agent", "doseIntervals", "drugType",
    "modality", "startTime", "endTime", "progressStatus", "diagnosis", "disease", "genomicInterpretations",
    "interpretationStatus", "variantInterpretation", "acmgPathogenicityClassification", "variationDescriptor",
    "individualId", "paternalId", "maternalId", "familyId", "affectedStatus", "ageAtCollection",
    "ageRangeAtCollection", "ageOfIndividual", "negated", "ageOfOnset", "ageRangeOfOnset", "classOfOnset", "genes",
    "variants", "symbol", "hgvsAllele", "zygosity", "therapeuticActionability", "karyotypicSex", "gender",
    "scheduleFrequency",
})  # fmt: skip


def check_members(
    packet: Mapping[str, Any], pointer: str, message: str, messages: Messages, warnings: Warnings
) -> None:
    """Report the members of a packet that are not read.

    :raises InvalidBodyError: 422, a member is misspelt, or belongs to the other version.
    """
    unknown = 0
    for place, key, owner in _members(packet, pointer, message, messages):
        known, other = _known(key, messages[owner]), _known(key, _other(messages).get(owner, {}))
        if known is None:
            plain = key.isidentifier() and len(key) <= 40
            where = f"{place}/{escape(key)}" if plain else place
            unknown += 1
            if other is not None or unknown > MOST_UNKNOWN or _is_misspelt(key, messages[owner]):
                raise InvalidBodyError(errors=[Fault(pointer=where, code="member_misspelt", detail=_MISSPELT)])
            warnings.add(where, "unknown_member", (owner, key))
        elif known in _IDENTIFYING:
            warnings.add(place, "identity_dropped", True)
        elif known not in READ and known not in _DESCRIBING:
            warnings.add(f"{place}/{key}", "not_read", (owner, known))


def _members(
    packet: Mapping[str, Any], pointer: str, message: str, messages: Messages
) -> Iterator[tuple[str, str, str]]:
    """Return pointer of the object, key and message of every member that has a value."""
    for key, value in packet.items():
        if value is None or value == []:
            continue
        yield pointer, key, message
        inner = messages[message].get(_known(key, messages[message]) or "")
        if not inner:
            continue
        items = value if isinstance(value, list) else [value]
        for index, item in enumerate(items):
            if isinstance(item, dict):
                place = f"{pointer}/{key}/{index}" if isinstance(value, list) else f"{pointer}/{key}"
                yield from _members(item, place, inner, messages)


def _known(key: str, members: Mapping[str, str]) -> str | None:
    """Return the name of a member, which may be written in its Protobuf form."""
    if key in members:
        return key
    return _by_snake_case(tuple(members)).get(key) if "_" in key else None


@cache
def _by_snake_case(names: tuple[str, ...]) -> Mapping[str, str]:
    return {snake_case(name): name for name in names}


def _is_misspelt(key: str, members: Mapping[str, str]) -> bool:
    folded = key.replace("_", "").casefold()
    return bool(get_close_matches(folded, [name.casefold() for name in members], n=1, cutoff=0.8))


def _other(messages: Messages) -> Messages:
    return VERSION_2 if messages is VERSION_1 else VERSION_1
