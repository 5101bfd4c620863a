"""The order of a waiting list, what frees a place, and when a staggered cohort opens. Pure."""

import calendar
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from importlib import resources
from typing import Any, Final, Literal, get_args

from services.registry.enrolment.model import GivenBack, Place, Stage, Staggering, Urgency, Waiting

Effect = Literal["free", "decision", "keep"]
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
URGENCIES: Final[tuple[Urgency, ...]] = get_args(Urgency)
EFFECTS: Final[Mapping[str, Mapping[str, Effect]]] = {
    row["reason"]: row for row in json.loads((resources.files(__package__) / "give_back.json").read_text("utf-8"))
}


def limit_of(waiting: Waiting, months: int) -> date:
    """Return the last day on which a place is of use; where none is stated, so many months after the referral."""
    stated = [waiting.dosing_limit] if waiting.dosing_limit is not None else []
    if waiting.refer_before is not None:
        year, month = map(int, waiting.refer_before.split("-"))
        stated.append(_last_of(year, month))
    return min(stated) if stated else _after(waiting.referred_on, months)


def in_order(places: Iterable[Place], today: date) -> list[Place]:
    """Return those who wait in the suggested order, with their positions; the too late ones last, without."""
    found = sorted(places, key=lambda one: _rank(one, today))
    late = [one.limit_on < today for one in found]
    return [
        replace(one, position=None if is_late else number, too_late=is_late)
        for number, (one, is_late) in enumerate(zip(found, late, strict=True), start=1)
    ]


def _rank(place: Place, today: date) -> tuple[Any, ...]:
    urgency = URGENCIES.index(place.urgency)
    return (place.limit_on < today, urgency, place.limit_on, place.referred_on, place.requested_at, place.referral)


def effect_of(place: Place, reason: GivenBack) -> Effect:
    """Return what a reason does to a place that is taken (`give_back.json`)."""
    if place.state == "used":
        phase = "dosed"
    elif place.conditioned:
        phase = "conditioned"
    else:
        phase = "before_consent" if place.stage == "requested" else "before_conditioning"
    return EFFECTS[reason][phase]


def is_after(stage: Stage, other: Stage) -> bool:
    """Return whether a stage comes after another one."""
    return STAGES.index(stage) > STAGES.index(other)


def dosed(staggering: Staggering, on: date) -> Staggering:
    """Return the staggering after a dosing: the next place opens after the interval, and the decision if one is due."""
    if staggering.last_dosed_on is not None and on < staggering.last_dosed_on:
        return staggering
    opens_on = None if staggering.needs_decision else on + timedelta(days=staggering.interval_days)
    return replace(staggering, last_dosed_on=on, opens_on=opens_on, decided_on=None, reference=None)


def released(staggering: Staggering, decided_on: date, reference: str) -> Staggering:
    """Return the staggering after the decision: the next place opens with the later one of decision and interval."""
    opens_on = decided_on
    if staggering.last_dosed_on is not None:
        opens_on = max(decided_on, staggering.last_dosed_on + timedelta(days=staggering.interval_days))
    return replace(staggering, opens_on=opens_on, decided_on=decided_on, reference=reference)


def _after(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), _last_of(year, month + 1))


def _last_of(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])
