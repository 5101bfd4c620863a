"""Which place a text names, and how far centres are from it. Pure."""

import re
from collections.abc import Mapping
from typing import Final, Protocol

from services.registry.geography.atlas import Atlas
from services.registry.geography.problems import HOW_TO_LOAD
from services.registry.geography.travel import kilometres, vector_of
from services.registry.trials.problems import UnknownFilterError
from shared.values.problems import Fault
from shared.values.wire import Label

_COORDINATES: Final = re.compile(r"(-?[0-9]{1,3}(?:\.[0-9]{1,8})?), ?(-?[0-9]{1,3}(?:\.[0-9]{1,8})?)")
MOST_LATITUDE, MOST_LONGITUDE = 90, 180
_UNKNOWN: Final = Label(fr="lieu inconnu", en="unknown place")


class Placed(Protocol):
    """A centre and where it is, in degrees."""

    @property
    def id(self) -> str: ...
    @property
    def lat(self) -> float: ...
    @property
    def lon(self) -> float: ...


def distances(near: str, centres: Mapping[str, Placed], atlas: Atlas | None) -> list[tuple[str, float]]:
    """Return the ids of the centres with their distances in kilometres, the nearest first.

    ``near``: coordinates in degrees, the id of a centre, or a place of the loaded geography (``atlas``).

    :raises UnknownFilterError: 400, it names no place.
    """
    place = vector_of(*_place(near.strip(), centres, atlas))
    found = [(one.id, kilometres(place, vector_of(one.lat, one.lon))) for one in centres.values()]
    return sorted(found, key=lambda pair: (pair[1], pair[0]))


def _place(near: str, centres: Mapping[str, Placed], atlas: Atlas | None) -> tuple[float, float]:
    if typed := _COORDINATES.fullmatch(near):
        lat, lon = float(typed[1]), float(typed[2])
        if abs(lat) <= MOST_LATITUDE and abs(lon) <= MOST_LONGITUDE:
            return lat, lon
    if (centre := centres.get(near)) is not None:
        return centre.lat, centre.lon
    if atlas is None:
        raise _refused(HOW_TO_LOAD)
    if (found := atlas.find(near)) is None:
        raise _refused(_UNKNOWN)
    return found.lat, found.lon


def _refused(detail: Label) -> UnknownFilterError:
    return UnknownFilterError(errors=[Fault(pointer="/query/near", code="unknown_near", detail=detail)])
