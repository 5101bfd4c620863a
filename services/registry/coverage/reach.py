"""How far the centres are from the départements, and which inhabitants are within a time of them. Pure."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import cached_property, lru_cache
from math import ceil

from services.registry.geography.atlas import Atlas
from services.registry.geography.travel import Travel, point_of, travel
from services.registry.search.documents import CentreFacts


class Reach:
    """Computed once for a geography and a set of centres.

    A set of centres is a number with one bit for each, so that the people near any of them are counted at once.
    """

    def __init__(self, atlas: Atlas, centres: Mapping[str, CentreFacts]) -> None:
        self.atlas = atlas
        self.centres = centres
        self._bits = {centre: 1 << place for place, centre in enumerate(sorted(centres))}
        self._points = {one.id: point_of((one.lat, one.lon), one.departement) for one in centres.values()}
        self._within: dict[int, Mapping[str, Mapping[int, int]]] = {}
        self.inhabitants = lru_cache(maxsize=500)(self._inhabitants)

    @cached_property
    def nearest(self) -> Mapping[str, list[tuple[str, Travel]]]:
        """The centres by département, the nearest by estimated time first, from the mean place of the inhabitants."""
        found = {}
        for code, one in self.atlas.departements.items():
            place = point_of(one.place, code)
            ways = [(centre, travel(place, point)) for centre, point in self._points.items()]
            found[code] = sorted(ways, key=lambda way: (way[1].minutes, way[1].km, way[0]))
        return found

    def _inhabitants(self, centres: frozenset[str], hours: int) -> dict[str, int]:
        """Return by département how many people are within an estimated time of one of some centres."""
        wanted = sum(self._bits[centre] for centre in centres)
        return {
            code: sum(people for bits, people in groups.items() if bits & wanted)
            for code, groups in self._groups(hours).items()
        }

    def _groups(self, hours: int) -> Mapping[str, Mapping[int, int]]:
        """Return by département the numbers of people by the set of centres that are near them."""
        if hours not in self._within:
            groups: dict[str, Counter[int]] = defaultdict(Counter)
            for (departement, people, _), times in zip(self.atlas.inhabited, self._minutes, strict=True):
                bits = sum(
                    bit for bit, minutes in zip(self._bits.values(), times, strict=True) if minutes <= hours * 60
                )
                groups[departement][bits] += people
            self._within[hours] = groups
        return self._within[hours]

    @cached_property
    def _minutes(self) -> "list[array[int]]":
        """The estimated times from each inhabited commune to each centre, in the order of the bits."""
        points = [self._points[centre] for centre in self._bits]
        return [
            array("H", (ceil(travel(place, point).minutes) for point in points))
            for place in (point_of(place, departement) for departement, _, place in self.atlas.inhabited)
        ]
