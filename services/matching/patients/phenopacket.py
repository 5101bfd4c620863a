"""GA4GH Phenopacket v2 (or the proband of a Family) to the native patient. Pure and tolerant: what is not understood is listed, never guessed.

Identifiers, labels and free text are left behind. A value of the wrong JSON type is refused with its place.
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
from services.matching.patients.schemas import Patient, Variant
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
# Parts of the schema that no criterion asks.
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
    """A part that was left out, by its JSON Pointer, and why: a stable code."""

    pointer: str
    reason: str


@dataclass(slots=True)
class Reading:
    """What has been read so far."""

    root: str
    birth: date | None = None
    facts: list[dict[str, Any]] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)

    def leave(self, part: "Part", reason: str) -> None:
        self.ignored.append(Ignored(part.pointer, reason))

    def add(self, part: "Part", kind: str, code: "Part | None", given: Mapping[str, Any], suffix: str = "") -> bool:
        """A fact with one code, where the code is one; what is None is left out."""
        found = code_of(code.text("id")) if code is not None else None
        if found is None:
            self.leave(part, "no_code")
            return False
        self.facts.append(_fact(self.name_of(part) + suffix, kind, {"codes": [found], **given}))
        return True

    def name_of(self, part: "Part") -> str:
        """Where the fact was read is its id: ``phenotypicFeatures/3``."""
        return part.pointer.removeprefix(self.root).lstrip("/")

    def when(self, part: "Part", key: str) -> Moment:
        """A time element as far as it is a date; what cannot be one is listed."""
        element = part.part(key)
        if element is None:
            return Moment()
        found = moment(element.value, self.birth)
        if found is None:
            raise _wrong(element.pointer, dict)
        if found.start is None and found.end is None:
            self.leave(element, "no_date")
        return found


@dataclass(frozen=True, slots=True)
class Part:
    """An object of the packet and its place; reads fields by type."""

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
    """A Phenopacket or Family says so itself: `metaData.phenopacketSchemaVersion`."""
    about = document.get("metaData")
    return isinstance(about, dict) and "phenopacketSchemaVersion" in about


def read_phenopacket(
    document: Mapping[str, Any], as_of: date | None = None, pointer: str = ""
) -> tuple[Patient, list[Ignored]]:
    """The native patient, and what of the packet was left out. ``pointer``: where the packet stands in the body.

    An age at the last encounter is taken as the age on ``as_of``: give the day of that encounter where it is another.

    :raises InvalidBodyError: 422, a value of the wrong type or beyond its bounds, with its place.
    """
    whole = Part(document, pointer)
    packet = whole.part("proband") or whole
    reading = Reading(packet.pointer)
    patient: dict[str, Any] = {"as_of": as_of, **_subject(reading, packet)}
    for feature in packet.parts("phenotypicFeatures"):
        _feature(reading, feature)
    for disease in packet.parts("diseases"):
        _disease(reading, disease)
    for measurement in packet.parts("measurements"):
        _measurement(reading, measurement)
    for action in packet.parts("medicalActions"):
        _action(reading, action)
    for interpretation in packet.parts("interpretations"):
        _interpretation(reading, interpretation)
    for key in sorted({*document, *packet.value} & _UNUSED_PARTS):
        reading.ignored.append(Ignored(f"{pointer if key in document else packet.pointer}/{key}", "not_used"))
    try:
        return Patient.model_validate({**patient, "facts": reading.facts}), reading.ignored
    except ValidationError as error:
        raise InvalidBodyError(errors=[_placed(fault, reading) for fault in faults(error.errors())]) from None


def _placed(fault: Fault, reading: Reading) -> Fault:
    """A fault of the native patient, told where the packet has it."""
    parts = fault.pointer.split("/")
    if parts[1:2] == ["facts"] and len(parts) > 2:
        return fault.model_copy(update={"pointer": f"{reading.root}/{reading.facts[int(parts[2])]['id']}"})
    return fault.model_copy(update={"pointer": f"{reading.root}/subject"})


def _subject(reading: Reading, packet: Part) -> dict[str, Any]:
    subject = packet.part("subject")
    if subject is None:
        return {}
    found: dict[str, Any] = {"sex": _SEXES.get(subject.text("sex") or "")}
    born = subject.text("dateOfBirth")
    if born is not None:
        day = moment({"timestamp": born}, None)
        if day is None or day.start is None:
            reading.leave(Part({}, f"{subject.pointer}/dateOfBirth"), "no_date")
        else:
            found["birth_date"] = day.start
            reading.birth = date.fromisoformat(day.start)
    seen = subject.part("timeAtLastEncounter")
    if seen is not None and "birth_date" not in found:
        age = seen.part("age")
        duration = None if age is None else age.text("iso8601duration")
        whole = None if duration is None else whole_age(duration)
        if whole is None:
            reading.leave(seen, "no_age")
        else:
            found["age"] = whole
    status = subject.part("vitalStatus")
    if status is not None and status.text("status") == "DECEASED":
        reading.leave(status, "deceased")
    return {name: value for name, value in found.items() if value is not None}


def _feature(reading: Reading, feature: Part) -> None:
    excluded = feature.flag("excluded")
    level = feature.part("severity")
    severity = SEVERITIES.get(level.text("id") or "") if level is not None else None
    given = {"status": "absent"} if excluded else {"severity": severity, **_course(reading, feature)}
    reading.add(feature, "observation", feature.part("type"), given)


def _disease(reading: Reading, disease: Part) -> None:
    excluded = disease.flag("excluded")
    reading.add(
        disease, "condition", disease.part("term"), {"status": "absent"} if excluded else _course(reading, disease)
    )


def _course(reading: Reading, part: Part) -> dict[str, str | None]:
    """Onset, and resolution where one is told: without it nobody said that it still goes on, so it is only dated."""
    onset, resolved = reading.when(part, "onset"), reading.when(part, "resolution")
    if resolved.end is not None and onset.start is not None and onset.start[: len(resolved.end)] <= resolved.end:
        return {"start": onset.start, "end": resolved.end}
    return {"date": onset.start}


def _measurement(reading: Reading, measurement: Part) -> None:
    value = measurement.part("value")
    if value is None:
        reading.leave(measurement, "no_value")
        return
    day = reading.when(measurement, "timeObserved").start
    coded, quantity = value.part("ontologyClass"), value.part("quantity")
    if coded is not None:
        answer = coded.text("id") or ""
        if answer in POSITIVE or answer in NEGATIVE:
            status = "present" if answer in POSITIVE else "absent"
            reading.add(measurement, "observation", measurement.part("assay"), {"status": status, "date": day})
        else:
            reading.leave(value, "value_not_understood")
        return
    number = None if quantity is None else quantity.number("value")
    if quantity is None or number is None:
        reading.leave(value, "value_not_understood")
        return
    unit = quantity.part("unit")
    ucum = None if unit is None else unit_of(unit.text("id"))
    if unit is not None and ucum is None:
        reading.leave(unit, "unit_not_ucum")
    given = {"value": number, "unit": ucum, "date": day, **_range(reading, quantity, unit)}
    reading.add(measurement, "observation", measurement.part("assay"), given)


def _range(reading: Reading, quantity: Part, unit: Part | None) -> dict[str, Any]:
    limits = quantity.part("referenceRange")
    if limits is None:
        return {}
    own = limits.part("unit")
    low, high = limits.number("low"), limits.number("high")
    if (own is not None and (unit is None or own.text("id") != unit.text("id"))) or (
        low is not None and high is not None and low > high
    ):
        reading.leave(limits, "range_not_understood")
        return {}
    return {"ref_low": low, "ref_high": high}


def _action(reading: Reading, action: Part) -> None:
    procedure, treatment = action.part("procedure"), action.part("treatment")
    radiation, regimen = action.part("radiationTherapy"), action.part("therapeuticRegimen")
    if procedure is not None:
        reading.add(
            procedure, "procedure", procedure.part("code"), {"date": reading.when(procedure, "performed").start}
        )
    elif treatment is not None:
        _treatment(reading, treatment)
    elif radiation is not None:
        reading.add(radiation, "procedure", radiation.part("modality"), {})
    elif regimen is not None:
        start, end = reading.when(regimen, "startTime").start, reading.when(regimen, "endTime").end
        reading.add(regimen, "medication", regimen.part("ontologyClass"), _exposure(start, end))
    else:
        reading.leave(action, "not_used")


def _treatment(reading: Reading, treatment: Part) -> None:
    """One exposure for each interval of dosing. The quantity is of one administration, not of a day, so no dose is read."""
    status = "ordered" if treatment.text("drugType") == "PRESCRIPTION" else "present"
    intervals = treatment.parts("doseIntervals")
    for one in intervals:
        times = one.part("interval")
        start = end = None
        if times is not None:
            found = moment({"interval": times.value}, reading.birth)
            if found is None:
                raise _wrong(times.pointer, dict)
            start, end = found.start, found.end
        suffix = one.pointer.removeprefix(treatment.pointer)
        if not reading.add(
            treatment, "medication", treatment.part("agent"), {"status": status, **_exposure(start, end)}, suffix
        ):
            return
        if one.part("quantity") is not None:
            reading.leave(Part({}, f"{one.pointer}/quantity"), "dose_of_one_administration")
    if not intervals:
        reading.add(treatment, "medication", treatment.part("agent"), {"status": status})


def _exposure(start: str | None, end: str | None) -> dict[str, str | None]:
    return {"start": start, "end": end if start is None or end is None or start[: len(end)] <= end else None}


def _interpretation(reading: Reading, interpretation: Part) -> None:
    solved = interpretation.text("progressStatus") == "SOLVED"
    diagnosis = interpretation.part("diagnosis")
    if diagnosis is None:
        reading.leave(interpretation, "not_used")
        return
    disease = diagnosis.part("disease")
    code = code_of(disease.text("id")) if disease is not None else None
    told = any(fact["kind"] == "condition" and fact["codes"] == [code] for fact in reading.facts)
    if disease is not None and not told:
        reading.add(disease, "condition", disease, {"status": "present" if solved else "unconfirmed"})
    for genomic in diagnosis.parts("genomicInterpretations"):
        _genomic(reading, genomic, solved=solved)


def _genomic(reading: Reading, genomic: Part, *, solved: bool) -> None:
    status = genomic.text("interpretationStatus")
    interpreted = genomic.part("variantInterpretation")
    described = None if interpreted is None else interpreted.part("variationDescriptor")
    if interpreted is None or described is None or status == "REJECTED":
        reading.leave(genomic, "variant_rejected" if status == "REJECTED" else "no_variant")
        return
    context = described.part("geneContext")
    state, structure = described.part("allelicState"), described.part("structuralType")
    written = [(one.text("syntax") or "", one.text("value") or "") for one in described.parts("expressions")]
    variant: dict[str, Any] = {
        "gene": None if context is None else context.text("symbol"),
        "type": variant_type(None if structure is None else structure.text("id"), written),
        "zygosity": None if state is None else ZYGOSITIES.get(state.text("id") or ""),
        # A variant that nobody classified is not taken for a pathogenic one.
        "significance": _SIGNIFICANCE.get(interpreted.text("acmgPathogenicityClassification") or "", "uncertain"),
    }
    try:
        base = Variant.model_validate({name: value for name, value in variant.items() if value is not None})
    except ValueError:
        reading.leave(genomic, "no_gene")
        return
    confirmed = solved and status in {"CAUSATIVE", "CONTRIBUTORY"}
    # A variant is written in several ways: each is a fact, so that a criterion finds the one it names.
    for index, hgvs in enumerate(hgvs_of(written) or [None]):
        name = reading.name_of(genomic).replace("diagnosis/genomicInterpretations", "variants")
        given = {**base.model_dump(exclude_none=True), **({"hgvs": hgvs} if hgvs else {})}
        said = {"status": "present" if confirmed else "unconfirmed", "variant": given}
        reading.facts.append(_fact(f"{name}/{index}" if index else name, "variant", said))


def whole_age(duration: str) -> str | None:
    """An ISO age without hours, in a form the native patient takes; None where it is not one."""
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
