"""What taking part involves, in words. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.portal.pages.ages import duration
from services.portal.pages.formats import Formats
from shared.values.wire import Label

_VISITS = ("visits_first_year", "hospital_nights", "remote_visits")
_PAID = {
    "travel_paid": Label(fr="les trajets", en="travel"),
    "accommodation_paid": Label(fr="l'hébergement près du centre", en="accommodation near the centre"),
    "companion_paid": Label(fr="les frais d'une personne qui accompagne", en="the expenses of one accompanying person"),
}
_OTHER = {"fr": "en", "en": "fr"}
_YEARS = re.compile(r"P([0-9]+)M")


@dataclass(frozen=True, slots=True)
class Participation:
    """Sentences on visits and travel; durations in words. Empty: not known.

    ``paid``, ``not_paid``, ``not_known``: what of travel. ``calendar``: months after the treatment of the follow-up
    visits. ``usual``: the length of follow-up is the usual one for this kind of product. ``note_lang``: of the note,
    where that is not the language of the page.
    """

    visits: list[str]
    duration: str
    follow_up: str
    usual: bool
    calendar: list[int]
    paid: list[str]
    not_paid: list[str]
    not_known: list[str]
    note: str
    note_lang: str | None


def participation_of(trial: Mapping[str, Any], follow_up: Mapping[str, Any] | None, formats: Formats) -> Participation:
    """Return what the page says. ``follow_up``: what the API knows of the long-term follow-up.

    What a sponsor stated for the calendar goes first, then the length that a source gives, then the usual one.
    """
    said = trial.get("participation") or {}
    planned = follow_up if follow_up and follow_up["years"] else None
    years = f"P{planned['years']}Y" if planned else ""
    stated = years if planned and planned["by"] == "sponsor" else said.get("follow_up")
    length = stated or years
    note = said.get("note") or {}
    by_answer: dict[bool | None, list[str]] = {True: [], False: [], None: []}
    for key, label in _PAID.items():
        by_answer[said.get(key)].append(formats.label(label))
    return Participation(
        visits=_visits(said, formats),
        duration=in_words(said.get("duration"), formats),
        follow_up=in_words(length, formats),
        usual=bool(length) and not stated,
        calendar=[one["months"] for one in planned["visits"]] if planned and _years(length) == years else [],
        paid=by_answer[True],
        not_paid=by_answer[False],
        not_known=by_answer[None],
        note=formats.label(note),
        note_lang=None if note.get(formats.language) or not any(note.values()) else _OTHER[formats.language],
    )


def in_words(value: str | None, formats: Formats) -> str:
    """Write a duration; whole years that a source counts in months as years."""
    return duration(_years(value), formats.language) if value else ""


def _years(value: str) -> str:
    months = _YEARS.fullmatch(value)
    count = int(months[1]) if months else 0
    return f"P{count // 12}Y" if count and count % 12 == 0 else value


def _visits(said: Mapping[str, Any], formats: Formats) -> list[str]:
    visits, nights, remote = (said.get(key) for key in _VISITS)
    french, found = formats.language == "fr", []
    if visits is not None:
        words = formats.plural(visits, *(("visite", "visites") if french else ("visit", "visits")))
        place = "au centre la première année" if french else "to the centre in the first year"
        found.append(f"{formats.number(visits)} {words} {place}")
    if nights is not None:
        words = formats.plural(nights, *(("nuit", "nuits") if french else ("night", "nights")))
        place = "à l'hôpital, en tout" if french else "in hospital, in all"
        found.append(f"{formats.number(nights)} {words} {place}")
    if remote is not None:
        at_home = "à domicile, près de chez vous, par téléphone ou en vidéo"
        near = "at home, near your home, by telephone or by video"
        found.append(
            {
                (True, True): f"Certaines visites se font {at_home}",
                (True, False): f"Aucune visite ne se fait {at_home}",
                (False, True): f"Some visits take place {near}",
                (False, False): f"No visit takes place {near}",
            }[french, remote]
        )
    return found
