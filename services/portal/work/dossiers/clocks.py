"""How long dossiers have stood in their state, and until when centres answer. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.portal.pages.days import in_paris
from services.portal.pages.formats import Formats
from services.portal.pictures.ages import Bars, Case, bars
from shared.values.csv_text import csv_text
from shared.values.working_days import working_days

Row = Mapping[str, Any]
# In the order of the work; what waits for someone comes first.
STATES = ("draft", "submitted", "screening", "feasibility", "decided", "published", "withdrawn")
OPEN = STATES[:5]
_MOST_BARS = 40
_HEAD = (
    "reference", "title", "owner", "owner_name", "state", "since", "days", "working_days", "questionnaires_waiting",
    "questionnaires_paused", "limit", "days_left",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Waiting:
    """A dossier of a list.

    ``days``, ``working_days``: since when it has its state. ``waiting``: how many centres have a questionnaire to
    answer; ``paused``: to how many of them the sponsor owes an answer; ``due``: the nearest limit of the others, and
    ``left`` the calendar days to it, negative: it has passed.
    """

    dossier: Row
    days: int
    working_days: int
    waiting: int
    paused: int
    due: date | None
    left: int | None

    @property
    def is_late(self) -> bool:
        """Return whether a centre should have answered."""
        return self.left is not None and self.left < 0


def waiting_of(dossier: Row, requests: Iterable[Row], today: date) -> Waiting:
    """Return a dossier with its clocks. ``requests``: those about it that the visitor sees."""
    since = date.fromisoformat(dossier["since"]) if dossier["since"] else in_paris(dossier["updated_at"]).date()
    asked = [one for one in requests if one["deadline"] is not None]
    running = [date.fromisoformat(one["deadline"]) for one in asked if not one["question_open"]]
    due = min(running, default=None)
    return Waiting(
        dossier=dossier,
        days=max((today - since).days, 0),
        working_days=working_days(since, today),
        waiting=len(asked),
        paused=len(asked) - len(running),
        due=due,
        left=None if due is None else (due - today).days,
    )


def groups_of(dossiers: Iterable[Row], requests: Iterable[Row], today: date) -> Sequence[tuple[str, Sequence[Waiting]]]:
    """Return the dossiers by state; what is late comes first, then what has waited longest."""
    about: dict[str, list[Row]] = {}
    for one in requests:
        about.setdefault(one["submission"], []).append(one)
    found = [waiting_of(one, about.get(one["reference"], ()), today) for one in dossiers]
    found.sort(key=lambda one: (not one.is_late, -one.days))
    groups = ((state, [one for one in found if one.dossier["state"] == state]) for state in STATES)
    return [(state, rows) for state, rows in groups if rows]


def picture_of(groups: Iterable[tuple[str, Sequence[Waiting]]], formats: Formats) -> Bars | None:
    """Return the bars of the dossiers that are open, the first of each state; None: there is none."""
    is_french = formats.language == "fr"
    cases = [
        Case(
            one.dossier["title"] or one.dossier["reference"],
            formats.word("submission_state", state),
            one.days,
            one.left,
            _said(one, is_french=is_french),
        )
        for state, rows in groups
        if state in OPEN
        for one in rows
    ]
    return bars(cases[:_MOST_BARS]) if cases else None


def _said(one: Waiting, *, is_french: bool) -> str:
    waited = f"{one.days} j" if is_french else f"{one.days} d"
    if one.left is None:
        if one.paused:
            return f"{waited}, {'suspendu' if is_french else 'paused'}"
        return waited
    if one.left < 0:
        return f"{waited}, retard {-one.left} j" if is_french else f"{waited}, late {-one.left} d"
    return f"{waited}, reste {one.left} j" if is_french else f"{waited}, {one.left} d left"


def table_of(groups: Iterable[tuple[str, Sequence[Waiting]]], owners: Mapping[str, str]) -> str:
    """Return the list as CSV. ``owners``: names by id."""
    rows = [
        (
            one.dossier["reference"], one.dossier["title"], one.dossier["owner"], owners.get(one.dossier["owner"]),
            state, one.dossier["since"], one.days, one.working_days, one.waiting, one.paused, one.due, one.left,
        )
        for state, listed in groups
        for one in listed
    ]  # fmt: skip
    return csv_text(_HEAD, rows)
