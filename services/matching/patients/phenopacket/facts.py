"""Reads the features, diseases, measurements and medical actions of a packet. Pure."""

from typing import Any

from services.matching.patients.answers import answer_of_codes
from services.matching.patients.codes import written
from services.matching.patients.parts import Part
from services.matching.patients.phenopacket.codes import SEVERITIES, unit_of
from services.matching.patients.phenopacket.record import Record
from services.matching.patients.phenopacket.version1 import onset_of
from services.matching.patients.ranges import Limit, range_in


def read_features(record: Record, packet: Part) -> None:
    for feature in packet.parts("phenotypicFeatures"):
        excluded = feature.flag(record.name("excluded"))
        level = feature.part("severity")
        severity = None if level is None else SEVERITIES.get(level.text("id") or "")
        if level is not None and severity is None:
            record.warn(level.pointer, "not_read", "severity")
        given, fields = _course(record, feature, excluded=excluded)
        record.add(feature, "observation", feature.part("type"), {"severity": severity, **given}, fields)


def read_diseases(record: Record, packet: Part) -> None:
    for disease in packet.parts("diseases"):
        given, fields = _course(record, disease, excluded=disease.flag(record.name("excluded")))
        record.add(disease, "condition", disease.part("term"), given, fields)


def _course(record: Record, part: Part, *, excluded: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """Return onset and resolution, and their places. Without resolution it may have ended: the onset alone is known."""
    if excluded:
        for name in ("onset", "resolution"):
            if record.name(name) in part:
                record.warn(part.of(record.name(name)), "not_read", "onset of what is excluded")
        return {"status": "absent"}, {}
    if record.names is not None:
        return {"date": onset_of(record, part)}, {}
    onset, resolved = record.when(part, "onset"), record.when(part, "resolution")
    fields = {"start": part.of("onset"), "date": part.of("onset"), "end": part.of("resolution")}
    if resolved.end is not None:
        return {"start": onset.start, "end": resolved.end}, fields
    return {"date": onset.start}, fields


def read_measurements(record: Record, packet: Part) -> None:
    for measurement in packet.parts("measurements"):
        value, whole = measurement.part("value"), measurement.part("complexValue")
        whole = whole or (None if value is None else value.part("complexValue"))
        day = record.when(measurement, "timeObserved").start
        dates = {"date": measurement.of("timeObserved")}
        if whole is not None:
            for typed in whole.parts("typedQuantities"):
                _quantity(record, typed, typed.part("type"), typed.part("quantity"), day, dates)
        elif value is None:
            record.warn(measurement.pointer, "no_value")
        elif (coded := value.part("ontologyClass")) is not None:
            _coded_value(record, measurement, coded, day, dates)
        else:
            _quantity(record, measurement, measurement.part("assay"), value.part("quantity"), day, dates)


def _coded_value(record: Record, measurement: Part, coded: Part, day: str | None, dates: dict[str, str]) -> None:
    status = answer_of_codes([written(coded.text("id") or "")])
    if status is None:
        record.warn(coded.pointer, "value_not_understood")
    record.add(
        measurement, "observation", measurement.part("assay"), {"status": status or "unconfirmed", "date": day}, dates
    )


def _quantity(
    record: Record, part: Part, assay: Part | None, quantity: Part | None, day: str | None, dates: dict[str, str]
) -> None:
    number = None if quantity is None else quantity.number("value")
    if quantity is None or number is None:
        record.warn(part.pointer, "no_value")
        return
    unit = _unit(quantity.part("unit"))
    given = {"value": number, "unit": unit, "date": day, **_range(record, quantity, unit)}
    fields = {**dates, "value": quantity.of("value"), "unit": quantity.of("unit")}
    record.add(part, "observation", assay, given, fields)


def _range(record: Record, quantity: Part, unit: str | None) -> dict[str, Any]:
    limits = quantity.part("referenceRange")
    if limits is None:
        return {}
    own = _unit(limits.part("unit"))
    found = range_in(unit, Limit(limits.number("low"), own), Limit(limits.number("high"), own))
    if found is None:
        record.warn(limits.pointer, "range_not_understood")
    return found or {}


def _unit(unit: Part | None) -> str | None:
    """Return a unit in UCUM, or as it is written where it is not understood."""
    if unit is None:
        return None
    identifier, label = unit.text("id"), unit.text("label")
    return unit_of(identifier, label) or identifier or label


def read_actions(record: Record, packet: Part) -> None:
    for action in packet.parts("medicalActions"):
        procedure, treatment = action.part("procedure"), action.part("treatment")
        radiation, regimen = action.part("radiationTherapy"), action.part("therapeuticRegimen")
        if procedure is not None:
            given = {"date": record.when(procedure, "performed").start}
            record.add(procedure, "procedure", procedure.part("code"), given, {"date": procedure.of("performed")})
        elif treatment is not None:
            _treatment(record, treatment)
        elif radiation is not None:
            record.add(radiation, "procedure", radiation.part("modality"), {})
        elif regimen is not None:
            start, end = record.when(regimen, "startTime").start, record.when(regimen, "endTime").end
            fields = {"start": regimen.of("startTime"), "end": regimen.of("endTime")}
            record.add(regimen, "medication", regimen.part("ontologyClass"), _exposure(start, end), fields)
        else:
            record.warn(action.pointer, "not_read", "medicalActions")


def _treatment(record: Record, treatment: Part) -> None:
    """Add one exposure for each dosing interval. No dose is read: a quantity is that of one administration."""
    status = "ordered" if treatment.text("drugType") == "PRESCRIPTION" else "present"
    intervals = treatment.parts("doseIntervals")
    for one in intervals:
        times = record.when(Part({"when": {"interval": one.value.get("interval")}}, one.pointer), "when")
        fields = {"start": f"{one.pointer}/interval/start", "end": f"{one.pointer}/interval/end"}
        given = {"status": status, **_exposure(times.start, times.end)}
        suffix = one.pointer.removeprefix(treatment.pointer)
        record.add(treatment, "medication", treatment.part("agent"), given, fields, suffix)
        if "quantity" in one:
            record.warn(one.of("quantity"), "dose_not_understood", "quantity")
    if not intervals:
        record.add(treatment, "medication", treatment.part("agent"), {"status": status})


def _exposure(start: str | None, end: str | None) -> dict[str, str | None]:
    return {"start": start, "end": end}
