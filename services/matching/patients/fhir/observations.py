"""Reads observations and their components: numbers, titres, coded and written answers. Pure."""

from typing import Any

from services.matching.patients.fhir.chart import Chart
from services.matching.patients.fhir.genetics import is_genetic, read_variant
from services.matching.patients.fhir.gestation import read_gestation
from services.matching.patients.fhir.timing import when
from services.matching.patients.fhir.values import VALUES, read_value
from services.matching.patients.parts import Part

_DROPPED = frozenset({"cancelled", "entered-in-error"})
_FINAL = frozenset({"final", "amended", "corrected", "appended"})
_NOT_FINAL = frozenset({"registered", "preliminary"})


def read_observation(chart: Chart, observation: Part) -> None:
    status = observation.text("status")
    if status in _DROPPED:
        chart.warn(observation.pointer, "entered_in_error")
        return
    certainty = "present" if status in _FINAL else "unconfirmed"
    if status not in _FINAL | _NOT_FINAL:
        chart.warn(observation.of("status"), "status_not_understood")
    day = _day(chart, observation)
    if certainty == "present" and read_gestation(chart, observation, day):
        return
    if is_genetic(observation):
        read_variant(chart, observation, certainty, day)
        return
    components = observation.parts("component")
    is_panel = bool(components) or "hasMember" in observation
    if _has_value(observation) or "dataAbsentReason" in observation or not is_panel:
        _result(chart, observation, observation, certainty, day)
    for component in components:
        _result(chart, component, observation, certainty, day)


def read_report(chart: Chart, report: Part) -> None:
    """Read nothing: the results of a report are observations of the Bundle. Its coded conclusion is reported."""
    if "conclusionCode" in report:
        chart.warn(report.of("conclusionCode"), "not_read", "conclusionCode")


def _result(chart: Chart, part: Part, observation: Part, certainty: str, day: str | None) -> None:
    if "dataAbsentReason" in part and not _has_value(part):
        chart.warn(part.pointer, "no_value", "dataAbsentReason")
        return
    codes = chart.codes(part.part("code"), part)
    found = read_value(chart, part, day, [code for code, _ in codes])
    given: dict[str, Any] = {"status": certainty, "date": day, **found}
    if certainty == "unconfirmed":
        given["status"] = "unconfirmed"
    value = next((part.of(name) for name in VALUES if name in part), part.pointer)
    fields = {"value": value, "unit": value, "date": _place(observation)}
    chart.add(part, "observation", codes, given, fields)


def _has_value(part: Part) -> bool:
    return any(name in part for name in VALUES)


def _day(chart: Chart, observation: Part) -> str | None:
    start, end = when(chart, observation, "effective")
    if not (start or end):
        chart.warn(observation.pointer, "no_date", "effective")
    return end or start


def _place(observation: Part) -> str:
    names = ("effectiveDateTime", "effectivePeriod", "effectiveInstant")
    return next((observation.of(name) for name in names if name in observation), observation.pointer)
