"""Reads how long the pregnancy of which the patient was born had lasted. Pure.

The same observations describe a pregnancy of the patient. Only those of the newborn patient, or of the patient's
childhood where the code itself says "at birth", are read here.
"""

import re
from collections.abc import Mapping
from typing import Any

from services.matching.patients.fhir.chart import Chart, pairs
from services.matching.patients.fhir.timing import duration_of
from services.matching.patients.parts import Part
from services.matching.patients.schemas import GESTATION
from shared.criteria.durations import Span, add, parse

_AT_BIRTH = frozenset({("http://loinc.org", "76516-4"), ("http://snomed.info/sct", "412726003")})
_OF_A_PREGNANCY = frozenset(("http://loinc.org", code) for code in ("11884-4", "18185-9", "49051-6"))
_CHILDHOOD = Span(120, 0)
_WEEKS_AND_DAYS = re.compile(r"([0-9]{2}) ?\+ ?([0-6])", re.ASCII)


def read_gestation(chart: Chart, observation: Part, day: str | None) -> bool:
    """Read the length of the patient's own gestation. Return whether the observation was about it."""
    codes = set(pairs(observation.part("code")))
    says_birth = not codes.isdisjoint(_AT_BIRTH)
    if not says_birth and codes.isdisjoint(_OF_A_PREGNANCY):
        return False
    if not _is_own(chart, observation, day, says_birth=says_birth):
        if says_birth:
            chart.warn(observation.pointer, "not_read", "gestation")
        return says_birth
    found = _duration(chart.draft.person, observation)
    if found is None:
        chart.warn(observation.pointer, "value_not_understood")
    chart.draft.person["gestation"] = found
    return True


def _is_own(chart: Chart, observation: Part, day: str | None, *, says_birth: bool) -> bool:
    if chart.birth is None or day is None or "focus" in observation:
        return False
    last = add(chart.birth, _CHILDHOOD) if says_birth else chart.birth
    return chart.birth.isoformat() <= day <= last.isoformat()


def _duration(person: Mapping[str, Any], observation: Part) -> str | None:
    """Return the duration in whole weeks, or in weeks and days; None where it contradicts the one already read.

    A number of weeks such as 34.4 is not understood: it may mean 34 weeks and 4 days.
    """
    if (quantity := observation.part("valueQuantity")) is not None:
        found = None if "comparator" in quantity else duration_of(quantity)
        if found is not None and found.endswith("D"):
            found = "P{}W{}D".format(*divmod(parse(found).days, 7))
    else:
        written = _WEEKS_AND_DAYS.fullmatch((observation.text("valueString") or "").strip())
        found = None if written is None else f"P{written[1]}W{written[2]}D"
    if found is None or not re.fullmatch(GESTATION, found):
        return None
    known: str | None = person.get("gestation", found)
    if known is None or not (found.startswith(known) or known.startswith(found)):
        return None
    return max(known, found, key=len)
