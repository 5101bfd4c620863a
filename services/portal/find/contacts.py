"""Which centres to contact, the nearest first. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Any

from services.portal.find.departements import Departement
from services.portal.pages.formats import Formats

_EARTH_KM = 6371.0
_NEAREST, _MOST = 3, 20


@dataclass(frozen=True, slots=True)
class CentreToContact:
    """A centre. ``distance``: kilometres in a straight line; None: no place is known."""

    centre: Mapping[str, Any]
    distance: float | None


def centres_to_contact(
    centres: Iterable[Mapping[str, Any]], place: Departement | None, formats: Formats
) -> list[CentreToContact]:
    """Return the members nearest to a place, at least one with a public contact; or all that have one, by city."""
    members = [one for one in centres if one["member"] and one["label"] != "suspended"]
    if place is None:
        reached = [CentreToContact(one, None) for one in members if one.get("contact")]
        return sorted(reached, key=lambda one: formats.sorting(one.centre["city"]))[:_MOST]
    found = sorted((CentreToContact(one, _kilometres(place, one)) for one in members), key=_distance)
    nearest = found[:_NEAREST]
    if not any(one.centre.get("contact") for one in nearest):
        nearest += [one for one in found if one.centre.get("contact")][:1]
    return nearest


def _distance(one: CentreToContact) -> float:
    return one.distance or 0


def _kilometres(place: Departement, centre: Mapping[str, Any]) -> float:
    south, north = radians(place.lat), radians(centre["lat"])
    east = radians(centre["lon"] - place.lon)
    chord = sin((north - south) / 2) ** 2 + cos(south) * cos(north) * sin(east / 2) ** 2
    return 2 * _EARTH_KM * asin(sqrt(chord))
