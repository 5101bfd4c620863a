"""The dates of a trial, and the picture of them. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from services.portal.pages.formats import Formats
from services.portal.pictures.timeline import Mark, Timeline, day_of, timeline
from shared.values.csv_text import csv_text

_NAMES = {
    "first_posted": ("Inscription au registre", "Registered"),
    "start": ("Début de l'essai", "Start of the trial"),
    "primary_completion": ("Fin du recueil principal", "End of main data collection"),
    "completion": ("Fin de l'essai", "End of the trial"),
}
# `overdue`: planned for a day that has passed, and not confirmed since.
State = Literal["actual", "planned", "overdue", "unstated"]


@dataclass(frozen=True, slots=True)
class Milestone:
    """A date of the trial: ``2024``, ``2024-05`` or ``2024-05-03``."""

    name: str
    date: str
    state: State


def milestones_of(trial: dict[str, Any], today: date, formats: Formats) -> list[Milestone]:
    """Return the dates that are known, in their order."""
    found = [
        Milestone(names[formats.language == "en"], one["date"], _state(field, one, today))
        for field, names in _NAMES.items()
        if (one := trial["dates"][field]) is not None
    ]
    return sorted(found, key=lambda one: one.date)


def timeline_of(milestones: list[Milestone], today: date, formats: Formats) -> Timeline | None:
    """Return the picture; None where fewer than two dates are known."""
    if len(milestones) < 2:
        return None
    marks = [
        Mark(one.date, one.name, formats.day(one.date), is_planned=one.state in {"planned", "overdue"})
        for one in milestones
    ]
    return timeline(marks, today)


def dates_csv(milestones: list[Milestone], formats: Formats) -> str:
    """Return the table behind the picture as CSV (RFC 4180). A date is a year, a month or a day, as it is known."""
    head = ("étape", "date", "nature") if formats.language == "fr" else ("milestone", "date", "kind")
    return csv_text(head, ((one.name, one.date, formats.word("milestone", one.state)) for one in milestones))


def _state(field: str, milestone: dict[str, Any], today: date) -> State:
    # A registration is a fact, also where its day is estimated.
    if field == "first_posted" or milestone["type"] == "actual":
        return "actual"
    if milestone["type"] is None:
        return "unstated"
    return "overdue" if day_of(milestone["date"]) < today else "planned"
