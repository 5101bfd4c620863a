"""Reads the values of a native patient as hospitals write them, before its form is validated. Pure.

Codes and units in any spelling become those of the terminology and of UCUM. What stands for unknown data, a unit that
is not understood, and an interval that ends before it begins are reported, and nothing is concluded from them. A value
of a wrong type is left to the validation.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.matching.patients.answers import WORDS
from services.matching.patients.dates import day_of
from services.matching.patients.placeholders import is_placeholder_age, is_placeholder_date, judge_value
from services.matching.patients.spellings import Spellings
from services.matching.patients.warnings import Warnings
from shared.criteria.unit_spellings import LONGEST

_UNREADABLE_CODE = re.compile(r"\S{1,200}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fact stands in the body. ``codes``: the pointer of each code; ``fields``: those of other fields.

    Fields without an own pointer stand at ``<pointer>/<field>`` in a native patient, and at ``pointer`` elsewhere.
    """

    pointer: str
    codes: tuple[str, ...] | None = None
    fields: Mapping[str, str] | None = None

    def of(self, name: str) -> str:
        return f"{self.pointer}/{name}" if self.fields is None else self.fields.get(name, self.pointer)

    def code(self, index: int) -> str:
        if self.codes is None:
            return f"{self.pointer}/codes/{index}"
        return self.codes[index] if index < len(self.codes) else self.pointer


@dataclass(slots=True)
class Cleaned:
    """The document to validate, and the place of each of its facts. ``indexes``: of the facts as they were sent."""

    document: dict[str, Any]
    places: list[Place] = field(default_factory=list)
    indexes: list[int] = field(default_factory=list)


def clean(
    sent: Mapping[str, Any],
    warnings: Warnings,
    pointer: str = "",
    places: Sequence[Place] | None = None,
    person: Mapping[str, str] | None = None,
    spellings: Spellings | None = None,
) -> Cleaned:
    """Return a native patient with the values that are understood.

    ``places``, ``person``: in another format, the places of the facts and the pointers of the fields of the patient.
    ``spellings``: those that its reader has read already.
    """
    at = person or {}
    cleaned = Cleaned(dict(sent))
    document, facts = cleaned.document, sent.get("facts")
    if is_placeholder_age(document.get("age")):
        warnings.add(at.get("age", f"{pointer}/age"), "placeholder")
        for name in ("age", "age_on", "age_at_most"):
            document.pop(name, None)
    born = _readable(document, "birth_date", at.get("birth_date", f"{pointer}/birth_date"), warnings)
    if is_placeholder_date(born) and (born != "1970-01-01" or document.get("age") is not None):
        warnings.add(at.get("birth_date", f"{pointer}/birth_date"), "placeholder")
        del document["birth_date"]
    if not isinstance(facts, list):
        return cleaned
    document["facts"] = []
    spellings = spellings or Spellings()
    for index, fact in enumerate(facts):
        place = Place(f"{pointer}/facts/{index}") if places is None else places[index]
        if isinstance(fact, dict):
            found = _fact(fact, place, warnings, spellings)
            if found is None:
                continue
        else:
            found = fact, place  # the validation refuses it
        document["facts"].append(found[0])
        cleaned.places.append(found[1])
        cleaned.indexes.append(index)
    return cleaned


def _fact(
    sent: dict[str, Any], place: Place, warnings: Warnings, spellings: Spellings
) -> tuple[dict[str, Any], Place] | None:
    """Return a fact as understood; None where its value stands for an unknown one."""
    fact = dict(sent)
    codes = fact.get("codes")
    if isinstance(codes, list):
        place = _codes(fact, codes, place, warnings, spellings)
    _dates(fact, place, warnings)
    unit = None if fact.get("unit") is None else _unit(fact, place.of("unit"), warnings, spellings)
    dose = fact.get("dose")
    if isinstance(dose, dict):
        fact["dose"] = dose = dict(dose)
        pointer = place.of("dose")
        _unit(dose, f"{pointer}/unit" if place.fields is None else pointer, warnings, spellings)
    _range(fact, place, warnings)
    value = fact.get("value")
    if isinstance(value, str):
        fact["value"] = WORDS.get(value.strip().casefold(), value)
    elif value is not None and fact.get("kind") == "observation":
        judged = judge_value(value, unit, fact.get("codes") or ())
        if judged != "usual":
            warnings.add(place.of("value"), "placeholder")
        if judged == "impossible":
            return None
        if judged == "doubtful" and fact.get("status", "present") == "present":
            fact["status"] = "unconfirmed"
    return fact, place


def _codes(fact: dict[str, Any], codes: list[Any], place: Place, warnings: Warnings, spellings: Spellings) -> Place:
    """Read the codes of a fact; drop those that have no form of a code, which leaves the fact without a meaning."""
    kept: list[Any] = []
    pointers: list[str] = []
    for index, code in enumerate(codes):
        read = spellings.code(code) if isinstance(code, str) else None
        if read is None and isinstance(code, str) and _UNREADABLE_CODE.fullmatch(code):
            warnings.add(place.code(index), "unknown_code")
            continue
        kept.append(code if read is None else read)
        pointers.append(place.code(index))
    fact["codes"] = kept
    if not codes and place.fields is None and fact.get("kind") not in {"variant", "answer"}:
        warnings.add(place.pointer, "no_code")
    return place if len(kept) == len(codes) else Place(place.pointer, tuple(pointers), place.fields or {})


def _dates(fact: dict[str, Any], place: Place, warnings: Warnings) -> None:
    """Drop dates that stand for unknown ones; report an interval that ends before it begins."""
    start, end = (_readable(fact, name, place.of(name), warnings) for name in ("start", "end"))
    _readable(fact, "date", place.of("date"), warnings)
    if isinstance(start, str) and isinstance(end, str) and end < start[: len(end)] and not is_placeholder_date(start):
        warnings.add(place.of("end"), "ends_before_start")
        return  # the end, even one of 1970, does not count: `mapping` takes it as unknown
    for name in ("date", "start", "end"):
        if is_placeholder_date(fact.get(name)):
            warnings.add(place.of(name), "placeholder")
            del fact[name]


def _readable(holder: dict[str, Any], name: str, pointer: str, warnings: Warnings) -> Any:
    """Write a date or an instant as its day, and return it. Drop and report a text that is neither."""
    text = holder.get(name)
    if not isinstance(text, str):
        return text
    day = day_of(text)
    if day is None:
        warnings.add(pointer, "unreadable_date")
        del holder[name]
    elif day != text:
        holder[name] = day
    return day


def _range(fact: dict[str, Any], place: Place, warnings: Warnings) -> None:
    """Drop a reference range whose limits are reversed."""
    low, high = fact.get("ref_low"), fact.get("ref_high")
    if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
        warnings.add(place.of("ref_low"), "range_not_understood")
        del fact["ref_low"], fact["ref_high"]


def _unit(holder: dict[str, Any], pointer: str, warnings: Warnings, spellings: Spellings) -> str | None:
    """Write the unit in UCUM, and return it. One that is not understood stays: a ratio of two results needs none."""
    unit = holder.get("unit")
    if not isinstance(unit, str):
        return None
    known = spellings.unit(unit)
    holder["unit"] = unit[:LONGEST] if known is None else known
    if known is None:
        warnings.add(pointer, "unknown_unit", unit)
        if not unit.strip():
            del holder["unit"]
    return known
