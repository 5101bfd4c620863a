"""Reads a GA4GH Phenopacket, or the proband of a Family, as the native patient. Pure.

Parts that are not understood are reported, never guessed. Identifiers, labels and free text are not used. A value of
the wrong JSON type is refused with its place, and so is what is no patient: a Cohort, an empty packet, a misspelt
member.
"""

from collections.abc import Mapping
from typing import Any

from services.matching.patients.draft import Draft
from services.matching.patients.parts import Part
from services.matching.patients.phenopacket import version1
from services.matching.patients.phenopacket.facts import read_actions, read_diseases, read_features, read_measurements
from services.matching.patients.phenopacket.family import read_relatives
from services.matching.patients.phenopacket.members import VERSION_1, VERSION_2, check_members
from services.matching.patients.phenopacket.record import Record
from services.matching.patients.phenopacket.subject import read_subject
from services.matching.patients.phenopacket.variants import read_interpretations
from shared.values.problems import Fault, InvalidBodyError
from shared.values.wire import Label

_MARKS = frozenset({
    "metaData", "meta_data", "subject", "phenotypicFeatures", "phenotypic_features", "proband", "interpretations",
    "medicalActions", "medical_actions", "members",
})  # fmt: skip
_FIRST_VERSION_MARKS = frozenset({"negated", "ageAtCollection", "ageOfOnset", "classOfOnset", "hgvsAllele"})
_COHORT = Label(
    fr="ceci est une cohorte ; envoyez un patient à la fois, ou un patient par ligne (application/x-ndjson)",
    en="this is a cohort; send one patient at a time, or one patient a line (application/x-ndjson)",
)
_EMPTY = Label(
    fr="ce phénopaquet ne dit rien d'un patient : ni sujet, ni signes, ni maladies",
    en="this packet says nothing of a patient: no subject, no features, no diseases",
)
_VERSION = Label(fr="versions acceptées : 1.x et 2.x", en="accepted versions: 1.x and 2.x")


def is_phenopacket(document: Mapping[str, Any]) -> bool:
    """Return whether a document is a Phenopacket, a Family or a Cohort, by its members."""
    return not _MARKS.isdisjoint(document) and "facts" not in document


def read_phenopacket(document: Mapping[str, Any], pointer: str = "") -> Draft:
    """Read a packet. ``pointer``: where it is in the body.

    :raises InvalidBodyError: 422, it is no patient, or a value has a wrong type.
    """
    whole = Part(document, pointer)
    if "members" in whole:
        raise _refusal(whole.of("members"), "not_a_patient", _COHORT)
    packet = whole.part("proband") or whole
    first = _is_version_1(whole, packet)
    draft = Draft(packet.pointer)
    message, messages = "Family" if packet is not whole else "Phenopacket", VERSION_1 if first else VERSION_2
    check_members(document, pointer, message, messages, draft.warnings)
    record = Record(draft, version1.NAMES if first else None)
    read_subject(record, packet, _created(packet) or _created(whole))
    read_features(record, packet)
    read_diseases(record, packet)
    if first:
        version1.read_variants(record, packet)
    else:
        read_measurements(record, packet)
        read_actions(record, packet)
        read_interpretations(record, packet)
    if not draft.facts and not draft.person:
        raise _refusal(packet.pointer, "empty_packet", _EMPTY)
    if packet is not whole:
        read_relatives(record, whole, packet)
    return draft


def _is_version_1(whole: Part, packet: Part) -> bool:
    """Return whether a packet is of version 1: it says so, or says nothing and has members of that version alone.

    :raises InvalidBodyError: 422, it is of another version.
    """
    about = whole.part("metaData") or packet.part("metaData")
    version = None if about is None else about.text("phenopacketSchemaVersion")
    if about is not None and version:
        major = version.strip().lstrip("vV").partition(".")[0]
        if major not in {"1", "2"}:
            raise _refusal(about.of("phenopacketSchemaVersion"), "version_not_supported", _VERSION)
        return major == "1"
    return _has_any(packet.value)


def _has_any(value: Any) -> bool:
    if isinstance(value, dict):
        return not _FIRST_VERSION_MARKS.isdisjoint(value) or any(_has_any(inner) for inner in value.values())
    return isinstance(value, list) and any(_has_any(inner) for inner in value)


def _created(packet: Part) -> str | None:
    about = packet.part("metaData")
    return None if about is None else about.text("created")


def _refusal(pointer: str, code: str, detail: Label) -> InvalidBodyError:
    return InvalidBodyError(errors=[Fault(pointer=pointer, code=code, detail=detail)])
