"""The dates of a trial, and the picture of them. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from services.portal.pages.formats import Formats
from services.portal.pictures.timeline import Mark, Timeline, timeline

_NAMES = {
    "first_posted": ("Inscription au registre", "Registered"),
    "start": ("Début de l'essai", "Start of the trial"),
    "primary_completion": ("Fin du recueil principal", "End of main data collection"),
    "completion": ("Fin de l'essai", "End of the trial"),
}


@dataclass(frozen=True, slots=True)
class Milestone:
    """A date of the trial: ``2024``, ``2024-05`` or ``2024-05-03``; ``is_planned``: None where that is not known."""

    name: str
    date: str
    is_planned: bool | None


def milestones_of(trial: dict[str, Any], formats: Formats) -> list[Milestone]:
    """Return the dates that are known, in their order."""
    found = [
        Milestone(names[formats.language == "en"], one["date"], _is_planned(one["type"]))
        for field, names in _NAMES.items()
        if (one := trial["dates"][field]) is not None
    ]
    return sorted(found, key=lambda one: one.date)


def _is_planned(kind: str | None) -> bool | None:
    return None if kind is None else kind != "actual"


def timeline_of(milestones: list[Milestone], today: date, formats: Formats) -> Timeline | None:
    """Return the picture; None where fewer than two dates are known."""
    if len(milestones) < 2:
        return None
    marks = [Mark(one.date, one.name, formats.day(one.date), bool(one.is_planned)) for one in milestones]
    return timeline(marks, today)
