"""Reads medicines: taken (statement, administration) or ordered (request, dispense). Pure."""

from collections.abc import Mapping
from typing import Any

from services.matching.patients.dates import day_of
from services.matching.patients.fhir.absence import declared_absence
from services.matching.patients.fhir.chart import Chart, Codes
from services.matching.patients.fhir.conditions import course
from services.matching.patients.fhir.timing import dose_of, when
from services.matching.patients.parts import Part

_TAKEN = frozenset({"active", "completed", "stopped", "on-hold", "in-progress"})
_NOT_TAKEN = frozenset({"not-taken", "not-done"})


def read_statement(chart: Chart, statement: Part) -> None:
    """Read what the patient is said to take. A medicine that was once active is ongoing only if it is stated later.

    The day of that is ``dateAsserted``, or the day of the document.
    """
    if declared_absence(chart, statement, statement.part("medicationCodeableConcept"), statement.text("dateAsserted")):
        return
    status = _status(chart, statement)
    if status is None:
        return
    start, end = when(chart, statement, "effective")
    asserted = day_of(statement.text("dateAsserted")) or chart.written
    if "effectiveDateTime" in statement:
        end = None
    if status == "absent":
        _add(chart, statement, {"status": status, "date": start or asserted})
        return
    ongoing = statement.text("status") == "active" and asserted is not None and (start is None or start <= asserted)
    dose = dose_of(chart, statement.parts("dosage"))
    given = {"status": status, "dose": dose, **course(start, end, ongoing)}
    _add(chart, statement, given)


def read_administration(chart: Chart, administration: Part) -> None:
    """Read what was given: an exposure of its day or period."""
    status = _status(chart, administration)
    if status is None:
        return
    start, end = when(chart, administration, "effective")
    given = {"date": start} if status == "absent" else {"start": start, "end": end}
    _add(chart, administration, {"status": status, **given})


def read_request(chart: Chart, request: Part) -> None:
    _order(chart, request, day_of(request.text("authoredOn")))


def read_dispense(chart: Chart, dispense: Part) -> None:
    _order(chart, dispense, day_of(dispense.text("whenHandedOver") or dispense.text("whenPrepared")))


def _order(chart: Chart, order: Part, day: str | None) -> None:
    """Add an order: whether the patient took it is not known."""
    if order.text("status") in {"entered-in-error", "cancelled", "declined"}:
        chart.warn(order.pointer, "entered_in_error")
    elif order.flag("doNotPerform"):
        chart.warn(order.pointer, "not_read", "doNotPerform")
    else:
        _add(chart, order, {"status": "ordered", "date": day})


def _status(chart: Chart, part: Part) -> str | None:
    """Return the status of the fact; None where it is entered in error."""
    status = part.text("status")
    if status == "entered-in-error":
        chart.warn(part.pointer, "entered_in_error")
        return None
    if status in _NOT_TAKEN:
        return "absent"
    if status == "intended":
        return "ordered"
    if status not in _TAKEN:
        chart.warn(part.of("status"), "status_not_understood")
        return "unconfirmed"
    return "present"


def _add(chart: Chart, part: Part, given: Mapping[str, Any]) -> None:
    effective = next(
        (part.of(name) for name in ("effectivePeriod", "effectiveDateTime", "authoredOn") if name in part), part.pointer
    )
    fields = {"start": effective, "date": effective, "end": effective, "dose": part.of("dosage")}
    chart.add(part, "medication", _codes(chart, part), given, fields)


def _codes(chart: Chart, part: Part) -> Codes:
    """Return the codes of the medicine, which may be a resource of its own."""
    concept = part.part("medicationCodeableConcept")
    if concept is None:
        medication = chart.resolve(part.part("medicationReference"), part)
        concept = None if medication is None else medication.part("code")
    return chart.codes(concept, part)
