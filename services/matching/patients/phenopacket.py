"""Converts a GA4GH Phenopacket v2, or the proband of a Family, to the native patient. Pure.

Parts that are not understood are listed, never guessed. Identifiers, labels and free text are not used. A value of the
wrong JSON type is refused with its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import ValidationError

from services.matching.patients.phenopacket_codes import (
    NEGATIVE,
    POSITIVE,
    SEVERITIES,
    ZYGOSITIES,
    code_of,
    hgvs_of,
    unit_of,
    variant_type,
)
from services.matching.patients.phenopacket_times import Moment, moment
from services.matching.patients.schemas import Patient, ReportedVariant
from shared.values.problems import Fault, InvalidBodyError
from shared.values.validation import faults
from shared.values.wire import Label

_SEXES = {"MALE": "male", "FEMALE": "female", "OTHER_SEX": "other"}
_SIGNIFICANCE = {
    "PATHOGENIC": "pathogenic",
    "LIKELY_PATHOGENIC": "likely_pathogenic",
    "UNCERTAIN_SIGNIFICANCE": "uncertain",
    "LIKELY_BENIGN": "benign",
    "BENIGN": "benign",
}
# Parts of the schema that no criterion uses.
_UNUSED_PARTS = frozenset({"biosamples", "files", "relatives", "pedigree", "consanguinousParents"})
_WRONG_TYPE: dict[type, tuple[str, Label]] = {
    dict: ("dict_type", Label(fr="un objet est attendu", en="an object is expected")),
    list: ("list_type", Label(fr="une liste est attendue", en="a list is expected")),
    str: ("string_type", Label(fr="un texte est attendu", en="a string is expected")),
    bool: ("bool_type", Label(fr="un booléen est attendu", en="a boolean is expected")),
    float: ("float_type", Label(fr="un nombre est attendu", en="a number is expected")),
}


@dataclass(frozen=True, slots=True)
class Ignored:
    """A part that was not used. ``pointer``: its JSON Pointer; ``reason``: a stable code."""

    pointer: str
    reason: str


@dataclass(slots=True)
class Conversion:
    """The facts and the ignored parts so far. ``root``: the JSON Pointer of the packet."""

    root: str
    birth: date | None = None
    facts: list[dict[str, Any]] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)

    def ignore(self, part: "Part", reason: str) -> None:
        self.ignored.append(Ignored(part.pointer, reason))

    def add(self, part: "Part", kind: str, code: "Part | None", given: Mapping[str, Any], suffix: str = "") -> bool:
        """Add a fact, or ignore the part where it has no valid code; return whether it was added."""
        found = code_of(code.text("id")) if code is not None else None
        if found is None:
            self.ignore(part, "no_code")
            return False
        self.facts.append(_fact(self.id_of(part) + suffix, kind, {"codes": [found], **given}))
        return True

    def id_of(self, part: "Part") -> str:
        """Return the id of a fact: the place of its part, such as ``phenotypicFeatures/3``."""
        return part.pointer.removeprefix(self.root).lstrip("/")

    def when(self, part: "Part", key: str) -> Moment:
        """Read a time element as dates; list it as ignored where it gives none."""
        element = part.part(key)
        if element is None:
            return Moment()
        found = moment(element.value, self.birth)
        if found is None:
            raise _wrong(element.pointer, dict)
        if found.start is None and found.end is None:
            self.ignore(element, "no_date")
        return found


@dataclass(frozen=True, slots=True)
class Part:
    """An object of the packet and its JSON Pointer. Each method reads a field of one type; None where it is absent."""

    value: Mapping[str, Any]
    pointer: str

    def part(self, key: str) -> "Part | None":
        found = self.value.get(key)
        if found is None:
            return None
        return Part(_typed(found, dict, f"{self.pointer}/{key}"), f"{self.pointer}/{key}")

    def parts(self, key: str) -> "list[Part]":
        found = self.value.get(key)
        if found is None:
            return []
        items = _typed(found, list, f"{self.pointer}/{key}")
        return [
            Part(_typed(item, dict, f"{self.pointer}/{key}/{index}"), f"{self.pointer}/{key}/{index}")
            for index, item in enumerate(items)
        ]

    def text(self, key: str) -> str | None:
        found = self.value.get(key)
        return None if found is None else _typed(found, str, f"{self.pointer}/{key}")

    def flag(self, key: str) -> bool:
        found = self.value.get(key)
        return False if found is None else _typed(found, bool, f"{self.pointer}/{key}")

    def number(self, key: str) -> int | float | None:
        found = self.value.get(key)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise _wrong(f"{self.pointer}/{key}", float)
        return found


def is_phenopacket(document: Mapping[str, Any]) -> bool:
    """Return whether a document is a Phenopacket or Family: it has ``metaData.phenopacketSchemaVersion``."""
    about = document.get("metaData")
    return isinstance(about, dict) and "phenopacketSchemaVersion" in about


def read_phenopacket(
    document: Mapping[str, Any], as_of: date | None = None, pointer: str = ""
) -> tuple[Patient, list[Ignored]]:
    """Convert a packet; return the native patient and the ignored parts. ``pointer``: where the packet is in the body.

    The age at the last encounter is read as the age on ``as_of``, so ``as_of`` should be the day of that encounter.

    :raises InvalidBodyError: 422, a value of the wrong type or beyond its bounds, with its place.
    """
    whole = Part(document, pointer)
    packet = whole.part("proband") or whole
    conversion = Conversion(packet.pointer)
    patient: dict[str, Any] = {"as_of": as_of, **_subject(conversion, packet)}
    for feature in packet.parts("phenotypicFeatures"):
        _feature(conversion, feature)
    for disease in packet.parts("diseases"):
        _disease(conversion, disease)
    for measurement in packet.parts("measurements"):
        _measurement(conversion, measurement)
    for action in packet.parts("medicalActions"):
        _action(conversion, action)
    for interpretation in packet.parts("interpretations"):
        _interpretation(conversion, interpretation)
    for key in sorted({*document, *packet.value} & _UNUSED_PARTS):
        conversion.ignored.append(Ignored(f"{pointer if key in document else packet.pointer}/{key}", "not_used"))
    try:
        return Patient.model_validate({**patient, "facts": conversion.facts}), conversion.ignored
    except ValidationError as error:
        raise InvalidBodyError(errors=[_located(fault, conversion) for fault in faults(error.errors())]) from None


def _located(fault: Fault, conversion: Conversion) -> Fault:
    """Return a fault of the native patient with its place in the packet."""
    parts = fault.pointer.split("/")
    if parts[1:2] == ["facts"] and len(parts) > 2:
        return fault.model_copy(update={"pointer": f"{conversion.root}/{conversion.facts[int(parts[2])]['id']}"})
    return fault.model_copy(update={"pointer": f"{conversion.root}/subject"})


def _subject(conversion: Conversion, packet: Part) -> dict[str, Any]:
    subject = packet.part("subject")
    if subject is None:
        return {}
    found: dict[str, Any] = {"sex": _SEXES.get(subject.text("sex") or "")}
    born = subject.text("dateOfBirth")
    if born is not None:
        day = moment({"timestamp": born}, None)
        if day is None or day.start is None:
            conversion.ignore(Part({}, f"{subject.pointer}/dateOfBirth"), "no_date")
        else:
            found["birth_date"] = day.start
            conversion.birth = date.fromisoformat(day.start)
    seen = subject.part("timeAtLastEncounter")
    if seen is not None and "birth_date" not in found:
        age = seen.part("age")
        duration = None if age is None else age.text("iso8601duration")
        whole = None if duration is None else whole_age(duration)
        if whole is None:
            conversion.ignore(seen, "no_age")
        else:
            found["age"] = whole
    status = subject.part("vitalStatus")
    if status is not None and status.text("status") == "DECEASED":
        conversion.ignore(status, "deceased")
    return {name: value for name, value in found.items() if value is not None}


def _feature(conversion: Conversion, feature: Part) -> None:
    excluded = feature.flag("excluded")
    level = feature.part("severity")
    severity = SEVERITIES.get(level.text("id") or "") if level is not None else None
    given = {"status": "absent"} if excluded else {"severity": severity, **_onset_and_resolution(conversion, feature)}
    conversion.add(feature, "observation", feature.part("type"), given)


def _disease(conversion: Conversion, disease: Part) -> None:
    excluded = disease.flag("excluded")
    conversion.add(
        disease,
        "condition",
        disease.part("term"),
        {"status": "absent"} if excluded else _onset_and_resolution(conversion, disease),
    )


def _onset_and_resolution(conversion: Conversion, part: Part) -> dict[str, str | None]:
    """Return the dates of onset and resolution; without resolution the onset alone, for it may have ended."""
    onset, resolved = conversion.when(part, "onset"), conversion.when(part, "resolution")
    if resolved.end is not None and onset.start is not None and onset.start[: len(resolved.end)] <= resolved.end:
        return {"start": onset.start, "end": resolved.end}
    return {"date": onset.start}


def _measurement(conversion: Conversion, measurement: Part) -> None:
    value = measurement.part("value")
    if value is None:
        conversion.ignore(measurement, "no_value")
        return
    day = conversion.when(measurement, "timeObserved").start
    coded, quantity = value.part("ontologyClass"), value.part("quantity")
    if coded is not None:
        answer = coded.text("id") or ""
        if answer in POSITIVE or answer in NEGATIVE:
            status = "present" if answer in POSITIVE else "absent"
            conversion.add(measurement, "observation", measurement.part("assay"), {"status": status, "date": day})
        else:
            conversion.ignore(value, "value_not_understood")
        return
    number = None if quantity is None else quantity.number("value")
    if quantity is None or number is None:
        conversion.ignore(value, "value_not_understood")
        return
    unit = quantity.part("unit")
    ucum = None if unit is None else unit_of(unit.text("id"))
    if unit is not None and ucum is None:
        conversion.ignore(unit, "unit_not_ucum")
    given = {"value": number, "unit": ucum, "date": day, **_range(conversion, quantity, unit)}
    conversion.add(measurement, "observation", measurement.part("assay"), given)


def _range(conversion: Conversion, quantity: Part, unit: Part | None) -> dict[str, Any]:
    limits = quantity.part("referenceRange")
    if limits is None:
        return {}
    own = limits.part("unit")
    low, high = limits.number("low"), limits.number("high")
    if (own is not None and (unit is None or own.text("id") != unit.text("id"))) or (
        low is not None and high is not None and low > high
    ):
        conversion.ignore(limits, "range_not_understood")
        return {}
    return {"ref_low": low, "ref_high": high}


def _action(conversion: Conversion, action: Part) -> None:
    procedure, treatment = action.part("procedure"), action.part("treatment")
    radiation, regimen = action.part("radiationTherapy"), action.part("therapeuticRegimen")
    if procedure is not None:
        conversion.add(
            procedure, "procedure", procedure.part("code"), {"date": conversion.when(procedure, "performed").start}
        )
    elif treatment is not None:
        _treatment(conversion, treatment)
    elif radiation is not None:
        conversion.add(radiation, "procedure", radiation.part("modality"), {})
    elif regimen is not None:
        start, end = conversion.when(regimen, "startTime").start, conversion.when(regimen, "endTime").end
        conversion.add(regimen, "medication", regimen.part("ontologyClass"), _exposure(start, end))
    else:
        conversion.ignore(action, "not_used")


def _treatment(conversion: Conversion, treatment: Part) -> None:
    """Add one exposure for each dosing interval. No dose is read: a quantity is that of one administration."""
    status = "ordered" if treatment.text("drugType") == "PRESCRIPTION" else "present"
    intervals = treatment.parts("doseIntervals")
    for one in intervals:
        times = one.part("interval")
        start = end = None
        if times is not None:
            found = moment({"interval": times.value}, conversion.birth)
            if found is None:
                raise _wrong(times.pointer, dict)
            start, end = found.start, found.end
        suffix = one.pointer.removeprefix(treatment.pointer)
        if not conversion.add(
            treatment, "medication", treatment.part("agent"), {"status": status, **_exposure(start, end)}, suffix
        ):
            return
        if one.part("quantity") is not None:
            conversion.ignore(Part({}, f"{one.pointer}/quantity"), "dose_of_one_administration")
    if not intervals:
        conversion.add(treatment, "medication", treatment.part("agent"), {"status": status})


def _exposure(start: str | None, end: str | None) -> dict[str, str | None]:
    return {"start": start, "end": end if start is None or end is None or start[: len(end)] <= end else None}


def _interpretation(conversion: Conversion, interpretation: Part) -> None:
    solved = interpretation.text("progressStatus") == "SOLVED"
    diagnosis = interpretation.part("diagnosis")
    if diagnosis is None:
        conversion.ignore(interpretation, "not_used")
        return
    disease = diagnosis.part("disease")
    code = code_of(disease.text("id")) if disease is not None else None
    known = any(fact["kind"] == "condition" and fact["codes"] == [code] for fact in conversion.facts)
    if disease is not None and not known:
        conversion.add(disease, "condition", disease, {"status": "present" if solved else "unconfirmed"})
    for genomic in diagnosis.parts("genomicInterpretations"):
        _genomic(conversion, genomic, solved=solved)


def _genomic(conversion: Conversion, genomic: Part, *, solved: bool) -> None:
    status = genomic.text("interpretationStatus")
    interpreted = genomic.part("variantInterpretation")
    described = None if interpreted is None else interpreted.part("variationDescriptor")
    if interpreted is None or described is None or status == "REJECTED":
        conversion.ignore(genomic, "variant_rejected" if status == "REJECTED" else "no_variant")
        return
    context = described.part("geneContext")
    state, structure = described.part("allelicState"), described.part("structuralType")
    written = [(one.text("syntax") or "", one.text("value") or "") for one in described.parts("expressions")]
    variant: dict[str, Any] = {
        "gene": None if context is None else context.text("symbol"),
        "type": variant_type(None if structure is None else structure.text("id"), written),
        "zygosity": None if state is None else ZYGOSITIES.get(state.text("id") or ""),
        # A variant without a classification does not count as pathogenic.
        "significance": _SIGNIFICANCE.get(interpreted.text("acmgPathogenicityClassification") or "", "uncertain"),
    }
    try:
        base = ReportedVariant.model_validate({name: value for name, value in variant.items() if value is not None})
    except ValueError:
        conversion.ignore(genomic, "no_gene")
        return
    confirmed = solved and status in {"CAUSATIVE", "CONTRIBUTORY"}
    # One fact for each HGVS expression of the variant, so that a criterion finds the one that it names.
    for index, hgvs in enumerate(hgvs_of(written) or [None]):
        name = conversion.id_of(genomic).replace("diagnosis/genomicInterpretations", "variants")
        given = {**base.model_dump(exclude_none=True), **({"hgvs": hgvs} if hgvs else {})}
        fields = {"status": "present" if confirmed else "unconfirmed", "variant": given}
        conversion.facts.append(_fact(f"{name}/{index}" if index else name, "variant", fields))


def whole_age(duration: str) -> str | None:
    """Return an ISO age without its hours, in the form of the native patient; None where it is not an age."""
    days, _, _hours = duration.partition("T")
    try:
        return Patient.model_validate({"age": days}).age
    except ValueError:
        return None


def _fact(identifier: str, kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": identifier, "kind": kind, **{name: value for name, value in given.items() if value is not None}}


def _typed(value: Any, kind: type, pointer: str) -> Any:
    if not isinstance(value, kind):
        raise _wrong(pointer, kind)
    return value


def _wrong(pointer: str, kind: type) -> InvalidBodyError:
    code, detail = _WRONG_TYPE[kind]
    return InvalidBodyError(errors=[Fault(pointer=pointer, code=code, detail=detail)])
