"""Reads from the main timeline of a digital protocol what it asks of a participant. Pure.

Only what the timeline states exactly is read: no encounter depends on a decision, and each has a number of days from
the others. Months and years, whose length varies, are not added up.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from services.registry.sources.reading import Section

_VALUE: Final = re.compile(r"P(?:([0-9]{1,4})([DW])|T[0-9]{1,5}[HMS])")
_DAYS: Final = {"D": 1, "W": 7}
_SIGN: Final = {"C201356": 1, "after": 1, "C201357": -1, "before": -1}
_FIXED: Final = frozenset({"C201358", "fixed reference"})
_START_TO_START: Final = frozenset({"C201355", "start to start"})
_IN_PERSON: Final = frozenset({"C175574", "in person"})
_YEAR: Final = 365
MAX_ITEMS: Final = 2_000


def read_visits(design: Section) -> dict[str, Any]:
    """Return the visits of the first year, whether there are remote ones, and the duration; empty: not exact."""
    timelines = [one for one in design.sections("scheduleTimelines", 100) if one.given.get("mainTimeline") is True]
    if len(timelines) != 1:
        return {}
    instances = timelines[0].sections("instances", MAX_ITEMS)
    decides = any(one.given.get("instanceType") == "ScheduledDecisionInstance" for one in instances)
    encounters = design.sections("encounters", MAX_ITEMS)
    modes = {_id(one, "id"): set(_codes(one.sections("contactModes", 20))) for one in encounters}
    days = _days(timelines[0])
    held = [(days.get(_id(one, "id")), _id(one, "encounterId")) for one in instances if one.given.get("encounterId")]
    exact = [(day, name) for day, name in held if day is not None and modes.get(name)]
    if decides or not exact or len(exact) < len(held):
        return {}
    first, last = min(day for day, _ in exact), max(day for day, _ in exact)
    visited = {name for day, name in exact if day - first < _YEAR and modes[name] & _IN_PERSON}
    length = last - first
    return {
        "visits_first_year": len(visited) or None,
        "remote_visits": any(modes[name] - _IN_PERSON for _, name in exact) or None,
        "duration": (f"P{length // 7}W" if length % 7 == 0 else f"P{length}D") if length else None,
    }


def _days(timeline: Section) -> Mapping[str | None, int]:
    """Return the day of each instance, from that of the one fixed reference."""
    days: dict[str | None, int] = {}
    steps: dict[str | None, tuple[str | None, int]] = {}
    for one in timeline.sections("timings", MAX_ITEMS):
        kinds, start = set(_codes([one.section("type")])), _id(one, "relativeFromScheduledInstanceId")
        if kinds & _FIXED:
            days[start] = 0
            continue
        sign = next((_SIGN[kind] for kind in kinds if kind in _SIGN), None)
        value = _VALUE.fullmatch(str(one.given.get("value")))
        if sign is not None and value is not None and set(_codes([one.section("relativeToFrom")])) & _START_TO_START:
            length = int(value[1]) * _DAYS[value[2]] if value[1] else 0
            steps[start] = (_id(one, "relativeToScheduledInstanceId"), sign * length)
    if len(days) != 1:
        return {}
    for _ in range(len(steps)):
        ready = [name for name, (other, _) in steps.items() if other in days and name not in days]
        if not ready:
            break
        days |= {name: days[steps[name][0]] + steps[name][1] for name in ready}
    return days


def _id(one: Section, key: str) -> str | None:
    value = one.given.get(key)
    return value if isinstance(value, str) else None


def _codes(concepts: list[Section]) -> Iterator[str]:
    """Yield the code of CDISC and the word of each concept."""
    for one in concepts:
        yield from (text for text in (_id(one, "code"), (_id(one, "decode") or "").lower()) if text)
