"""The calendar of long-term follow-up. Pure. It begins at dosing."""

import json
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Final, Literal

from services.registry.capabilities.product_facts import Facts
from shared.values.wire import Label

Kind = Literal["integrating", "non_integrating"]

_INTEGRATING: Final = frozenset({"lentiviral", "gamma_retroviral"})
_NON_INTEGRATING: Final = frozenset({"aav", "adenoviral", "nonviral_plasmid", "mrna_lnp"})


@dataclass(frozen=True, slots=True)
class Schedule:
    """When patients are seen: months after dosing, increasing. ``years``: the length of follow-up."""

    years: int
    months: tuple[int, ...]
    basis: Label | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit. ``on``: its day, if the day of dosing is given. ``own_consent``: the patient is adult by then."""

    number: int
    months: int
    on: date | None
    own_consent: bool


def _read() -> dict[str, Schedule]:
    rows = json.loads((resources.files(__package__) / "calendar.json").read_text("utf-8"))
    return {row["kind"]: Schedule(row["years"], tuple(row["months"]), Label(**row["basis"])) for row in rows}


USUAL: Final = _read()


def kind_of(facts: Facts) -> Kind | None:
    """Return whether a product changes the genome for good; None: not known, or not a gene therapy."""
    if facts["editing"] == "yes" or facts["vector"] in _INTEGRATING:
        return "integrating"
    return "non_integrating" if facts["vector"] in _NON_INTEGRATING else None


def within(years: int, kind: Kind | None) -> Schedule:
    """Return the usual visits of a follow-up of so many years."""
    months = USUAL[kind or "integrating"].months
    yearly = {12 * year for year in range(1, years + 1)}
    return Schedule(years, tuple(sorted({*(one for one in months if one <= 12 * years), *yearly})))


def visits_of(schedule: Schedule, dosed_on: date | None, adult_in: date | None) -> list[Visit]:
    """Return the visits. ``adult_in``: the first day of the month in which the patient turns 18; None: not asked."""
    days = [months_after(dosed_on, months) if dosed_on is not None else None for months in schedule.months]
    return [
        Visit(number, months, day, own_consent=day is not None and adult_in is not None and _month(day) >= adult_in)
        for number, (months, day) in enumerate(zip(schedule.months, days, strict=True), 1)
    ]


def months_after(day: date, months: int) -> date:
    """Return the same day of a later month; its last day where that month is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _month(day: date) -> date:
    return day.replace(day=1)
