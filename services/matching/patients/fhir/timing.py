"""Reads dates, ages and doses of FHIR. Pure."""

from fractions import Fraction
from typing import Any

from services.matching.patients.ages import at_ages
from services.matching.patients.dates import day_of
from services.matching.patients.fhir.chart import Chart, word
from services.matching.patients.parts import Part
from shared.criteria.unit_spellings import ucum

_AGE_UNITS = {"a": "Y", "mo": "M", "wk": "W", "d": "D"}
_DAYS = {"s": Fraction(1, 86_400), "min": Fraction(1, 1440), "h": Fraction(1, 24), "d": Fraction(1), "wk": Fraction(7),
         "mo": Fraction(1461, 48), "a": Fraction(1461, 4)}  # fmt: skip
_TIMES_A_DAY = {
    name: Fraction(times)
    for name, times in {
        "QD": "1", "AM": "1", "PM": "1", "BED": "1", "Q24H": "1", "BID": "2", "Q12H": "2", "TID": "3", "Q8H": "3",
        "QID": "4", "Q6H": "4", "Q4H": "6", "QOD": "1/2", "WK": "1/7",
    }.items()
}  # fmt: skip


def when(chart: Chart, part: Part, prefix: str) -> tuple[str | None, str | None]:
    """Return the first and the last day of an element such as ``onset[x]``: a date, a period, an age or a range.

    A single day is first and last; of an open period one is None. What gives no date is reported.
    """
    for suffix in ("DateTime", "Instant", "Date"):
        if (text := part.text(f"{prefix}{suffix}")) is not None:
            day = day_of(text)
            if day is None:
                chart.warn(part.of(f"{prefix}{suffix}"), "unreadable_date")
            return day, day
    if (period := part.part(f"{prefix}Period")) is not None:
        return period_of(chart, period)
    if (age := part.part(f"{prefix}Age")) is not None:
        return _at_age(chart, age, age, age)
    if (between := part.part(f"{prefix}Range")) is not None:
        return _at_age(chart, between, between.part("low"), between.part("high"))
    if f"{prefix}String" in part:
        chart.warn(part.of(f"{prefix}String"), "unreadable_date")
    return None, None


def period_of(chart: Chart, period: Part) -> tuple[str | None, str | None]:
    days = []
    for name in ("start", "end"):
        text = period.text(name)
        day = day_of(text)
        if text is not None and day is None:
            chart.warn(period.of(name), "unreadable_date")
        days.append(day)
    return days[0], days[1]


def duration_of(quantity: Part | None) -> str | None:
    """Return a quantity of time as an ISO duration; None where it is not whole or not understood."""
    if quantity is None:
        return None
    number, unit = quantity.number("value"), ucum(quantity.text("code") or quantity.text("unit") or "")
    letter = _AGE_UNITS.get(unit or "")
    if number is None or letter is None or number < 0 or number != int(number) or number > 999:
        return None
    return f"P{int(number)}{letter}"


def _at_age(chart: Chart, part: Part, low: Part | None, high: Part | None) -> tuple[str | None, str | None]:
    least, most = duration_of(low), duration_of(high)
    day = None if chart.birth is None or least is None or most is None else at_ages(chart.birth, least, most)
    if day is None:
        chart.warn(part.pointer, "no_date", "age")
    return day, day


def dose_of(chart: Chart, dosages: list[Part]) -> dict[str, Any] | None:
    """Return the dose per day; None, and report it, where it cannot be computed exactly.

    An "as needed" dose is no dose per day, and neither is one of several steps.
    """
    given = [one for one in dosages if "doseAndRate" in one]
    if not given:
        return None
    dosage = given[0]
    quantity = next((one.part("doseQuantity") for one in dosage.parts("doseAndRate")), None)
    frequency = _times_a_day(dosage.part("timing"))
    as_needed = dosage.flag("asNeededBoolean") or "asNeededCodeableConcept" in dosage
    number = None if quantity is None else quantity.number("value")
    unit = None if quantity is None else ucum(quantity.text("code") or quantity.text("unit") or "")
    if len(given) > 1 or as_needed or frequency is None or number is None or unit is None or "/d" in unit:
        chart.warn(dosage.pointer, "dose_not_understood", "dosage")
        return None
    amount = Fraction(str(number)) * frequency
    value = int(amount) if amount.denominator == 1 else float(amount)
    per_kg = unit.endswith("/kg")
    return {"value": value, "unit": f"{unit.removesuffix('/kg')}/d", "per_kg": per_kg}


def _times_a_day(timing: Part | None) -> Fraction | None:
    if timing is None:
        return None
    repeat = timing.part("repeat")
    if repeat is None or "frequency" not in repeat:
        return _TIMES_A_DAY.get(word(timing.part("code")) or "")
    if any(name in repeat for name in ("frequencyMax", "periodMax", "dayOfWeek", "when")):
        return None
    frequency, period = repeat.number("frequency"), repeat.number("period")
    days = _DAYS.get(repeat.text("periodUnit") or "")
    if frequency is None or period is None or days is None or period <= 0:
        return None
    return Fraction(str(frequency)) / (Fraction(str(period)) * days)
