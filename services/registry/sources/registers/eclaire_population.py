"""Reads criteria, ages, sex and populations from the Group of an ECLAIRE record, which is seldom valid FHIR."""

from collections.abc import Iterator, Sequence
from typing import Final, get_args

from services.registry.model.design import Population
from services.registry.model.trial import Eligibility, Enrolment, TrialSex
from services.registry.sources.reading import Section
from services.registry.sources.registers import fhir
from services.registry.sources.registers.eclaire_codes import UNITS
from services.registry.sources.registers.phases import unknown_code
from services.registry.sources.registers.statements import Statements
from services.registry.sources.registers.texts import criteria_text

_POPULATIONS: Final[dict[str, Population]] = {code: code for code in get_args(Population)}
# A year is 12 months, a month 30 days: to compare limits in several units.
_DAYS: Final = {"Y": 360, "M": 30, "W": 7, "D": 1}


def enrolment(groups: Sequence[Section]) -> Enrolment | None:
    """Return the number planned."""
    for one in groups:
        count = one.whole_number("quantity")
        if count is not None and count <= 1_000_000_000:
            return Enrolment(count=count, type="estimated")
    return None


def say_eligibility(said: Statements, groups: Sequence[Section]) -> None:
    """Say the criteria, the ages as far as the bands say, the sex and the kinds of participants."""
    if not groups:
        return
    given = [one for group in groups for one in group.each("characteristic", 1000)]
    said.say_group(
        "eligibility",
        {
            "text": lambda: _text(groups[0], given),
            ("minimum_age", "maximum_age"): lambda: _ages(given),
            "sex": lambda: _sex(given),
            "populations": lambda: _populations(given),
        },
        Eligibility(),
    )


def _of_kind(given: Sequence[Section], kind: str) -> Iterator[Section]:
    return (one for one in given if kind in fhir.codes(one.section("code")))


def _text(group: Section, given: Sequence[Section]) -> str | None:
    """Return the criteria. What is judged and described under the same code is left out."""
    kinds: tuple[list[str], list[str]] = ([], [])
    for one in _of_kind(given, "grp-other"):
        if one.given.get("description", "eligibility-criteria") == "eligibility-criteria":
            text = fhir.concept_text(one.section("valueCodeableConcept"), 60_000)
            if text is not None:
                kinds[one.flag("exclude") is True].append(text)
    return criteria_text(group, "characteristic", *kinds, otherwise="fr")


def _ages(given: Sequence[Section]) -> tuple[str | None, str | None]:
    """Return the limits of all ranges together."""
    ranges = [one.section("valueRange") for one in _of_kind(given, "grp-age") if "valueRange" in one.given]
    lows = [_age(one.section("low")) for one in ranges]
    highs = [_age(one.section("high")) for one in ranges]
    lowest = None if None in lows or not lows else min((age for age in lows if age is not None), key=_days)
    highest = None if None in highs or not highs else max((age for age in highs if age is not None), key=_days)
    return (None if lowest is not None and _days(lowest) == 0 else _written(lowest)), _written(highest)


def _age(limit: Section) -> tuple[int, str] | None:
    """Return a count and a unit; None if there is no limit or, with a warning, it is not understood."""
    value = limit.given.get("value")
    if value is None:
        return None
    unit = UNITS.get((limit.line("code", 20) or limit.line("unit", 20) or "").lower())
    if unit is None or isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1000:
        unknown_code(limit, "value")
        return None
    return int(value), unit


def _days(age: tuple[int, str]) -> int:
    return age[0] * _DAYS[age[1]]


def _written(age: tuple[int, str] | None) -> str | None:
    return None if age is None else f"P{age[0]}{age[1]}"


def _sex(given: Sequence[Section]) -> TrialSex | None:
    found = {code for one in _of_kind(given, "grp-gender") for code in fhir.codes(one.section("valueCodeableConcept"))}
    if {"male", "female"} <= found:
        return "all"
    return "female" if "female" in found else "male" if "male" in found else None


def _populations(given: Sequence[Section]) -> list[Population]:
    found = [
        code for one in _of_kind(given, "grp-studypop") for code in fhir.codes(one.section("valueCodeableConcept"))
    ]
    return list(dict.fromkeys(_POPULATIONS[code] for code in found if code in _POPULATIONS))
