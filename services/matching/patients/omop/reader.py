"""Reads the rows of one patient, each table by one function. Identifiers of the source are not read. Pure."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from services.matching.patients.answers import answer_of_text
from services.matching.patients.dates import day_of
from services.matching.patients.draft import Draft
from services.matching.patients.omop.archive import Row, open_archive
from services.matching.patients.omop.concepts import COMPARATORS, NEGATIVE, ORDERS, POSITIVE, SEXES, Concepts
from shared.values.problems import Fault, InvalidBodyError
from shared.values.wire import Label

Reader = Callable[[Draft, Row, Concepts], None]

_ONE = Label(fr="un seul patient : une ligne dans person.csv", en="one patient only: one row in person.csv")
_NONE = Label(fr="person.csv manque ou est vide", en="person.csv is missing or empty")


def read_archive(content: bytes) -> Draft:
    """Read a zip of CSV files.

    :raises InvalidBodyError: 422, no such zip, or not of one patient.
    """
    tables = open_archive(content)
    persons = tables.get("person", [])
    if len(persons) != 1:
        detail = _ONE if persons else _NONE
        raise InvalidBodyError(errors=[Fault(pointer="/person", code="several_patients", detail=detail)])
    draft, concepts = Draft(""), Concepts.of(tables.get("concept", []))
    owner = persons[0].text("person_id")
    _person(draft, persons[0])
    for table, rows in tables.items():
        reader = READERS.get(table)
        if reader is None:
            if table not in _WITH_OTHERS:
                draft.warnings.add(f"/{table}", "resource_not_read")
            continue
        for row in rows:
            if row.text("person_id") not in {None, owner}:
                draft.warnings.add(row.pointer, "not_this_patient", table)
            else:
                reader(draft, row, concepts)
    return draft


def _person(draft: Draft, row: Row) -> None:
    if (sex := SEXES.get(row.text("gender_concept_id") or "")) is not None:
        draft.person["sex"] = sex
    parts = [row.text(f"{one}_of_birth") for one in ("year", "month", "day")]
    known = parts[: parts.index(None)] if None in parts else parts
    written = "-".join(part.zfill(4 if index == 0 else 2) for index, part in enumerate(known) if part)
    text = row.text("birth_datetime")
    day = (day_of(text[:10]) if text else None) or day_of(written or None)
    if day is not None:
        draft.person["birth_date"] = day
        draft.person_places["birth_date"] = row.of("year_of_birth")
    elif text or written:
        draft.warnings.add(row.of("year_of_birth"), "unreadable_date")
    if row.text("person_source_value"):
        draft.warnings.add(row.of("person_source_value"), "identity_dropped")


def _day(draft: Draft, row: Row, column: str) -> str | None:
    text = row.text(column)
    if text is None:
        return None
    day = day_of(text[:10])
    if day is None:
        draft.warnings.add(row.of(column), "unreadable_date")
    return day


def _add(
    draft: Draft, row: Row, kind: str, codes: list[tuple[str, str]], given: Mapping[str, Any], **fields: str
) -> None:
    if not codes:
        draft.warnings.add(row.pointer, "no_code", row.pointer.split("/")[1])
    draft.add(row.pointer, kind, codes, given, {name: row.of(column) for name, column in fields.items()})


def _condition(draft: Draft, row: Row, concepts: Concepts) -> None:
    start, end = _day(draft, row, "condition_start_date"), _day(draft, row, "condition_end_date")
    given = {"date": start} if end is None else {"start": start, "end": end}
    columns = {"date": "condition_start_date", "start": "condition_start_date", "end": "condition_end_date"}
    _add(draft, row, "condition", concepts.codes(row, "condition"), given, **columns)


def _drug(draft: Draft, row: Row, concepts: Concepts) -> None:
    """Add an exposure; a prescription or a dispensing is an order. The dose of a row is no dose per day."""
    start, end = _day(draft, row, "drug_exposure_start_date"), _day(draft, row, "drug_exposure_end_date")
    ordered = row.text("drug_type_concept_id") in ORDERS
    given = {"date": start} if ordered or end is None else {"start": start, "end": end}
    status = "ordered" if ordered else "present"
    columns = {"date": "drug_exposure_start_date", "start": "drug_exposure_start_date", "end": "drug_exposure_end_date"}
    _add(draft, row, "medication", concepts.codes(row, "drug"), {"status": status, **given}, **columns)


def _procedure(draft: Draft, row: Row, concepts: Concepts) -> None:
    start, end = _day(draft, row, "procedure_date"), _day(draft, row, "procedure_end_date")
    given = {"date": start} if end in {None, start} else {"start": start, "end": end}
    _add(draft, row, "procedure", concepts.codes(row, "procedure"), given, date="procedure_date")


def _measurement(draft: Draft, row: Row, concepts: Concepts) -> None:
    given = {"date": _day(draft, row, "measurement_date"), **_value(draft, row)}
    if "value" in given:
        given |= {
            "unit": concepts.unit(row),
            "comparator": COMPARATORS.get(row.text("operator_concept_id") or ""),
            "ref_low": _number(row.text("range_low")),
            "ref_high": _number(row.text("range_high")),
        }
    _add(
        draft, row, "observation", concepts.codes(row, "measurement"), given,
        date="measurement_date", value="value_as_number", unit="unit_source_value", ref_low="range_low",
    )  # fmt: skip


def _observation(draft: Draft, row: Row, concepts: Concepts) -> None:
    given = {"date": _day(draft, row, "observation_date"), **_value(draft, row)}
    if "value" in given:
        given["unit"] = concepts.unit(row)
    _add(
        draft, row, "observation", concepts.codes(row, "observation"), given,
        date="observation_date", value="value_as_number", unit="unit_source_value",
    )  # fmt: skip


def _value(draft: Draft, row: Row) -> dict[str, Any]:
    """Return the value of a row: a number, or a positive or negative answer. Another answer decides nothing."""
    number = _number(row.text("value_as_number"))
    if number is not None:
        return {"value": number}
    answer = row.text("value_as_concept_id")
    text = row.text("value_as_string") or row.text("value_source_value")
    word = answer_of_text(text)
    if answer in POSITIVE or answer in NEGATIVE or word is not None:
        return {"status": "present" if answer in POSITIVE else "absent" if answer in NEGATIVE else word}
    if answer not in {None, "0"} or text is not None:
        draft.warnings.add(row.pointer, "value_not_understood", row.pointer.split("/")[1])
        return {"status": "unconfirmed"}
    if row.pointer.startswith("/measurement"):
        draft.warnings.add(row.pointer, "no_value", "measurement")
        return {"status": "unconfirmed"}
    return {}


def _number(text: str | None) -> int | float | None:
    try:
        value = float((text or "").replace(",", "."))
    except ValueError:
        return None
    return int(value) if value.is_integer() and abs(value) < 1e12 else value


def _death(draft: Draft, row: Row, _concepts: Concepts) -> None:
    day = _day(draft, row, "death_date")
    full = day is not None and len(day) == len("YYYY-MM-DD")
    draft.person["deceased"] = date.fromisoformat(day) if day is not None and full else True
    draft.warnings.add(row.pointer, "deceased")


READERS: Mapping[str, Reader] = {
    "condition_occurrence": _condition,
    "drug_exposure": _drug,
    "procedure_occurrence": _procedure,
    "measurement": _measurement,
    "observation": _observation,
    "death": _death,
}
_WITH_OTHERS = frozenset({"person", "concept"})
