"""Reads procedures and immunizations. Pure."""

from services.matching.patients.fhir.absence import declared_absence
from services.matching.patients.fhir.chart import Chart
from services.matching.patients.fhir.timing import when
from services.matching.patients.parts import Part

_STATUSES = {
    "completed": "present",
    "in-progress": "present",
    "not-done": "absent",
    "preparation": "ordered",
    # Begun and not finished: whether it counts as done is not known.
    "on-hold": "unconfirmed",
    "stopped": "unconfirmed",
}


def read_procedure(chart: Chart, procedure: Part) -> None:
    _act(chart, procedure, "procedure", "code", "performed")


def read_immunization(chart: Chart, immunization: Part) -> None:
    _act(chart, immunization, "immunization", "vaccineCode", "occurrence")


def _act(chart: Chart, act: Part, kind: str, code: str, date_prefix: str) -> None:
    written = act.text("status")
    if written == "entered-in-error":
        chart.warn(act.pointer, "entered_in_error")
        return
    if declared_absence(chart, act, act.part(code), act.text(f"{date_prefix}DateTime")):
        return
    status = _STATUSES.get(written or "")
    if status is None:
        chart.warn(act.of("status"), "status_not_understood")
        status = "unconfirmed"
    start, end = when(chart, act, date_prefix)
    dates = {"date": start} if end is None or end == start or status == "absent" else {"start": start, "end": end}
    place = next((act.of(f"{date_prefix}{one}") for one in ("DateTime", "Period") if f"{date_prefix}{one}" in act), "")
    fields = dict.fromkeys(("date", "start", "end"), place or act.pointer)
    chart.add(act, kind, chart.codes(act.part(code), act), {"status": status, **dates}, fields)
