"""From a search and what it found to what the page of results shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.portal.find.cards import OPEN, Card, card
from services.portal.find.departements import DEPARTEMENTS
from services.portal.find.reading import Found
from services.portal.find.search import Search
from services.portal.pages.formats import Formats
from shared.values.wire import Label

_MOST = 12
_TITLES = {
    "status": Label(fr="Statut", en="Status"),
    "region": Label(fr="Ouvert dans la région", en="Open in the region"),
    "departement": Label(fr="Ouvert dans le département", en="Open in the département"),
    "condition": Label(fr="Maladie", en="Disease"),
    "atmp_class": Label(fr="Type de traitement", en="Kind of treatment"),
    "phase": Label(fr="Phase", en="Phase"),
    "centre": Label(fr="Centre", en="Centre"),
}


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a filter, in words, and how many trials have it."""

    value: str
    text: str
    count: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A group of filters."""

    name: str
    title: str
    options: list[Option]


@dataclass(frozen=True, slots=True)
class Results:
    """The results in words. ``cards``: in their order. ``next_query``: of the next page; None: this is the last."""

    summary: str
    cards: list[Card]
    groups: list[Group]
    next_query: Mapping[str, Any] | None
    has_place: bool


def results(search: Search, found: Found, formats: Formats) -> Results:
    """Describe what a search found."""
    return Results(
        summary=_summary(found, formats),
        cards=[card(trial, found.names, formats) for trial in found.trials],
        groups=[_group(name, formats.label(title), search, found, formats) for name, title in _TITLES.items()],
        next_query={**search.query(), "cursor": found.following} if found.following else None,
        has_place=found.near is not None,
    )


def _summary(found: Found, formats: Formats) -> str:
    french = formats.language == "fr"
    total = formats.number(found.total)
    recruiting = sum(one["count"] for one in found.counts["status"] if one["value"] in OPEN)
    if french:
        text = f"{total} {formats.plural(found.total, 'essai trouvé', 'essais trouvés')}"
        opened = f", dont {formats.number(recruiting)} {formats.plural(recruiting, 'ouvert', 'ouverts')} aux inclusions"
    else:
        text = f"{total} {formats.plural(found.total, 'trial', 'trials')} found"
        opened = f", {formats.number(recruiting)} of them open to new patients"
    if recruiting == found.total > 1:
        opened = ", tous ouverts aux inclusions" if french else ", all open to new patients"
    return text + (opened if found.total and recruiting else "")


def _group(name: str, title: str, search: Search, found: Found, formats: Formats) -> Group:
    counts = {one["value"]: one for one in found.counts[name]}
    chosen = search.chosen(name)
    values = [*chosen, *(value for value in counts if value not in chosen)][: max(_MOST, len(chosen))]
    options = [
        Option(
            value,
            _text(name, value, counts.get(value), found, formats),
            counts.get(value, {}).get("count", 0),
            value in chosen,
        )
        for value in values
    ]
    return Group(name, title, options)


def _text(group: str, value: str, count: Mapping[str, Any] | None, found: Found, formats: Formats) -> str:
    if group == "centre":
        centre = found.names.centres.get(value)
        return f"{centre['city']} – {centre['name']}" if centre else value
    if group == "departement":
        return f"{DEPARTEMENTS[value].name} ({value})" if value in DEPARTEMENTS else value
    if group == "region":
        return formats.label(count["label"] if count else None) or value
    if group == "condition":
        concept = found.names.diseases.get(value)
        return (
            formats.label(count["label"] if count else None)
            or formats.label(concept["label"] if concept else None)
            or value
        )
    return formats.word(group, value)
