"""From a centre to what its page shows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.portal.centres.reading import Centre
from services.portal.find.cards import card, open_sites
from services.portal.find.departements import DEPARTEMENTS
from services.portal.pages.formats import Formats
from services.portal.pictures.france import position


@dataclass(frozen=True, slots=True)
class CapabilityLine:
    """A capability in words: what it is, for whom, and until when it is valid."""

    text: str
    people: str
    state: str
    validity: str


def centre_page(found: Centre, formats: Formats) -> dict[str, Any]:
    """Return what the page of a centre shows."""
    cards = [card(trial, found.names, formats) for trial in found.trials]
    here = found.centre["id"]
    open_here = {
        trial["identifier"] for trial in found.trials if any(site["centre"] == here for site in open_sites(trial))
    }
    return {
        "centre": found.centre,
        "departement": _departement(found.centre),
        "position": position(found.centre["departement"], found.centre["lat"], found.centre["lon"]),
        "people": populations(found.centre, formats),
        "capabilities": [_line(one, found.labels, formats) for one in found.capabilities if one["held"]],
        "planned": [
            _line(one, found.labels, formats) for one in found.capabilities if not one["held"] and one["planned_from"]
        ],
        "open_here": [one for one in cards if one.number in open_here],
        "other": [one for one in cards if one.number not in open_here],
        "total": found.total,
        "open_total": found.open_total,
        "following": found.following,
    }


def populations(centre: Mapping[str, Any], formats: Formats) -> str:
    """Say which patients a centre takes."""
    return formats.listed(formats.word("population", one) for one in sorted(centre["populations"], reverse=True))


def members(centres: Iterable[Mapping[str, Any]], formats: Formats) -> list[Mapping[str, Any]]:
    """Return the members of the network, sorted by city and name."""
    return sorted(
        (one for one in centres if one["member"]), key=lambda one: formats.sorting(f"{one['city']} {one['name']}")
    )


def _departement(centre: Mapping[str, Any]) -> str:
    found = DEPARTEMENTS.get(centre["departement"])
    return f"{found.name} ({found.code})" if found else centre["departement"]


def _line(capability: Mapping[str, Any], labels: Mapping[str, Mapping[str, Any]], formats: Formats) -> CapabilityLine:
    french = formats.language == "fr"
    until, since = formats.day(capability["valid_until"]), formats.day(capability["valid_from"])
    if capability["planned_from"]:
        validity = f"{'prévu à partir du' if french else 'planned from'} {formats.day(capability['planned_from'])}"
    elif until:
        validity = f"jusqu'au {until}" if french else f"until {until}"
    else:
        validity = f"{'depuis le' if french else 'since'} {since}" if since else ""
    return CapabilityLine(
        text=formats.label(labels.get(capability["code"])) or formats.word("capability", capability["code"]),
        people=formats.word("capability_scope", capability["scope"]),
        state=formats.word("capability_state", capability["state"]),
        validity=validity,
    )
