"""Reads the Patient resource: sex, birth date, death, département. Nothing that identifies the person is read. Pure."""

import re
from datetime import date

from services.matching.patients.dates import day_of
from services.matching.patients.fhir.chart import Chart
from services.matching.patients.parts import Part
from shared.vocabulary.geography import DEPARTEMENT_PATTERN

_SEXES = {"male": "male", "female": "female", "other": "other"}
_IDENTIFYING = ("name", "identifier", "telecom", "address", "photo", "contact", "text")
_POSTAL_CODE = re.compile(r"[0-9]{5}")
_FRANCE = frozenset({"fr", "fra", "france"})


def read_person(chart: Chart, patient: Part) -> None:
    person, places = chart.draft.person, chart.draft.person_places
    if (sex := _SEXES.get(patient.text("gender") or "")) is not None:
        person["sex"] = chart.sex = sex
    if (written := patient.text("birthDate")) is not None:
        day = day_of(written)
        if day is None:
            chart.warn(patient.of("birthDate"), "unreadable_date")
        else:
            person["birth_date"], places["birth_date"] = day, patient.of("birthDate")
            chart.birth = _full(day)
    _read_death(chart, patient)
    if any(name in patient for name in _IDENTIFYING):
        chart.warn(patient.pointer, "identity_dropped")
    place = next((found for address in patient.parts("address") if (found := departement(address))), None)
    if place is not None:
        person["place"] = place


def _read_death(chart: Chart, patient: Part) -> None:
    when = patient.text("deceasedDateTime")
    if when is None and not patient.flag("deceasedBoolean"):
        return
    day = _full(day_of(when))
    chart.draft.person["deceased"] = day or True
    chart.warn(patient.of("deceasedBoolean" if when is None else "deceasedDateTime"), "deceased")


def _full(day: str | None) -> date | None:
    return date.fromisoformat(day) if day is not None and len(day) == len("YYYY-MM-DD") else None


def departement(address: Part) -> str | None:
    """Return the French département of a postal code; None for other countries."""
    code, country = address.text("postalCode") or "", (address.text("country") or "fr").casefold()
    if not _POSTAL_CODE.fullmatch(code) or country not in _FRANCE or "state" in address:
        return None
    if code.startswith("20"):
        found = "2A" if code[2] in "01" else "2B"
    else:
        found = code[:3] if code[:2] in {"97", "98"} else code[:2]
    return found if re.fullmatch(DEPARTEMENT_PATTERN, found) else None
