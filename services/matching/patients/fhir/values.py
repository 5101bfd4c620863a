"""Reads the value and the reference range of an observation. Pure."""

import re
from datetime import date
from fractions import Fraction
from typing import Any

from services.matching.patients.answers import answer_of_codes, answer_of_text
from services.matching.patients.codes import of_coding
from services.matching.patients.fhir.chart import Chart, pairs
from services.matching.patients.fhir.timing import duration_of
from services.matching.patients.parts import Part
from services.matching.patients.ranges import Limit, range_in
from shared.criteria.durations import add, parse
from shared.criteria.unit_spellings import ucum

VALUES = (
    "valueQuantity", "valueCodeableConcept", "valueString", "valueBoolean", "valueInteger", "valueRange", "valueRatio",
    "valueSampledData", "valueTime", "valueDateTime", "valuePeriod",
)  # fmt: skip
_LOINC = "http://loinc.org"
_INTERPRETED = {"POS": "present", "NEG": "absent", "DET": "present", "ND": "absent", "RR": "present", "NR": "absent"}
# Answers of LOINC to performance scales (ECOG).
_LEVELS = {"LA9622-7": 0, "LA9623-5": 1, "LA9624-3": 2, "LA9625-0": 3, "LA9626-8": 4, "LA9627-6": 5}
_COMPARATORS = frozenset({"<", "<=", ">", ">="})
_NUMBER = re.compile(r"\s*(<=|>=|<|>|≤|≥)?\s*([0-9]+(?:[.,][0-9]+)?)\s*(\S.*)?", re.ASCII)
_TITRE = re.compile(r"\s*(<=|>=|<|>|≤|≥)?\s*1\s*[:/]\s*([0-9]+)\s*")
_SIGNS = {"≤": "<=", "≥": ">="}
_SEXES = {"male": "male", "m": "male", "248153007": "male", "female": "female", "f": "female", "248152002": "female"}
_USUAL = frozenset({"", "normal"})


def read_value(chart: Chart, part: Part, day: str | None, codes: list[str]) -> dict[str, Any]:
    """Return the fields of a fact for the value of an observation or a component.

    A value that is not understood makes the fact unconfirmed, and is reported.
    """
    found = _value(chart, part)
    if found is None:
        name = next((name for name in VALUES if name in part), "")
        chart.warn(part.of(name), "value_not_understood", (tuple(codes), name))
        return {"status": "unconfirmed"}
    if isinstance(found.get("value"), int | float):
        found.update(_range(chart, part, day, found.get("unit")))
    return found


def _value(chart: Chart, part: Part) -> dict[str, Any] | None:
    """Return the fields of a value; None where it is not understood. An observation without value is a finding."""
    if (quantity := part.part("valueQuantity")) is not None:
        return _quantity(chart, quantity)
    if "valueCodeableConcept" in part:
        return _coded(part.part("valueCodeableConcept"))
    if (text := part.text("valueString")) is not None:
        return _written(text)
    if "valueBoolean" in part:
        return {"status": "present" if part.flag("valueBoolean") else "absent"}
    if "valueInteger" in part:
        return {"value": part.number("valueInteger")}
    if (ratio := part.part("valueRatio")) is not None:
        return _ratio(chart, ratio)
    if (between := part.part("valueRange")) is not None:
        return _bound(chart, between)
    if any(name in part for name in VALUES):
        return None
    interpreted = [_INTERPRETED.get(code) for one in part.parts("interpretation") for _, code in pairs(one)]
    return {"status": next((one for one in interpreted if one), "present")}


def _quantity(chart: Chart, quantity: Part) -> dict[str, Any] | None:
    number, comparator = quantity.number("value"), quantity.text("comparator")
    if number is None or (comparator is not None and comparator not in _COMPARATORS):
        return None
    return {"value": number, "comparator": comparator, "unit": unit_of(chart, quantity)}


def unit_of(chart: Chart, quantity: Part) -> str | None:
    """Return the unit, its code before its text; as it is written where neither is understood."""
    written = [text for name in ("code", "unit") if (text := quantity.text(name))]
    return next(
        (found for text in written if (found := chart.draft.spellings.unit(text))), written[0] if written else None
    )


def _coded(concept: Part | None) -> dict[str, Any] | None:
    answers = pairs(concept)
    if (answer := answer_of_codes(of_coding(*one) for one in answers)) is not None:
        return {"status": answer}
    levels = [_LEVELS[code] for system, code in answers if system == _LOINC and code in _LEVELS]
    if levels:
        return {"value": levels[0]}
    text = None if concept is None else concept.text("text")
    return None if text is None else _written(text)


def _written(text: str) -> dict[str, Any] | None:
    if (answer := answer_of_text(text)) is not None:
        return {"status": answer}
    if (titre := _TITRE.fullmatch(text)) is not None:
        return {"value": int(titre[2]), "comparator": _comparator(titre[1])}
    number = _NUMBER.fullmatch(text)
    if number is None or (number[3] is not None and ucum(number[3]) is None):
        return None
    written = number[2].replace(",", ".")
    value = float(written) if "." in written else int(written)
    return {
        "value": value,
        "comparator": _comparator(number[1]),
        "unit": None if number[3] is None else ucum(number[3]),
    }


def _comparator(sign: str | None) -> str | None:
    return _SIGNS.get(sign or "", sign)


def _ratio(chart: Chart, ratio: Part) -> dict[str, Any] | None:
    """Return a titre 1:400 as its reciprocal, and another ratio of plain numbers as its quotient."""
    above, below = ratio.part("numerator"), ratio.part("denominator")
    top, bottom = (None if one is None else one.number("value") for one in (above, below))
    if above is None or below is None or top is None or not bottom or "comparator" in below:
        return None
    units = [unit_of(chart, one) for one in (above, below)]
    if top == 1 and not any(units):
        return {"value": bottom, "comparator": above.text("comparator")}
    if not all(units):
        return None
    unit = ucum(f"{units[0]}/{units[1]}")
    return None if unit is None else {"value": float(Fraction(str(top)) / Fraction(str(bottom))), "unit": unit}


def _bound(chart: Chart, between: Part) -> dict[str, Any] | None:
    low, high = between.part("low"), between.part("high")
    if (low is None) == (high is None):
        return None
    bound = low or high
    assert bound is not None
    found = _quantity(chart, bound)
    return None if found is None else {**found, "comparator": ">=" if low is not None else "<="}


def _range(chart: Chart, part: Part, day: str | None, unit: str | None) -> dict[str, Any]:
    """Return the reference range that applies to this patient on that day."""
    given = [one for one in part.parts("referenceRange") if "low" in one or "high" in one]
    usual = [one for one in given if (pairs(one.part("type")) or [("", "")])[0][1] in _USUAL]
    fitting = [one for one in usual if _applies(chart, one, day)]
    special = [one for one in fitting if "age" in one or "appliesTo" in one]
    chosen = special if len(special) == 1 else fitting
    if len(chosen) != 1:
        if given:
            chart.warn(part.of("referenceRange"), "range_not_understood", "several")
        return {}
    low, high = (_limit(chart, chosen[0].part(name)) for name in ("low", "high"))
    limits = range_in(unit, low, high)
    if limits is None:
        chart.warn(chosen[0].pointer, "range_not_understood", "unit")
    return limits or {}


def _limit(chart: Chart, limit: Part | None) -> Limit:
    return Limit(None, None) if limit is None else Limit(limit.number("value"), unit_of(chart, limit))


def _applies(chart: Chart, limits: Part, day: str | None) -> bool:
    sexes = {_SEXES[code.casefold()] for one in limits.parts("appliesTo") for _, code in pairs(one)
             if code.casefold() in _SEXES}  # fmt: skip
    if len(limits.parts("appliesTo")) > 0 and (not sexes or chart.sex not in sexes):
        return False
    ages = limits.part("age")
    if ages is None:
        return True
    if chart.birth is None or day is None or len(day) < len("YYYY-MM-DD"):
        return False
    on = date.fromisoformat(day)
    low, high = ages.part("low"), ages.part("high")
    least, most = duration_of(low), duration_of(high)
    if (low is not None and least is None) or (high is not None and most is None):
        return False
    return (least is None or add(chart.birth, parse(least)) <= on) and (
        most is None or on < add(chart.birth, parse(most))
    )
